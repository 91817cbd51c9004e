"""What a run has to do of a mine: which acquisitions and epochs are due, and that no other run does the same.

PostGIS is the single truth, so a run that was killed is simply continued by the next one.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import sql
from tasks.errors import EXPLAINED, Busy, EpochsLost, RasterError, RunError
from tasks.mines import Mine
from tasks.settings import settings
from tasks.text import one_line

if TYPE_CHECKING:
    from models.zoo import SegmentationModel

log = logging.getLogger(__name__)


@contextmanager
def one_run_at_a_time(connection: sql.Connection, mine: Mine) -> Iterator[None]:
    """Hold the mine for this run; raises Busy while another run has it. A killed run lets go of it."""
    with runs_of(connection, [mine]) as free:
        if not free:
            raise Busy(f"{mine.slug} is being processed by another run: wait until that one has ended")
        yield


@contextmanager
def runs_of(connection: sql.Connection, mines: Sequence[Mine]) -> Iterator[list[Mine]]:
    """Hold those of `mines` for this run that no other run has, and yield them."""
    free: list[Mine] = []
    try:
        for mine in mines:
            row = sql.run_one(connection, "mine_run_lock", mine_id=mine.mine_id)
            if row and row["held"]:
                free.append(mine)
        yield free
    finally:
        for mine in free:
            if not connection.closed:
                sql.run(connection, "mine_run_unlock", mine_id=mine.mine_id)


def reopen(
    connection: sql.Connection, mine: Mine, model: "SegmentationModel", *, start: date | None, end: date | None
) -> None:
    """Put what was quarantined or failed between two days back to where it is judged or tried again."""
    sql.run(
        connection, "acquisition_reopen",
        mine_id=mine.mine_id, sensor_set=model.sensor_set.name, start=start, end=end,
    )  # fmt: skip


def due_acquisitions(
    connection: sql.Connection,
    mine: Mine,
    model: "SegmentationModel",
    *,
    start: date | None,
    end: date | None,
    rerun: bool = False,
) -> list[sql.Row]:
    """Return the acquisitions that are not yet epochs of `model`, in order of sensing.

    `rerun`: those too that only are epochs by other weights of it. Else such epochs stand, and are not compared with
    those of the weights of today.
    """
    return sql.run(
        connection, "acquisition_due",
        mine_id=mine.mine_id, sensor_set=model.sensor_set.name, model=model.name, model_checksum=model.checksum,
        start=start, end=end, max_tries=settings().max_tries, rerun=rerun,
    )  # fmt: skip


def epochs_by_other_weights(connection: sql.Connection, mine: Mine, model: "SegmentationModel") -> int:
    """Return how many current epochs of `mine` other weights of `model` have made, an earlier version of it, say."""
    keys = {"mine_id": mine.mine_id, "model": model.name, "model_checksum": model.checksum}
    (row,) = sql.run(connection, "epoch_other_weights", **keys)
    return int(row["count"])


def due_epochs(
    connection: sql.Connection,
    mine: Mine,
    model: "SegmentationModel",
    *,
    start: date | None,
    end: date | None,
    rerun: bool = False,
) -> list[sql.Row]:
    """Return the epochs to compare, in order of sensing; `rerun`: those of the range that are compared too."""
    return sql.run(
        connection, "epoch_due",
        mine_id=mine.mine_id, sensor_set=model.sensor_set.name, model=model.name, start=start, end=end, rerun=rerun,
    )  # fmt: skip


def outcome(connection: sql.Connection, acquisition: sql.Row, mine: Mine) -> str:
    """Return what became of an acquisition, in one line."""
    row = current(connection, acquisition)
    reasons = f": {'; '.join(row['reasons'])}" if row["reasons"] else ""
    return f"{mine.slug} {row['sensing_date']} {row['state']}{reasons}"


def raise_failures(
    connection: sql.Connection, processed: Sequence[sql.Row], uncompared: list[Exception], mine: Mine
) -> None:
    """Raise RunError when any of the acquisitions `processed` by this run failed or epochs stayed `uncompared`."""
    rows = [current(connection, acquisition) for acquisition in processed]
    failed = [row for row in rows if row["state"] == "failed"]
    said = []
    if failed:
        why = failed[-1]["reasons"][0]
        said.append(f"{len(failed)} of {len(rows)} acquisitions of {mine.slug} failed, the next run tries again: {why}")
    if uncompared:
        said.append(
            f"{len(uncompared)} epochs of {mine.slug} could not be compared, the next run tries again: {uncompared[-1]}"
        )
    if said:
        raise RunError("; ".join(said))


def current(connection: sql.Connection, acquisition: sql.Row) -> sql.Row:
    """Return the row of `acquisition` as it stands now."""
    (row,) = sql.run(connection, "acquisition_find", acquisition_id=acquisition["acquisition_id"])
    return row


@contextmanager
def fails_alone(connection: sql.Connection, acquisition: sql.Row) -> Iterator[None]:
    """Record the acquisition as failed when its raster is lost or broken, the database does not take what is found, or
    a defect shows, which is logged with its traceback: one day must not hold up those after it.

    The next run tries it again, with its raster or with one that is fetched anew. What is said to users and concerns
    more than this acquisition passes; a lost connection ends the run.
    """
    try:
        yield
    except Exception as error:
        alone = isinstance(error, (RasterError, sql.DatabaseFailed))
        if connection.closed or (isinstance(error, EXPLAINED) and not alone):
            raise
        reason = str(error)
        if not alone:
            log.exception("%s: unexpected", acquisition["sensing_date"])
            reason = f"unexpected, see the log of the run: {one_line(repr(error))}"
        sql.run(connection, "acquisition_failed", acquisition_id=acquisition["acquisition_id"], reason=reason)


@contextmanager
def lost_epochs_are_superseded(connection: sql.Connection, uncompared: list[Exception]) -> Iterator[None]:
    """Supersede the epochs whose rasters a comparison finds lost, so that the next run segments them again.

    The epoch that could not be compared waits for them: held against older ground it would show changes that are
    known already. It is compared as soon as the lost epochs are made again, or without them if they cannot be.
    The error joins `uncompared`; a raster that only cannot be read for now supersedes nothing, nor does a database
    that fails. A lost connection ends the run.
    """
    try:
        yield
    except EpochsLost as lost:
        for epoch_id, reason in lost.reasons.items():
            sql.run(connection, "epoch_supersede", epoch_id=epoch_id, why=f"raster lost: {reason}")
        uncompared.append(lost)
    except (RasterError, sql.DatabaseFailed) as error:
        if connection.closed:
            raise
        uncompared.append(error)
