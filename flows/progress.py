"""How far the acquisitions of a run have come, and what becomes of faults on the way: they stop nothing else.

Beside `watch`, which orders the steps.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prefect import get_run_logger

import sql
from tasks.errors import EXPLAINED, EpochsLost, RasterError, RunError, ServiceDown
from tasks.mines import Mine
from tasks.records import Acquisition, advance, current
from tasks.text import one_line

log = logging.getLogger(__name__)


def log_fault(words: str, error: Exception) -> None:
    """Say what went wrong; with its traceback where it is a defect, which must show and not stop the other mines."""
    if isinstance(error, EXPLAINED):
        get_run_logger().error("%s: %s", words, error)
    else:
        get_run_logger().exception("%s", words, exc_info=error)


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
