"""Raises alerts from changes and carries them on: what rules measure, what later looks say, what people decide."""

from tasks.alert import rules
from tasks.alert.alert import alert
from tasks.alert.lifecycle import MINED, NOT_MINED, agreement, decide, next_state
from tasks.alert.measures import OF_CALENDAR, OF_CHANGE, amount, unit
from tasks.alert.stale import stale
from tasks.alert.withdraw import withdraw

__all__ = [
    "MINED", "NOT_MINED", "OF_CALENDAR", "OF_CHANGE", "agreement", "alert", "amount", "decide", "next_state", "rules",
    "stale", "unit", "withdraw",
]  # fmt: skip
