"""What a run has to do of a mine, and one run per mine, and of the fleet, at a time.

What is done stands in the database alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import sql
from tasks.errors import Busy
from tasks.mines import Mine, registry
from tasks.records import Acquisition, Epoch
from tasks.settings import settings

if TYPE_CHECKING:
    from models.zoo import SegmentationModel


@contextmanager
def one_run_at_a_time(connection: sql.Connection, mine: Mine) -> Iterator[Mine]:
    """Hold the mine for this run, and yield it as it stands now; raises Busy while another run has it.

    A killed run lets go of it.
    """
    with runs_of(connection, [mine]) as free:
        if not free:
            raise taken(mine)
        yield free[0]


def taken(mine: Mine) -> Busy:
    """Return what is said of a mine that another run has."""
    return Busy(f"{mine.slug} is being processed by another run: wait until that one has ended")


@contextmanager
def runs_of(connection: sql.Connection, mines: Sequence[Mine]) -> Iterator[list[Mine]]:
    """Hold those of `mines` for this run that no other run has, and yield them as they stand now.

    A long run read them hours ago; while they are held, nobody edits them.
    """
    free: list[Mine] = []
    try:
        for mine in mines:
            row = sql.run_one(connection, "mine_run_lock", mine_id=mine.mine_id)
            if row and row["held"]:
                free.append(registry.find(connection, mine.slug))
        yield free
    finally:
        for mine in free:
            if not connection.closed:
                sql.run(connection, "mine_run_unlock", mine_id=mine.mine_id)


def takes_fleet(connection: sql.Connection) -> bool:
    """Take the fleet for this run until `connection` ends; return False while another run has it."""
    row = sql.run_one(connection, "fleet_lock")
    return bool(row and row["held"])


def reopen(
    connection: sql.Connection, mine: Mine, model: "SegmentationModel", *, start: date | None, end: date | None
) -> None:
    """Put what was quarantined or failed between two days back to where it is judged or tried again."""
    sql.run(
        connection, "acquisition_reopen",
        mine_id=mine.mine_id, sensor_set=model.sensor_set.name, grid=str(mine.grid), start=start,
        end=end,
    )  # fmt: skip


def due_acquisitions(
    connection: sql.Connection,
    mine: Mine,
    model: "SegmentationModel",
    *,
    start: date | None,
    end: date | None,
    rerun: bool = False,
) -> list[Acquisition]:
    """Return the acquisitions that are not yet epochs of `model`, in order of sensing.

    `rerun`: those too that only are epochs by other weights of it. Else such epochs stand, and are not compared with
    those of the weights of today.
    """
    return sql.fetch(
        connection, Acquisition, "acquisition_due",
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
) -> list[Epoch]:
    """Return the epochs to compare, in order of sensing; `rerun`: those of the range that are compared too."""
    return sql.fetch(
        connection, Epoch, "epoch_due",
        mine_id=mine.mine_id, sensor_set=model.sensor_set.name, model=model.name, start=start, end=end, rerun=rerun,
    )  # fmt: skip
