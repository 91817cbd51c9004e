"""How far a run has come, and what becomes of faults on the way: they stop no more than they concern.

`Progress` is of acquisitions, beside `watch`; `Unwatched` of the mines of the fleet, beside `batch`.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prefect import get_run_logger

import sql
from tasks.errors import EXPLAINED, Busy, EpochsLost, RasterError, RunError, ServiceDown, ServiceError
from tasks.logs import about
from tasks.mines import Mine
from tasks.records import Acquisition, advance, current
from tasks.text import one_line

log = logging.getLogger(__name__)


class Progress:
    """The acquisitions of a run as they stand now, in the order in which they came, and the epochs left uncompared."""

    def __init__(self, connection: sql.Connection, acquisitions: Iterable[Acquisition]) -> None:
        self._connection = connection
        self._standing = {one.acquisition_id: one for one in acquisitions}
        self._uncompared: dict[int, list[Exception]] = {}

    @property
    def every(self) -> list[Acquisition]:
        """All of them."""
        return list(self._standing.values())

    def of(self, mine: Mine) -> list[Acquisition]:
        """Return the acquisitions of `mine`."""
        return [one for one in self._standing.values() if one.mine_id == mine.mine_id]

    def note(self, acquisition: Acquisition) -> Acquisition:
        """Take down what a step has returned, and return it."""
        self._standing[acquisition.acquisition_id] = acquisition
        return acquisition

    def outcome(self, acquisition: Acquisition, mine: Mine) -> str:
        """Return what became of an acquisition, in one line."""
        now = self._standing[acquisition.acquisition_id]
        reasons = f": {'; '.join(now.reasons)}" if now.reasons else ""
        return f"{mine.slug} {now.sensing_date} {now.state}{reasons}"

    @contextmanager
    def fails_alone(self, acquisition: Acquisition) -> Iterator[None]:
        """Record the acquisition as failed when its raster is lost or broken, the database does not take what is found,
        or a defect shows, which is logged with its traceback: one day must not hold up those after it.

        The next run tries it again, with its raster or with one that is fetched anew. What is said to users and
        concerns more than this acquisition passes; a lost connection ends the run.
        """
        try:
            with about(acquisition=acquisition.acquisition_id, day=acquisition.sensing_date.isoformat()):
                yield
        except Exception as error:
            alone = isinstance(error, (RasterError, sql.DatabaseFailed))
            if isinstance(error, ServiceDown) and not self._connection.closed:
                self.note(current(self._connection, acquisition))  # recorded by the step that found it out
            if self._connection.closed or (isinstance(error, EXPLAINED) and not alone):
                raise
            reason = str(error)
            if not alone:
                log.exception("%s: unexpected", acquisition.sensing_date)
                reason = f"unexpected, see the log of the run: {one_line(repr(error))}"
            self.note(advance(self._connection, acquisition, "acquisition_failed", reason=reason))

    @contextmanager
    def lost_epochs_are_superseded(self, mine: Mine) -> Iterator[None]:
        """Supersede the epochs of `mine` whose rasters a comparison finds lost: the next run segments them again.

        The epoch that could not be compared waits for them: held against older ground it would show changes that are
        known already. It is compared as soon as the lost epochs are made again, or without them if they cannot be.
        A raster that only cannot be read for now supersedes nothing, nor does a database that fails. A lost connection
        ends the run.
        """
        try:
            yield
        except EpochsLost as lost:
            for epoch_id, reason in lost.reasons.items():
                sql.run(self._connection, "epoch_supersede", epoch_id=epoch_id, why=f"raster lost: {reason}")
            self._uncompared.setdefault(mine.mine_id, []).append(lost)
        except (RasterError, sql.DatabaseFailed) as error:
            if self._connection.closed:
                raise
            self._uncompared.setdefault(mine.mine_id, []).append(error)

    def raise_failures(self, mine: Mine) -> None:
        """Raise RunError when acquisitions failed or epochs stayed uncompared."""
        every = self.of(mine)
        failed = [one for one in every if one.state == "failed"]
        said = []
        if failed:
            said.append(
                f"{len(failed)} of {len(every)} acquisitions of {mine.slug} failed, the next run tries again: "
                f"{failed[-1].reasons[0]}"
            )
        if uncompared := self._uncompared.get(mine.mine_id):
            said.append(
                f"{len(uncompared)} epochs of {mine.slug} could not be compared, the next run tries again: "
                f"{uncompared[-1]}"
            )
        if said:
            raise RunError("; ".join(said))


class Unwatched:
    """The mines of the fleet that were not watched to the end, and whether the service is `down`.

    Then asking for every other mine would take hours and change nothing. Workers send it back and forth.
    """

    def __init__(self, down: ServiceDown | None = None) -> None:
        self.down = down
        self._slugs: dict[str, None] = {}

    def add(self, other: "Unwatched") -> None:
        """Take down what a worker found out."""
        self.down = self.down or other.down
        self._slugs |= other._slugs

    @contextmanager
    def asked_apart(self, near: Sequence[Mine], groups: list[Sequence[Mine]]) -> Iterator[None]:
        """Where mines near each other fail together, put each by itself before all other `groups`."""
        slugs = ", ".join(mine.slug for mine in near)
        try:
            yield
        except Exception as error:
            if len(near) > 1:
                get_run_logger().warning("%s: each is asked for by itself now: %s", slugs, error)
                groups[:0] = [[mine] for mine in near]
            else:
                self.note(near, error)

    @contextmanager
    def fails_alone(self, mine: Mine) -> Iterator[None]:
        """Log what stops a mine, and let the others go on; that the connection is lost concerns all of them."""
        try:
            with about(mine=mine.slug):
                yield
        except sql.DatabaseFailed as error:
            raise error
        except Exception as error:
            self.note([mine], error)

    def note_unsearched(self, near: Sequence[Mine], why: ServiceError) -> None:
        """Take down mines for which nothing was searched; it was logged by whoever found out."""
        self.down = why if isinstance(why, ServiceDown) else None
        self._slugs |= dict.fromkeys(mine.slug for mine in near)

    def note(self, mines: Sequence[Mine], error: Exception) -> None:
        """Log what stopped mines, with its traceback if it is a defect: it must show, and not stop the others.

        One that another run watches is no failure.
        """
        slugs = ", ".join(mine.slug for mine in mines)
        if isinstance(error, Busy):
            get_run_logger().warning("%s", error)
            return
        if isinstance(error, EXPLAINED):
            get_run_logger().error("%s: %s", slugs, error)
        else:
            get_run_logger().exception("%s", slugs, exc_info=error)
        self._slugs |= dict.fromkeys(mine.slug for mine in mines)

    def raise_failures(self) -> None:
        """Raise RunError when mines were not watched to the end."""
        if self._slugs:
            raise RunError(
                f"{len(self._slugs)} mines were not watched to the end: {', '.join(self._slugs)}; see the log above"
            )
