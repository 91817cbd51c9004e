"""How far a run has come, and what becomes of faults on the way: they stop no more than they concern.

`Progress` is of acquisitions, beside `watch`; `Unwatched` of the mines of the fleet, beside `monitor`.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prefect import get_run_logger

import sql
from tasks.errors import EXPLAINED, Busy, EpochsLost, RasterError, RunError, ServiceDown, ServiceError
from tasks.mines import Mine
from tasks.records import Acquisition, advance, current
from tasks.text import one_line

log = logging.getLogger(__name__)


class Progress:
    """The acquisitions of a run as they stand now, in the order in which they came, and the epochs left uncompared."""

    def __init__(self, connection: sql.Connection, acquisitions: Iterable[Acquisition]) -> None:
        self._connection = connection
        self._standing = {one.acquisition_id: one for one in acquisitions}
        self._uncompared: list[Exception] = []

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
    def lost_epochs_are_superseded(self) -> Iterator[None]:
        """Supersede the epochs whose rasters a comparison finds lost, so that the next run segments them again.

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
            self._uncompared.append(lost)
        except (RasterError, sql.DatabaseFailed) as error:
            if self._connection.closed:
                raise
            self._uncompared.append(error)

    def raise_failures(self, mine: Mine) -> None:
        """Raise RunError when acquisitions failed or epochs stayed uncompared."""
        failed = [one for one in self._standing.values() if one.state == "failed"]
        said = []
        if failed:
            said.append(
                f"{len(failed)} of {len(self._standing)} acquisitions of {mine.slug} failed, the next run tries again: "
                f"{failed[-1].reasons[0]}"
            )
        if self._uncompared:
            said.append(
                f"{len(self._uncompared)} epochs of {mine.slug} could not be compared, the next run tries again: "
                f"{self._uncompared[-1]}"
            )
        if said:
            raise RunError("; ".join(said))


class Unwatched:
    """The mines of the fleet that were not watched to the end, and whether the service is `down`.

    Then asking for every other mine would take hours and change nothing.
    """

    def __init__(self) -> None:
        self.down: ServiceDown | None = None
        self._slugs: dict[str, None] = {}

    @contextmanager
    def asked_apart(self, near: Sequence[Mine], groups: list[list[Mine]]) -> Iterator[None]:
        """Where mines near each other fail together, put each by itself before all other `groups`."""
        slugs = ", ".join(mine.slug for mine in near)
        try:
            yield
        except Exception as error:
            if len(near) > 1:
                get_run_logger().warning("%s: each is asked for by itself now: %s", slugs, error)
                groups[:0] = [[mine] for mine in near]
            else:
                self._note(near, error)

    @contextmanager
    def fails_alone(self, mine: Mine) -> Iterator[None]:
        """Log what stops a mine, and let the others go on; one that another run watches is no failure."""
        try:
            yield
        except Busy as busy:
            get_run_logger().warning("%s", busy)
        except Exception as error:
            self._note([mine], error)

    def note_unsearched(self, near: Sequence[Mine], why: ServiceError) -> None:
        """Take down mines for which nothing was searched; it was logged by whoever found out."""
        self.down = why if isinstance(why, ServiceDown) else None
        self._slugs |= dict.fromkeys(mine.slug for mine in near)

    def raise_failures(self) -> None:
        """Raise RunError when mines were not watched to the end."""
        if self._slugs:
            raise RunError(
                f"{len(self._slugs)} mines were not watched to the end: {', '.join(self._slugs)}; see the log above"
            )

    def _note(self, mines: Sequence[Mine], error: Exception) -> None:
        """Log with its traceback what is a defect: it must show, and not stop the other mines."""
        slugs = ", ".join(mine.slug for mine in mines)
        if isinstance(error, EXPLAINED):
            get_run_logger().error("%s: %s", slugs, error)
        else:
            get_run_logger().exception("%s", slugs, exc_info=error)
        self._slugs |= dict.fromkeys(mine.slug for mine in mines)
