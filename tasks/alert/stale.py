"""The stale watch: alerts where nothing was seen of a mine or nothing came of the fleet for too long, or much failed.

Runs at the end of every scheduled run of the fleet, whatever became of its mines. No epoch brings these alerts about
and none confirms them: they are confirmed at once, and resolved when something is seen or comes again.
"""

from datetime import datetime

import sql
from tasks.alert.lifecycle import transition
from tasks.alert.measures import amount, reached, severity
from tasks.settings import settings


def stale(connection: sql.Connection, *, at: datetime) -> list[sql.Row]:
    """Raise, carry on or resolve the alerts of the measures `unseen`, `silent` and `given_up` as of `at` (UTC).

    One transaction; a second run at the same time does nothing. Returns the new alert_event rows with the figures of
    alert, rule and mine.
    """
    events: list[int] = []
    with connection.transaction():
        sql.run(connection, "stale_lock")
        given_up = sql.run(connection, "stale_given_up", max_tries=settings().max_tries)
        for row in sql.run(connection, "stale_mines", at=at) + sql.run(connection, "stale_fleets", at=at) + given_up:
            events += _judge(connection, row, at)
        for row in sql.run(connection, "stale_unwatched"):
            events += transition(
                connection, alert_id=row["alert_id"], from_state=row["state"], to_state="resolved", epoch_id=None,
                why="over: it is no longer watched for that",
            )  # fmt: skip
        return sql.run(connection, "alert_event_read", mine_id=None, events=events)


def _judge(connection: sql.Connection, row: sql.Row, at: datetime) -> list[int]:
    """Hold a rule, for one mine or the fleet, against its days or acquisitions; return ids of events."""
    days, since = float(row["days"]), row["since"]
    owner = {"rule_id": row["rule_id"], "mine_id": row["mine_id"]}
    standing = sql.run_one(connection, "stale_known", looked=row["looked"], **owner)
    figures = {"measured": days, "severity": severity(days, row), "at": at}
    why = f"{amount(days, row)} (from {amount(row['threshold'], row)}): {since}"
    if standing is None:
        if not reached(days, row) or not row["enabled"]:
            return []
        (new,) = sql.run(connection, "stale_add", **owner, **figures)
        return transition(
            connection, alert_id=new["alert_id"], from_state=None, to_state="confirmed", epoch_id=None, why=why
        )
    if not standing["stands"]:
        return []  # a person has dealt with this
    if at < standing["last_time"]:
        return []  # the clock was set back: fewer days than before are no news
    known = {"alert_id": standing["alert_id"], "from_state": standing["state"], "epoch_id": None}
    if not reached(days, row):
        return transition(connection, to_state="resolved", why=f"over: {since}", **known)
    sql.run(connection, "stale_update", alert_id=standing["alert_id"], **figures)
    if figures["severity"] <= standing["severity"]:
        return []
    return transition(connection, to_state=standing["state"], why=f"more severe: {why}", **known)
