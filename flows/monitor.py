"""The monitoring flow: from a registered mine to alerts, in the order of the data.

`monitor/fleet` runs over every mine on a schedule, `monitor/mine` over one by hand.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

import sql
from flows.steps import (
    alert,
    compare,
    discover,
    download,
    findings,
    look,
    notify,
    revalidate,
    segment,
    stale,
    store,
    validate,
    vectorise,
)
from models.sensors import SENSOR_SETS
from tasks import agenda, registry
from tasks.errors import EXPLAINED, Busy, RunError, ServiceDown
from tasks.registry import Mine
from tasks.revalidate import unsettled
from tasks.segment import model_for
from tasks.settings import settings
from tasks.sharing import Due, neighbourhoods, passes

if TYPE_CHECKING:
    from models.zoo import SegmentationModel

SensorSetName = StrEnum("SensorSetName", {name: name for name in SENSOR_SETS})  # type: ignore[misc]
"""The sensor sets, as a list to choose from in the run form."""


def acquire(
    connection: sql.Connection,
    mines: Sequence[Mine],
    model: "SegmentationModel",
    *,
    start: date | None = None,
    end: date | None = None,
    rerun: bool = False,
) -> dict[int, list[sql.Row]]:
    """Bring in what the service has of mines near each other, which share its requests.

    Returns what was due of each, by its id. What fails is recorded, tried again by the next run, and does not stop the
    others. Raises what `discover` does.
    """
    if not mines:
        return {}
    say, run = get_run_logger(), flow_run.get_id()
    first, *beside = mines
    new = discover(connection, first, model.sensor_set, start=start, end=end, beside=beside)
    due: list[Due] = []
    for mine in mines:
        if rerun:
            agenda.reopen(connection, mine, model, start=start, end=end)
        rows = agenda.due_acquisitions(connection, mine, model, start=start, end=end, rerun=rerun)
        due += [(acquisition, mine) for acquisition in rows]
    say.info("%s: %d new acquisitions, %d to process", ", ".join(mine.slug for mine in mines), new, len(due))
    try:
        for together in passes(due):
            left: list[Due] = []
            for acquisition, mine in together:
                with agenda.fails_alone(connection, acquisition):
                    if look(connection, acquisition, mine, flow_run_id=run):
                        left.append((acquisition, mine))
            while left:
                (acquisition, mine), *left = left
                with agenda.fails_alone(connection, acquisition):
                    left = download(connection, acquisition, mine, left)
    except ServiceDown as down:  # the others would only fail as well, and be given up the sooner
        say.error("%s", down)
    return {mine.mine_id: [acquisition for acquisition, one in due if one is mine] for mine in mines}


def watch(
    connection: sql.Connection,
    mine: Mine,
    model: "SegmentationModel",
    *,
    start: date | None = None,
    end: date | None = None,
    rerun: bool = False,
    due: Sequence[sql.Row],
) -> None:
    """Carry what came of one mine through to its epochs, in order of sensing, and every epoch through to its alerts.

    What fails is recorded, tried again by the next run, and does not stop the others; raises RunError at the end, also
    where what was `due` failed before.
    """
    say, run = get_run_logger(), flow_run.get_id()
    for acquisition in due:
        with agenda.fails_alone(connection, acquisition):
            downloaded = agenda.current(connection, acquisition)
            if validate(connection, downloaded, mine, flow_run_id=run):
                _epoch_of(connection, acquisition, mine, model)
        say.info("%s", agenda.outcome(connection, acquisition, mine))
    judged_again = []
    for acquisition in unsettled(connection, mine, model.sensor_set.name):
        judged_again.append(acquisition)
        with agenda.fails_alone(connection, acquisition):
            if revalidate(connection, acquisition, mine, flow_run_id=run):
                _epoch_of(connection, acquisition, mine, model)
        say.info("judged again: %s", agenda.outcome(connection, acquisition, mine))
    findings(connection, mine, flow_run_id=run)
    uncompared: list[Exception] = []
    for epoch in agenda.due_epochs(connection, mine, model, start=start, end=end, rerun=rerun):
        # The transaction inside: a comparison stands with its alerts or not at all.
        with agenda.lost_epochs_are_superseded(connection, uncompared), connection.transaction():
            comparison = compare(connection, epoch, mine, flow_run_id=run)
            alert(connection, comparison, mine)
    notify(connection, mine)
    if others := agenda.epochs_by_other_weights(connection, mine, model):
        say.warning("%s: %d epochs are by other weights of %s, and not compared with those of today; `minecam run "
                    "%s --from ... --rerun` makes them anew", mine.slug, others, model.name, mine.slug)  # fmt: skip
    agenda.raise_failures(connection, [*due, *judged_again], uncompared, mine)


def _epoch_of(connection: sql.Connection, acquisition: sql.Row, mine: Mine, model: "SegmentationModel") -> None:
    accepted = agenda.current(connection, acquisition)
    segmented = segment(accepted, mine, model)
    store(connection, accepted, mine, model, segmented, vectorise(segmented), flow_run.get_id())


@flow(name="monitor", flow_run_name="fleet")
def fleet(start: date | None = None, end: date | None = None) -> None:
    """Look for new acquisitions of every registered mine, and carry each through to alerts.

    Args:
        start: First day to look at; without it, from shortly before the latest known acquisition on.
        end: Last day to look at; without it, today.
    """
    say = get_run_logger()
    failed: list[str] = []
    with _database() as connection:
        groups = neighbourhoods(registry.mines(connection))
    while groups:
        near = groups.pop(0)
        words = ", ".join(mine.slug for mine in near)
        try:
            failed += _together(near, start, end)
        except ServiceDown as down:
            say.error("%s: %s", words, down)
            failed += [mine.slug for group in [near, *groups] for mine in group]
            break  # asking for every other mine would take hours and change nothing
        except Exception as error:
            if len(near) > 1:
                say.warning("%s: each is asked for by itself now: %s", words, error)
                groups[:0] = [[mine] for mine in near]
                continue
            _log(words, error)
            failed += [mine.slug for mine in near]
    with sql.in_words(), _database() as connection:
        if end is None:  # whoever looks at days of the past does not ask what is missing today
            stale(connection, at=datetime.now(UTC))
        notify(connection)
    if failed:
        raise RunError(f"{len(failed)} mines were not watched to the end: {', '.join(failed)}; see the log above")


def _together(near: Sequence[Mine], start: date | None, end: date | None) -> list[str]:
    """Watch mines near each other; return the slugs of those that were not watched to the end.

    Each has a connection of its own: where one is lost, the other mines go on.
    """
    model, failed = model_for(near[0]), []
    with sql.in_words(), _database() as connection, agenda.runs_of(connection, near) as free:
        due = acquire(connection, free, model, start=start, end=end)
    for mine in near:
        try:
            with sql.in_words(), _database() as connection, agenda.one_run_at_a_time(connection, mine):
                watch(connection, mine, model, start=start, end=end, due=due.get(mine.mine_id, []))
        except Busy as busy:
            get_run_logger().warning("%s", busy)
        except Exception as error:
            _log(mine.slug, error)
            failed.append(mine.slug)
    return failed


def _log(words: str, error: Exception) -> None:
    """Say what went wrong; with its traceback where it is a defect, which must show and not stop the other mines."""
    if isinstance(error, EXPLAINED):
        get_run_logger().error("%s: %s", words, error)
    else:
        get_run_logger().exception("%s", words, exc_info=error)


@flow(name="monitor", flow_run_name="{mine}")
def mine(
    mine: str,
    start: date | None = None,
    end: date | None = None,
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
    with sql.in_words(), _database() as connection:
        one = registry.find(connection, mine)
        model = model_for(one, sensor_set)
        with agenda.one_run_at_a_time(connection, one):
            due = acquire(connection, [one], model, start=start, end=end, rerun=rerun)
            watch(connection, one, model, start=start, end=end, rerun=rerun, due=due[one.mine_id])


def _database() -> sql.Connection:
    return sql.connect(settings().database_address, role="ingest")
