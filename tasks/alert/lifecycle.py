"""The states of an alert, and who moves it from one to the next: later observations, or a person.

provisional → confirmed → acknowledged → resolved, or expired. Every transition leaves an `alert_event`.
"""

from collections.abc import Sequence

import numpy as np

import sql
from models.labels import NODATA
from tasks.errors import WrongUse
from tasks.text import LONGEST_NOTES, clean, fit

STANDING = ("provisional", "confirmed", "acknowledged")

DECISIONS = {
    "acknowledge": {"confirmed": "acknowledged"},
    "resolve": dict.fromkeys(STANDING, "resolved"),
}
"""What a person can decide, and the state that follows from each state in which it can be decided."""

MINED = tuple(range(1, 10))
"""Components but for reclaimed ground."""
NOT_MINED = (0, 10)
"""Background and reclaimed ground."""


def next_state(
    *, state: str, observations: Sequence[int | bool], n: int, m: int, age_days: float, expire_days: int
) -> str:
    """Return the state of an alert after `observations`, the valid ones since its first detection in order.

    A provisional alert is confirmed when `n` of the first `m` agree; it expires when that can no longer be, or when
    it is older than `expire_days`. Every other state is a person's or final, and stays.
    """
    if state != "provisional":
        return state
    first = observations[:m]
    agreeing = sum(map(bool, first))
    if agreeing >= n:
        return "confirmed"
    return "expired" if agreeing + m - len(first) < n or age_days > expire_days else "provisional"


def known_as_mine(looks: Sequence[bool]) -> bool:
    """Say whether ground is no new mine: two of its three latest earlier `looks`, latest first, were of a mine.

    One bad look between two good ones makes a mine vanish and appear again.
    """
    return sum(looks[:3]) >= 2


def agreement(
    *, classes: np.ndarray, mask: np.ndarray, from_classes: Sequence[int], to_classes: Sequence[int]
) -> bool | None:
    """Return whether an epoch agrees with an alert; None when under half of the alert's pixels are valid.

    `classes` is uint8 (H, W), 255 invalid; `mask`, bool (H, W), are the alert's pixels. It agrees when at least
    half of the valid ones have one of `to_classes`; where the ground was no mine before, any component will do: that
    there is mine is known far better than which component.
    """
    ground = classes[mask]
    valid = ground[ground != NODATA]
    if not len(valid) or 2 * len(valid) < len(ground):
        return None
    was_none = from_classes and set(from_classes) <= set(NOT_MINED)
    wanted = [*MINED, *to_classes] if was_none else to_classes
    return bool(2 * np.isin(valid, wanted).sum() >= len(valid))


def decide(connection: sql.Connection, alert_id: int, decision: str, *, who: str, why: str) -> sql.Row:
    """Let a person `acknowledge` or `resolve` an alert and return its row as it was.

    Raises WrongUse when there is no such alert, it has no reason, or its state does not allow that.
    """
    if not clean(why):
        raise WrongUse("say why: the history of an alert is what an auditor reads")
    who, why = fit(who, "name of who decides"), fit(why, "reason", most=LONGEST_NOTES, lines=True)
    with connection.transaction():
        row = sql.run_one(connection, "alert_lock", alert_id=alert_id)
        if row is None:
            raise WrongUse(f"there is no alert {alert_id}: `minecam alerts --all` shows them")
        allowed = DECISIONS[decision]
        if row["state"] not in allowed:
            raise WrongUse(f"alert {alert_id} is {row['state']}: only one that is {' or '.join(allowed)} can be "
                           f"{allowed[next(iter(allowed))]}")  # fmt: skip
        transition(
            connection, alert_id=alert_id, from_state=row["state"], to_state=allowed[row["state"]], epoch_id=None,
            actor=who, why=why,
        )  # fmt: skip
    return row


def transition(
    connection: sql.Connection,
    *,
    alert_id: int,
    from_state: str | None,
    to_state: str,
    epoch_id: int | None,
    why: str,
    actor: str = "minecam",
    quiet: bool = False,
) -> list[int]:
    """Move an alert to `to_state` and return the id of the event. `quiet`: nobody is told."""
    rows = sql.run(
        connection, "alert_transition", alert_id=alert_id, from_state=from_state, to_state=to_state,
        epoch_id=epoch_id, actor=actor, why=why, quiet=quiet,
    )  # fmt: skip
    return [row["alert_event_id"] for row in rows]
