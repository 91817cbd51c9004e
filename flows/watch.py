"""What is done of mines: bring in what the service has of those near each other, then watch each by itself.

`monitor.py` runs both, over every mine or over one.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from prefect import get_run_logger
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
    store,
    validate,
    vectorise,
    withdraw,
)
from tasks import agenda
from tasks.acquire import Due, is_here, passes
from tasks.errors import ServiceDown, ServiceError
from tasks.mines import Mine
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
) -> tuple[dict[int, list[sql.Row]], ServiceError | None]:
    """Bring in what the service has of mines near each other, which share its requests.

    Returns what was due of each, by its id, and why nothing was searched for, if so: what is known already goes on.
    What fails is recorded, tried again by the next run, and does not stop the others. Where the service is known to be
    `down`, it is not asked. Raises ServiceError where the search of several mines fails otherwise than that.
    """
    if not mines:
        return {}, down
    say, run = get_run_logger(), flow_run.get_id()
    first, *beside = mines
    new = 0
    unsearched: ServiceError | None = down
    try:
        if down is None:
            new = discover(connection, first, model.sensor_set, start=start, end=end, beside=beside)
    except ServiceError as error:
        if beside and not isinstance(error, ServiceDown):
            raise
        say.error("%s: %s", ", ".join(mine.slug for mine in mines), error)
        unsearched = error
    due: list[Due] = []
    for mine in mines:
        if rerun:
            agenda.reopen(connection, mine, model, start=start, end=end)
        rows = agenda.due_acquisitions(connection, mine, model, start=start, end=end, rerun=rerun)
        due += [(acquisition, mine) for acquisition in rows]
    say.info("%s: %d new acquisitions, %d to process", ", ".join(mine.slug for mine in mines), new, len(due))
    for acquisition, _ in due if isinstance(unsearched, ServiceDown) else ():
        is_here(connection, acquisition)  # what failed after its download needs no service
    try:
        for together in () if isinstance(unsearched, ServiceDown) else passes(due):
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
    return {mine.mine_id: [acquisition for acquisition, one in due if one is mine] for mine in mines}, unsearched


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
    withdraw(connection, mine)
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
