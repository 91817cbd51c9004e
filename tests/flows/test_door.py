"""What people give a run, and how it says what is wrong with it; the fleet, which is one run's at a time."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from prefect import flow
from prefect.exceptions import CancelledRun

import sql
from flows import monitor
from flows.door import Day, explained
from tasks import agenda
from tasks.errors import Busy, RunError, WrongUse
from tests.flows.test_monitor import comparisons, watch
from tests.tasks.conftest import sentinel_hub
from tests.tasks.segment.test_epochs import acquire, mine

__all__ = ["mine", "sentinel_hub", "watch"]


@flow(name="given", validate_parameters=False)
@explained
def given(day: Day | None = None, often: int = 1, fails: bool = False) -> None:
    """Keep what was given."""
    seen.append((day, often))
    if fails:
        raise RunError("1 of 2 failed")


seen: list[tuple[date | None, int]] = []


@pytest.mark.parametrize(
    "day", ["2026-01-31", "20260131", "2026-01-31T00:00:00.000Z", " 2026-01-31 ", date(2026, 1, 31)]
)
def test_a_day_is_read_as_forms_and_programs_write_it(day: Any) -> None:
    given(day)
    assert seen.pop() == (date(2026, 1, 31), 1)


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-13-01", "lastweek", "", "31.01.2026", "0", "1767225600", "0000-01-01"]
)
def test_a_day_of_no_calendar_is_said_to_be_none(day: str) -> None:
    with pytest.raises(WrongUse, match=f"^day={day}: it is no day of the calendar: give it as year, month and day"):
        given(day)


def test_what_is_wrong_is_named_by_its_parameter() -> None:
    with pytest.raises(
        WrongUse, match=r"^day=2026-02-30: it is no day .*; often=many: Input should be a valid integer"
    ):
        given("2026-02-30", often="many")  # type: ignore[arg-type]


def test_the_state_of_a_run_holds_the_sentence_alone() -> None:
    state = given(fails=True, return_state=True)
    assert state.is_failed() and state.message == "1 of 2 failed"


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    days = {"start": date(2026, 2, 1), "end": date(2026, 1, 1)}
    for run in (lambda: monitor.fleet(**days), lambda: monitor.mine("pit", **days)):
        with pytest.raises(WrongUse, match=r"the range ends \(2026-01-01\) before it starts \(2026-02-01\)"):
            run()


@contextmanager
def fleet_at_work() -> Iterator[sql.Connection]:
    other = sql.connect(os.environ["MINECAM_DATABASE_URL"])
    assert agenda.takes_fleet(other)
    try:
        yield other
    finally:
        other.close()


def test_a_run_by_hand_waits_for_the_one_at_work(database, home, mine, watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "WAIT_SECONDS", 0.1)
    acquire(database, mine, home, 1, 10)
    with fleet_at_work() as other:
        ends = threading.Timer(2, other.close)
        started = time.monotonic()
        ends.start()
        monitor.fleet(start=date(2023, 1, 1), end=date(2023, 1, 2))
        assert time.monotonic() - started > 2
    assert comparisons(database) == [(1, 0)]


def test_a_scheduled_run_is_cancelled_while_another_is_at_work(
    database, home, mine, watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "_scheduled", lambda: True)
    with fleet_at_work():
        state = monitor.fleet(return_state=True)
        assert state.is_cancelled() and "another run of the fleet is still at work" in str(state.message)
        with pytest.raises((Busy, CancelledRun)):
            monitor.fleet()
    monitor.fleet(start=date(2023, 1, 1), end=date(2023, 1, 2))
