"""Routes: who is told of which events, as rows. Lists, adds and removes them, and finds those of an event."""

from collections.abc import Sequence
from dataclasses import dataclass

import sql
from tasks.alert import rules
from tasks.errors import WrongUse
from tasks.settings import settings
from tasks.text import fit

STATES = ("provisional", "confirmed", "acknowledged", "resolved", "expired")
MOST_SEVERE = 100
"""More than the steps of any rule."""


@dataclass(frozen=True)
class Recipients:
    """The notification blocks that are told of an event: `at_once`, or in a `digest`."""

    at_once: tuple[str, ...]
    digest: tuple[str, ...]


def recipients(event: sql.Row, routes: Sequence[sql.Row]) -> Recipients:
    """Return the ways of an event (a row of alert_event_read) among `routes`."""
    fitting = [
        route
        for route in routes
        if route["rule_id"] in (None, event["rule_id"])
        and event["severity"] >= route["least_severity"]
        and event["to_state"] in route["states"]
    ]
    at_once = dict.fromkeys(route["block"] for route in fitting if not route["digest"])
    collected = dict.fromkeys(route["block"] for route in fitting if route["digest"] and route["block"] not in at_once)
    return Recipients(tuple(at_once), tuple(collected))


def default(there: bool) -> list[sql.Row]:
    """Return the routes while there are none: all to the notification block of the settings, if it is `there`."""
    everything = {"rule_id": None, "least_severity": 1, "states": STATES, "digest": False}
    return [{"block": settings().notification_block, **everything}] if there else []


def listed(connection: sql.Connection) -> list[sql.Row]:
    """Return the routes that are used."""
    return sql.run(connection, "route_list")


def add(
    connection: sql.Connection,
    *,
    block: str,
    rule: str | None = None,
    least_severity: int = 1,
    states: Sequence[str] = STATES,
    digest: bool = False,
) -> int:
    """Add a route and return its id; raises WrongUse for an unknown rule or state, or a severity that is none."""
    if not states:
        raise WrongUse(f"a route of no states tells nobody: choose of {', '.join(STATES)}")
    if not 1 <= least_severity <= MOST_SEVERE:
        raise WrongUse(f"there is no severity {least_severity}: give 1 to {MOST_SEVERE}")
    if unknown := [state for state in states if state not in STATES]:
        raise WrongUse(f"there is no state '{unknown[0]}': choose of {', '.join(STATES)}")
    (row,) = sql.run(
        connection, "route_add", block=fit(block, "block"), least_severity=least_severity, states=list(states),
        digest=digest, rule_id=None if rule is None else rules.listed(connection, rule)[0]["rule_id"],
    )  # fmt: skip
    return int(row["route_id"])


def remove(connection: sql.Connection, route_id: int) -> None:
    """Use a route no more; raises WrongUse when there is none."""
    if not sql.run(connection, "route_remove", route_id=route_id):
        raise WrongUse(f"there is no route {route_id}: `minecam route list` shows them")
