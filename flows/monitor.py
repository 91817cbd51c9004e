"""The monitoring flow: from a registered mine to alerts, in the order of the data.

`monitor/fleet` runs over every mine on a schedule, `monitor/mine` over one by hand.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum

from prefect import flow, get_run_logger
from prefect.context import FlowRunContext

from flows.batch import database, planned
from flows.door import Day, check_range, explained
from flows.progress import Unwatched
from flows.steps import notify, stale
from flows.watch import acquire, watch
from flows.workers import workers
from models.sensors import SENSOR_SETS
from tasks import agenda
from tasks.errors import Busy
from tasks.mines import registry
from tasks.segment import model_for

SensorSetName = StrEnum("SensorSetName", {name: name for name in SENSOR_SETS})  # type: ignore[misc]
"""The sensor sets, as a list to choose from in the run form."""
WAIT_SECONDS = 2.0
"""Between two looks whether the fleet is free."""


@flow(name="monitor", flow_run_name="fleet", validate_parameters=False)
@explained
def fleet(start: Day | None = None, end: Day | None = None) -> None:
    """Look for new acquisitions of every registered mine, and carry each through to alerts.

    Args:
        start: First day to look at; without it, from shortly before the latest known acquisition on.
        end: Last day to look at; without it, today.
    """
    check_range(start, end)
    with _alone():
        _fleet(start, end)


def _fleet(start: date | None, end: date | None) -> None:
    with database() as connection:
        batches = planned(registry.mines(connection), start, end)
    unwatched = Unwatched()
    if batches:
        with workers() as crew:
            for number, (batch, of_it) in enumerate(crew.carry(batches, unwatched), 1):
                unwatched.add(of_it)
                get_run_logger().info("%d of %d batches: %s", number, len(batches), batch)
    with database() as connection:
        if end is None:  # whoever looks at days of the past does not ask what is missing today
            stale(connection, at=datetime.now(UTC))
        notify(connection)
    unwatched.raise_failures()


@contextmanager
def _alone() -> Iterator[None]:
    """Have the fleet for this run. While another run has it, one by hand waits, and a scheduled one raises Busy: it
    would only find every mine taken, and those after it would queue up behind a long one.

    No limit of Prefect's, which would end a run that cannot renew its lease: at a server that was away, say.
    """
    with database() as connection:
        free = agenda.takes_fleet(connection)
        if not free and _scheduled():
            raise Busy("another run of the fleet is still at work, and does what this one would do")
        if not free:
            get_run_logger().info("another run of the fleet is at work: this one waits until it has ended")
        while not free:
            time.sleep(WAIT_SECONDS)
            free = agenda.takes_fleet(connection)
        yield


def _scheduled() -> bool:
    """Whether this run was started by a schedule."""
    context = FlowRunContext.get()
    return bool(context and context.flow_run and context.flow_run.auto_scheduled)


@flow(name="monitor", flow_run_name="{mine}", validate_parameters=False)
@explained
def mine(
    mine: str,
    start: Day | None = None,
    end: Day | None = None,
    sensor_set: SensorSetName | None = None,
    rerun: bool = False,
) -> None:
    """Watch one mine by hand.

    Args:
        mine: Slug of the mine, as `minecam mine list` shows it.
        start: First day to look at; without it, from shortly before the latest known acquisition on.
        end: Last day to look at; without it, today.
        sensor_set: Use the shipped model of this sensor set instead of the mine's own.
        rerun: Judge again what was quarantined, segment again what other weights of the model have, compare again.
    """
    check_range(start, end)
    with database() as connection:
        one = registry.watched(connection, mine)
        model = model_for(one, sensor_set)
        with agenda.one_run_at_a_time(connection, one) as one:
            progress, unsearched = acquire(connection, [one], model, start=start, end=end, rerun=rerun)
            watch(connection, [one], model, start=start, end=end, rerun=rerun, acquired=progress.every)
    if unsearched:
        raise unsearched
