"""Alerts on which an epoch speaks that came late: carried on anew from their first look, in order of sensing.

Part of `alert`. What an alert has become must not depend on when its epochs arrived; people are told where it becomes
another than they were told. What a person decided stays.
"""

from datetime import datetime

import sql
from tasks.alert.lifecycle import next_state, transition
from tasks.alert.measures import NEAR, OF_CHANGE
from tasks.alert.observation import Observation
from tasks.errors import EpochsLost, RasterLost
from tasks.records import Epoch


def rejudge(observation: Observation) -> list[int]:
    """Judge anew the alerts that later epochs than this have spoken on; return the ids of their events.

    Raises EpochsLost when the raster of an epoch is lost, RasterError when it cannot be read for now.
    """
    events = []
    for row in sql.run(observation.connection, "alert_late", epoch_id=observation.epoch.epoch_id):
        events += _rejudge(observation, row)
    return events


def _rejudge(observation: Observation, row: sql.Row) -> list[int]:
    n, m = row["confirm_n"], row["confirm_m"]
    observations: list[int] = []
    state, latest = "provisional", (row["first_time"], row["first_epoch_id"])
    for epoch in sql.fetch(observation.connection, Epoch, "alert_witnesses", alert_id=row["alert_id"]):
        age = (epoch.sensing_time - row["first_time"]).total_seconds() / 86_400
        seen = None if epoch.sensing_time <= latest[0] else _agrees(observation, epoch, row)
        if seen is not None and age <= row["expire_days"]:
            observations.append(int(seen))
            latest = (epoch.sensing_time, epoch.epoch_id)
        state = next_state(
            state=state, observations=observations, n=n, m=m, age_days=age, expire_days=row["expire_days"]
        )
        if state != "provisional":
            break
    events = []
    if state not in (row["state"], "provisional"):  # what was decided stays so until it is decided otherwise
        events = transition(
            observation.connection, alert_id=row["alert_id"], from_state=row["state"], to_state=state,
            epoch_id=latest[1],
            why=f"{sum(observations)} of {len(observations)} later observations agree, with those that came late; "
            f"{n} of {m} are needed",
        )  # fmt: skip
    last_time, last_epoch_id = max(latest, _last_match(observation, row, latest, state))
    sql.run(
        observation.connection, "alert_recount", alert_id=row["alert_id"], observations=observations,
        last_time=last_time, last_epoch_id=last_epoch_id,
    )  # fmt: skip
    return events


def _agrees(observation: Observation, epoch: Epoch, row: sql.Row) -> bool | None:
    try:
        return Observation(observation.connection, observation.comparison, epoch, observation.mine).agrees(row)
    except RasterLost as error:
        raise EpochsLost({epoch.epoch_id: str(error)}) from error


def _last_match(
    observation: Observation, row: sql.Row, latest: tuple[datetime, int], state: str
) -> tuple[datetime, int]:
    """Return the time and the epoch of the latest match that the alert, while it stands, is carried on by."""
    if state == "expired":
        return latest
    if row["measure"] != OF_CHANGE:
        return row["last_time"], row["last_epoch_id"]
    found = sql.run_one(observation.connection, "alert_latest_change", alert_id=row["alert_id"], near=NEAR)
    return (found["sensing_time"], found["epoch_id"]) if found else latest
