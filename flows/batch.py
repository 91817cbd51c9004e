"""What a worker does of a batch of the fleet: brings in what there is of its mines, then watches them.

A batch is neighbourhoods, mines near each other with one model. Both steps may be begun twice, or end anywhere: what is
done stands in PostGIS, and one run at a time has a mine.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from prefect import get_run_logger

import sql
from flows.progress import Unwatched
from flows.steps import spent
from flows.watch import acquire, watch
from tasks import agenda
from tasks.acquire import neighbourhoods
from tasks.mines import Mine
from tasks.records import Acquisition
from tasks.segment import model_for
from tasks.settings import settings

BATCHES = 1000
"""Into so many a large fleet is cut: each costs the run of the fleet a tenth of a second."""


@dataclass(frozen=True)
class Batch:
    """Neighbourhoods that are worked on one after the other, and the days to look at (None: as a scheduled run)."""

    number: int
    neighbourhoods: Sequence[Sequence[Mine]]
    start: date | None = None
    end: date | None = None

    def __str__(self) -> str:
        """Return what a run of it is called."""
        first, *others = (mine.slug for near in self.neighbourhoods for mine in near)
        return f"{self.number}: {first}{f' and {len(others)} more' if others else ''}"


def planned(mines: Sequence[Mine], start: date | None = None, end: date | None = None) -> list[Batch]:
    """Return `mines`, those first that come first, in batches: of a large fleet a thousand, of a small one as many as
    there are neighbourhoods, so that all workers have some.
    """
    batches: list[list[Sequence[Mine]]] = []
    most, held = max(1, len(mines) // BATCHES), 0
    for near in neighbourhoods(mines):
        if not batches or held + len(near) > most:
            batches.append([])
            held = 0
        batches[-1].append(near)
        held += len(near)
    return [Batch(number, near, start, end) for number, near in enumerate(batches, 1)]


@dataclass(frozen=True)
class Acquired:
    """How far what is due of a batch has come, and of which mines nothing could be asked."""

    acquisitions: list[Acquisition] = field(default_factory=list)
    unwatched: Unwatched = field(default_factory=Unwatched)


def acquire_batch(batch: Batch, unwatched: Unwatched) -> Acquired:
    """Search, preview and download for a batch; mines that fail together are asked for each by itself.

    `unwatched` says whether the service is known to be down.
    """
    found: list[Acquisition] = []
    spent.begin()
    groups = [*batch.neighbourhoods]
    while groups:
        near = groups.pop(0)
        with unwatched.asked_apart(near, groups), database() as connection, agenda.runs_of(connection, near) as free:
            model = model_for(near[0])
            progress, unsearched = acquire(
                connection, free, model, start=batch.start, end=batch.end, down=unwatched.down
            )
            found += progress.every
            if unsearched:
                unwatched.note_unsearched(near, unsearched)
    get_run_logger().info("%s", spent)
    return Acquired(found, unwatched)


def watch_batch(batch: Batch, acquired: Acquired) -> Unwatched:
    """Carry what was acquired of a batch through to its alerts; return which mines were not watched to the end.

    Where the connection is lost each mine of the neighbourhood gets one of its own.
    """
    unwatched = acquired.unwatched
    spent.begin()
    for near in batch.neighbourhoods:
        try:
            _watch(batch, near, acquired, unwatched)
        except sql.DatabaseFailed:
            for mine in near:
                with unwatched.fails_alone(mine):
                    _watch(batch, [mine], acquired, unwatched)
    get_run_logger().info("%s", spent)
    return unwatched


def _watch(batch: Batch, near: Sequence[Mine], acquired: Acquired, unwatched: Unwatched) -> None:
    with database() as connection, agenda.runs_of(connection, near) as free:
        numbers = {mine.mine_id for mine in free}
        for mine in near:
            if mine.mine_id not in numbers:
                get_run_logger().warning("%s", agenda.taken(mine))
        watch(
            connection, free, model_for(near[0]), start=batch.start, end=batch.end, alone=unwatched.fails_alone,
            acquired=[one for one in acquired.acquisitions if one.mine_id in numbers],
        )  # fmt: skip


@contextmanager
def database() -> Iterator[sql.Connection]:
    """Yield a connection that may store what is found; raises DatabaseFailed where it is lost."""
    with sql.in_words(), sql.connect(settings().database_address, role="ingest") as connection:
        yield connection
