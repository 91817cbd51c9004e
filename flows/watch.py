"""What is done of mines near each other: bring in what the service has of them, then carry it through to alerts.

`monitor.py` runs both over one mine, `batch.py` over those of the fleet; `progress.py` keeps faults from stopping more
than they concern.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import TYPE_CHECKING

from prefect import get_run_logger
from prefect.runtime import flow_run

import sql
from flows.progress import Progress
from flows.steps import (
    alert,
    compare,
    discover,
    download,
    notify,
    preview,
    revalidate,
    segment,
    store,
    summarise,
    validate,
    vectorise,
    withdraw,
)
from tasks import agenda
from tasks.acquire import Due, kept, passes
from tasks.errors import ServiceDown, ServiceError
from tasks.mines import Mine
from tasks.records import Acquisition
from tasks.segment import portions
from tasks.validate import unsettled

if TYPE_CHECKING:
    from models.zoo import SegmentationModel


def acquire(
    connection: sql.Connection,
    mines: Sequence[Mine],
    model: "SegmentationModel",
    *,
    start: date | None = None,
    end: date | None = None,
    rerun: bool = False,
    down: ServiceDown | None = None,
) -> tuple[Progress, ServiceError | None]:
    """Bring in what the service has of mines near each other, which share its requests.

    Returns how far what was due of them has come, and why nothing was searched for, if so: what is known already goes
    on. What fails is recorded, tried again by the next run, and does not stop the others. Where the service is known to
    be `down`, it is not asked. Raises ServiceError where the search of several mines fails otherwise than that.
    """
    if not mines:
        return Progress(connection, []), down
    say, slugs = get_run_logger(), ", ".join(mine.slug for mine in mines)
    first, *beside = mines
    new = 0
    unsearched: ServiceError | None = down
    try:
        if down is None:
            new = discover(connection, first, model.sensor_set, start=start, end=end, beside=beside)
    except ServiceError as error:
        if beside and not isinstance(error, ServiceDown):
            raise
        say.error("%s: %s", slugs, error)
        unsearched = error
    due: list[Due] = []
    for mine in mines:
        if rerun:
            agenda.reopen(connection, mine, model, start=start, end=end)
        found = agenda.due_acquisitions(connection, mine, model, start=start, end=end, rerun=rerun)
        due += [(acquisition, mine) for acquisition in found]
    say.info("%s: %d new acquisitions, %d to process", slugs, new, len(due))
    progress = Progress(connection, (acquisition for acquisition, _ in due))
    if isinstance(unsearched, ServiceDown):
        for acquisition, _ in due:  # what failed after its download needs no service
            progress.note(kept(connection, acquisition) or acquisition)
        return progress, unsearched
    try:
        for together in passes(due):
            _bring_in(connection, together, progress)
    except ServiceDown as error:  # the others would only fail as well, and be given up the sooner
        say.error("%s", error)
    return progress, unsearched


def _bring_in(connection: sql.Connection, together: Sequence[Due], progress: Progress) -> None:
    """Preview and download what one pass has seen of mines near each other."""
    left: list[Due] = []
    for acquisition, mine in together:
        with progress.fails_alone(acquisition):
            previewed, worth = preview(connection, acquisition, mine, flow_run_id=flow_run.get_id())
            progress.note(previewed)
            if worth:
                left.append((previewed, mine))
    while left:
        (acquisition, mine), *left = left
        with progress.fails_alone(acquisition):
            served, left = download(connection, acquisition, mine, left)
            for one, _ in served:
                progress.note(one)


def watch(
    connection: sql.Connection,
    mines: Sequence[Mine],
    model: "SegmentationModel",
    *,
    start: date | None = None,
    end: date | None = None,
    rerun: bool = False,
    acquired: Iterable[Acquisition],
    alone: Callable[[Mine], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Carry what was `acquired` of mines through to their epochs, in order of sensing, and every epoch to its alerts.

    What fails is recorded, tried again by the next run, and does not stop the others. At the end of a mine RunError
    says so, also where what was acquired failed before; what stops a mine meets `alone`, a context of that mine.
    """
    say, run = get_run_logger(), flow_run.get_id()
    progress = Progress(connection, acquired)
    accepted: list[Due] = []
    for mine in mines:
        for acquisition in progress.of(mine):
            with progress.fails_alone(acquisition):
                judged = progress.note(validate(connection, acquisition, mine, flow_run_id=run))
                if judged.accepted:
                    accepted.append((judged, mine))
    _store(connection, accepted, model, progress)
    for mine in mines:
        for acquisition in progress.of(mine):
            say.info("%s", progress.outcome(acquisition, mine))
    for mine in mines:
        with alone(mine):
            _settle(connection, mine, model, progress)
            summarise(connection, mine, flow_run_id=run)
            for epoch in agenda.due_epochs(connection, mine, model, start=start, end=end, rerun=rerun):
                # The transaction inside: a comparison stands with its alerts or not at all.
                with progress.lost_epochs_are_superseded(mine), connection.transaction():
                    alert(connection, compare(connection, epoch, mine, flow_run_id=run), mine)
            notify(connection, mine)
            if others := agenda.epochs_by_other_weights(connection, mine, model):
                say.warning("%s: %d epochs are by other weights of %s, and not compared with those of today; "
                            "`minecam run %s --from ... --rerun` makes them anew",
                            mine.slug, others, model.name, mine.slug)  # fmt: skip
            progress.raise_failures(mine)


def _settle(connection: sql.Connection, mine: Mine, model: "SegmentationModel", progress: Progress) -> None:
    """Judge again what is held against others than before, and take back what rests on what is refused now."""
    for acquisition in unsettled(connection, mine, model.sensor_set.name):
        progress.note(acquisition)
        with progress.fails_alone(acquisition):
            judged, anew = revalidate(connection, acquisition, mine, flow_run_id=flow_run.get_id())
            progress.note(judged)
            if anew:
                _store(connection, [(judged, mine)], model, progress)
        get_run_logger().info("judged again: %s", progress.outcome(acquisition, mine))
    withdraw(connection, mine)


def _store(connection: sql.Connection, accepted: Sequence[Due], model: "SegmentationModel", progress: Progress) -> None:
    """Make epochs of accepted acquisitions, which go through the network together."""
    for together in portions(accepted):
        for (acquisition, mine), seen in zip(together, segment(together, model), strict=True):
            with progress.fails_alone(acquisition):
                if isinstance(seen, Exception):
                    raise seen
                run = flow_run.get_id()
                progress.note(store(connection, acquisition, mine, model, seen, vectorise(seen), run)[0])
