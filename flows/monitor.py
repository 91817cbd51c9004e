"""The monitoring flow: from a registered mine to alerts, in the order of the data.

`monitor/fleet` runs over every mine on a schedule, `monitor/mine` over one by hand.
"""

from datetime import UTC, date, datetime
from enum import StrEnum

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

import sql
from flows.steps import alert, compare, discover, download, look, notify, segment, stale, store, validate, vectorise
from models.sensors import SENSOR_SETS
from tasks import agenda, registry
from tasks.errors import EXPLAINED, Busy, RunError, ServiceDown
from tasks.registry import Mine
from tasks.segment import model_for
from tasks.settings import settings

SensorSetName = StrEnum("SensorSetName", {name: name for name in SENSOR_SETS})  # type: ignore[misc]
"""The sensor sets, as a list to choose from in the run form."""


def watch(
    connection: sql.Connection,
    mine: Mine,
    *,
    start: date | None = None,
    end: date | None = None,
    sensor_set: str | None = None,
    rerun: bool = False,
) -> None:
    """Watch one mine: carry every sensing that is due through to its epoch, every epoch through to its alerts.

    What fails is recorded, tried again by the next run, and does not stop the others; raises RunError at the end.
    """
    say, run = get_run_logger(), flow_run.get_id()
    model = model_for(mine, sensor_set)
    with sql.in_words(), agenda.one_run_at_a_time(connection, mine):
        new = discover(connection, mine, model.sensor_set, start=start, end=end)
        if rerun:
            agenda.reopen(connection, mine, model, start=start, end=end)
        due = agenda.due_acquisitions(connection, mine, model, start=start, end=end, rerun=rerun)
        say.info("%s: %d new acquisitions, %d to process", mine.slug, new, len(due))
        for acquisition in due:
            try:
                with agenda.fails_alone(connection, acquisition):
                    if look(connection, acquisition, mine, flow_run_id=run):
                        download(connection, acquisition, mine)
                    downloaded = agenda.current(connection, acquisition)
                    if validate(connection, downloaded, mine, flow_run_id=run):
                        segmented = segment(agenda.current(connection, acquisition), mine, model)
                        segments = vectorise(segmented)
                        store(connection, downloaded, mine, model, segmented, segments, run)
            except ServiceDown as down:
                say.error("%s: %s", mine.slug, down)
                break  # the others would only fail as well, and be given up the sooner
            say.info("%s", agenda.outcome(connection, acquisition, mine))
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
        agenda.raise_failures(connection, due, uncompared, mine)


@flow(name="monitor", flow_run_name="fleet")
def fleet(start: date | None = None, end: date | None = None) -> None:
    """Look for new acquisitions of every registered mine, and carry each through to alerts.

    Args:
        start: First day to look at; without it, from shortly before the latest known acquisition on.
        end: Last day to look at; without it, today.
    """
    say = get_run_logger()
    failed = []
    with _database() as connection:
        mines = registry.mines(connection)
    for number, mine in enumerate(mines):
        try:
            with _database() as connection:  # one for each: whose connection is lost takes no other mine with it
                watch(connection, mine, start=start, end=end)
        except Busy as busy:
            say.warning("%s", busy)
        except ServiceDown as down:
            say.error("%s: %s", mine.slug, down)
            failed += [left.slug for left in mines[number:]]
            break  # asking for every other mine would take hours and change nothing
        except EXPLAINED as error:
            say.error("%s: %s", mine.slug, error)
            failed.append(mine.slug)
        except Exception:
            say.exception("%s", mine.slug)  # a defect: it must show, and must not stop the other mines
            failed.append(mine.slug)
    with sql.in_words(), _database() as connection:
        if end is None:  # whoever looks at days of the past does not ask what is missing today
            stale(connection, at=datetime.now(UTC))
        notify(connection)
    if failed:
        raise RunError(f"{len(failed)} mines were not watched to the end: {', '.join(failed)}; see the log above")


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
    with _database() as connection:
        watch(
            connection,
            registry.find(connection, mine),
            start=start,
            end=end,
            sensor_set=sensor_set,
            rerun=rerun,
        )


def _database() -> sql.Connection:
    return sql.connect(settings().database_address, role="ingest")
