"""Raises alerts from what an epoch shows and carries them on: provisional until later observations agree, else expired.

Stands between `compare` and `notify`. `measures` says when a rule fires, `observation` on which ground it does in an
epoch, `lifecycle` what states there are. An alert that stands is updated and never raised again.
"""

import logging
from collections.abc import Sequence

import shapely

import sql
from tasks.alert import late_arrivals
from tasks.alert.lifecycle import NOT_MINED, known_as_mine, next_state, transition
from tasks.alert.measures import NEAR, OF_CHANGE, OF_MINE, Match, adds, amount, joined, match, reached, severity
from tasks.alert.observation import Observation, ground_of
from tasks.mines import Mine
from tasks.rasters import to_utm
from tasks.records import Comparison, Epoch

log = logging.getLogger(__name__)


def alert(connection: sql.Connection, comparison: Comparison, mine: Mine) -> list[sql.Row]:
    """Advance the mine's provisional alerts by the comparison's epoch, then raise or update what it matches.

    One transaction; a second run for the same comparison does nothing. Returns the new alert_event rows with the
    figures of alert, rule and mine. Raises RasterError when the class raster cannot be read.
    """
    (epoch,) = sql.fetch(connection, Epoch, "epoch_find", epoch_id=comparison.epoch_id)
    observation = Observation(connection, comparison, epoch, mine)
    with connection.transaction():
        sql.run(connection, "mine_lock", mine_id=mine.mine_id)
        events = (
            _speak_anew(observation)
            + advance(observation)
            + raise_alerts(observation, sql.run(connection, "rule_enabled", mine_id=mine.mine_id))
            + late_arrivals.rejudge(observation)
        )
        return sql.run(connection, "alert_event_read", mine_id=mine.mine_id, events=events)


def _speak_anew(observation: Observation) -> list[int]:
    """Let an epoch that took the place of the one that raised an alert speak on it: it may show nothing of that."""
    events, epoch_id = [], observation.epoch.epoch_id
    for row in sql.run(observation.connection, "alert_orphans", epoch_id=epoch_id):
        if observation.agrees(row) is False:
            events += transition(
                observation.connection, alert_id=row["alert_id"], from_state=row["state"], to_state="expired",
                epoch_id=epoch_id, why="what showed it was made again, and does not show it any more",
            )  # fmt: skip
        else:
            sql.run(observation.connection, "alert_adopt", alert_id=row["alert_id"], epoch_id=epoch_id)
    return events


def advance(observation: Observation, *, rule_id: int | None = None) -> list[int]:
    """Let an epoch speak on the alerts whose latest observation is older; return the ids of their events.

    Of one rule, or of all.
    """
    epoch = observation.epoch
    events = []
    for row in sql.run(observation.connection, "alert_to_advance", epoch_id=epoch.epoch_id, rule_id=rule_id):
        age = (epoch.sensing_time - row["first_time"]).total_seconds() / 86_400
        seen = observation.agrees(row)
        # What comes after the age limit is no evidence, however the epochs in between happened to fall.
        counted = [] if seen is None or age > row["expire_days"] else [int(seen)]
        events += _step(observation, row, counted, age)
    return events


def _step(observation: Observation, row: sql.Row, counted: list[int], age: float) -> list[int]:
    observations = [*row["observations"], *counted]
    n, m = row["confirm_n"], row["confirm_m"]
    state = next_state(
        state=row["state"], observations=observations, n=n, m=m, age_days=age, expire_days=row["expire_days"]
    )
    owner = {"alert_id": row["alert_id"], "epoch_id": observation.epoch.epoch_id}
    if counted:
        sql.run(observation.connection, "alert_observe", observations=observations, **owner)
    if state == row["state"]:
        return []
    late = state == "expired" and age > row["expire_days"]
    why = f"{sum(observations)} of {len(observations)} later observations agree; {n} of {m} are needed"
    why = f"not confirmed within {row['expire_days']} days ({why})" if late else why
    return transition(observation.connection, from_state=row["state"], to_state=state, why=why, **owner)


def raise_alerts(observation: Observation, rules: Sequence[sql.Row]) -> list[int]:
    """Hold `rules` against what an epoch shows; return the ids of the events of alerts, new or more severe.

    Ground that became another class beside a standing alert of that is part of it, however little it is.
    """
    events = []
    for rule in rules:
        for found in observation.matches(rule):
            near, enough = _near(observation, found, rule), reached(found.measured, rule)
            standing = [row for row in near if row["stands"]]
            if standing and (enough or rule["measure"] == OF_CHANGE):
                events += _carry_on(observation, standing, found, rule)
            elif enough and rule["enabled"] and not any(row["has_seen"] for row in near):
                events += _new(observation, found, rule, again=bool(near))
        if rule["measure"] != OF_CHANGE:
            _end(observation, rule)
    return events


def _end(observation: Observation, rule: sql.Row) -> None:
    """Record what a person resolved and the epoch no longer shows: it may be raised again."""
    lasting = sql.run(
        observation.connection, "alert_lasting", rule_id=rule["rule_id"], epoch_id=observation.epoch.epoch_id
    )
    over = [row["alert_id"] for row in lasting if observation.agrees({**rule, **row}) is False]
    if over:
        sql.run(observation.connection, "alert_over", alerts=over)


def _near(observation: Observation, found: Match, rule: sql.Row) -> list[sql.Row]:
    """Return the alerts that speak of the match: standing ones first, then closed ones.

    Closed ones have seen this epoch, or are in their cool-down.
    """
    known = sql.run(observation.connection, "alert_known", rule_id=rule["rule_id"], epoch_id=observation.epoch.epoch_id)
    if rule["measure"] in OF_MINE:
        return known
    ground = to_utm(found.geometry, observation.epsg)
    away = [to_utm(ground_of(row), observation.epsg).distance(ground) for row in known]
    near = [i for i in range(len(known)) if away[i] <= NEAR]
    return [known[i] for i in sorted(near, key=lambda i: (not known[i]["stands"], not known[i]["has_seen"], away[i]))]


def _new(observation: Observation, found: Match, rule: sql.Row, *, again: bool) -> list[int]:
    """Raise an alert, unless its ground is a mine as known for long.

    Nobody is told, until it is confirmed, where one was closed lately, or the ground has come and gone before, as
    fields and flood plains do.
    """
    geom, epoch_id = shapely.to_wkb(found.geometry), observation.epoch.epoch_id
    new_mine = rule["measure"] == OF_CHANGE and set(rule["from_classes"]) <= set(NOT_MINED)
    looks = sql.run(observation.connection, "ground_earlier", epoch_id=epoch_id, geom=geom) if new_mine else []
    if known_as_mine([look["was_mine"] for look in looks]):
        log.info("%s: %s of '%s' are no new mine", observation.mine.slug, amount(found.measured, rule), rule["name"])
        return []
    (row,) = sql.run(
        observation.connection,
        "alert_add",
        rule_id=rule["rule_id"],
        epoch_id=epoch_id,
        severity=severity(found.measured, rule),
        hectares=found.hectares,
        measured=found.measured,
        geom=geom,
    )
    days = [look["on_day"] for look in looks if look["was_mine"]]
    notes = {
        "an alert on this ground was closed lately": again,
        f"the ground looked so before, on {' and '.join(days[:3])}": bool(days),
    }
    why = [f"{amount(found.measured, rule)} match the rule '{rule['name']}' (from {amount(rule['threshold'], rule)})"]
    why += [note for note, holds in notes.items() if holds]
    return transition(
        observation.connection, alert_id=row["alert_id"], epoch_id=epoch_id, from_state=None, to_state="provisional",
        why="; ".join(why), quiet=len(why) > 1,
    )  # fmt: skip


def _carry_on(observation: Observation, standing: Sequence[sql.Row], found: Match, rule: sql.Row) -> list[int]:
    """Join the match to the first of the `standing` alerts; what adds no ground and no epoch leaves the row as it is.

    Ground that became another class adds up, and alerts between which it lies become one. Of other measures the latest
    epoch says what the ground is. Returns the events of one that is confirmed and became more severe, and of those
    that became part of another.
    """
    adding = rule["measure"] == OF_CHANGE
    row, *others = sorted(standing, key=lambda one: (one["state"] == "provisional", one["first_time"]))
    old, new = (to_utm(it, observation.epsg) for it in (ground_of(row), found.geometry))
    time, whole = observation.epoch.sensing_time, found
    as_it_is = Match(ground_of(row), row["hectares"], row["measured"])
    if adding:
        theirs = [to_utm(ground_of(other), observation.epsg) for other in others]
        grown = bool(others) or adds(old, new)
        if not grown and row["first_time"] <= time <= row["last_time"]:
            return []
        whole = match(joined([old, new, *theirs]), observation.epsg) if grown else as_it_is
    elif time < row["last_time"]:
        whole = as_it_is
    level = severity(whole.measured, rule)
    owner = {"alert_id": row["alert_id"], "epoch_id": observation.epoch.epoch_id}
    sql.run(
        observation.connection,
        "alert_update",
        severity=level,
        hectares=whole.hectares,
        measured=whole.measured,
        geom=shapely.to_wkb(whole.geometry),
        **owner,
    )
    events = []
    if level > row["severity"] and row["state"] != "provisional":
        why = f"more severe: {amount(whole.measured, rule)} match the rule '{rule['name']}' now"
        events += transition(observation.connection, from_state=row["state"], to_state=row["state"], why=why, **owner)
    for other in others if adding else ():
        events += transition(
            observation.connection, alert_id=other["alert_id"], epoch_id=owner["epoch_id"], from_state=other["state"],
            to_state="resolved", why=f"became part of alert {row['alert_id']}",
        )  # fmt: skip
    return events
