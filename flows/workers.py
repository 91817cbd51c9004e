"""The workers that watch the fleet: those of a Dask cluster, or of one on this machine that lasts as long as the run.

Each says what it may do: `download` (asks the service) and `segment` (has a network, and a GPU if there is one). A
batch is acquired by the former and watched by the latter, so that nobody holds a GPU who waits for the service. That a
worker or a server is gone ends in words; what is done stands in PostGIS, so that nothing else has to.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flows.batch import Batch, acquire_batch, watch_batch
from flows.progress import Unwatched
from flows.steps import step
from tasks.errors import StackError
from tasks.settings import settings
from tasks.text import one_line

if TYPE_CHECKING:
    from prefect_dask import DaskTaskRunner

DOWNLOAD, SEGMENT = "download", "segment"
PATIENCE = 60.0
"""Seconds for which a run waits for a worker that may do what is left: one may just start anew."""
LOOPBACK = "127.0.0.1"
CONNECTING = 10.0
"""Seconds within which a scheduler answers."""

acquire_step = step(acquire_batch, "{batch}")
watch_step = step(watch_batch, "{batch}")


@contextmanager
def workers() -> Iterator["Crew"]:
    """Yield the workers of MINECAM_DASK_ADDRESS, or those of this machine.

    Raises StackError where the scheduler does not answer, no worker may do what is needed, or one has another MineCam.
    """
    import dask  # here: half a second, and a run of one mine needs none of it
    import distributed
    from prefect_dask import DaskTaskRunner

    given = settings()
    local = {
        "n_workers": given.workers, "threads_per_worker": 2, "processes": given.workers > 1,
        "resources": {DOWNLOAD: 1, SEGMENT: 1}, "host": LOOPBACK if given.workers > 1 else None,
        "dashboard_address": f"{LOOPBACK}:0", "worker_dashboard_address": f"{LOOPBACK}:0",
    }  # fmt: skip
    at = {"address": given.dask_address} if given.dask_address else {"cluster_kwargs": local}
    # A worker that dies of its batch takes no more than one other with it; a profile that nobody reads costs a tenth.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1, "distributed.worker.profile.enabled": False}):
        try:
            runner = DaskTaskRunner(**at, client_kwargs={"timeout": CONNECTING})
            with runner:
                yield Crew(runner)
        except (OSError, TimeoutError, distributed.comm.CommClosedError, distributed.CancelledError) as error:
            if not given.dask_address:
                raise
            raise StackError(
                f"the Dask scheduler at {given.dask_address} does not answer ({one_line(error)}): start it, or check "
                "MINECAM_DASK_ADDRESS; the next run goes on"
            ) from error


class Crew:
    """The workers, and the batches that they have before them."""

    def __init__(self, runner: "DaskTaskRunner") -> None:
        self._runner = runner
        self._may(DOWNLOAD)
        self._may(SEGMENT)
        self._same_version()

    def carry(self, batches: Sequence[Batch], unwatched: Unwatched) -> Iterator[tuple[Batch, Unwatched]]:
        """Have `batches` acquired and watched, and yield each with what was not watched of it, as it ends.

        No more are given out than keep all workers busy: so the later ones know whether the service is down.
        """
        import distributed

        left, running = deque(batches), dict[Any, Batch]()
        while left or running:
            room = 2 * max(self._may(SEGMENT), self._may(DOWNLOAD))
            while left and len(running) < room:
                batch = left.popleft()
                running[self._give_out(batch, unwatched.down)] = batch
            try:
                with self._runner.client.as_current():
                    done, _ = distributed.wait(list(running), timeout=CONNECTING, return_when="FIRST_COMPLETED")
            except TimeoutError:
                continue
            for future in done:
                batch = running.pop(future)
                yield batch, self._outcome(batch, future)

    def _give_out(self, batch: Batch, down: Any) -> Any:
        """Return the future of a batch that is watched."""
        import dask

        with dask.annotate(resources={DOWNLOAD: 1}):
            acquired = self._runner.submit(acquire_step, {"batch": batch, "unwatched": Unwatched(down)})
        with dask.annotate(resources={SEGMENT: 1}):
            return self._runner.submit(watch_step, {"batch": batch, "acquired": acquired}).wrapped_future

    def _outcome(self, batch: Batch, future: Any) -> Unwatched:
        try:
            state = future.result()
            return state.result()
        except Exception as error:
            unwatched = Unwatched()
            unwatched.note([mine for near in batch.neighbourhoods for mine in near], error)
            return unwatched

    def _may(self, what: str) -> int:
        """Return how many steps of that kind the workers do at once; raises StackError when none does in a while."""
        deadline = time.monotonic() + PATIENCE
        while not (slots := sum(int(one["resources"].get(what, 0)) for one in self._workers().values())):
            if time.monotonic() > deadline:
                raise StackError(
                    f'no Dask worker may {what}: start one with `dask worker ADDRESS --resources "{what}=1"`'
                )
            time.sleep(1)
        return slots

    def _workers(self) -> dict[str, Any]:
        return dict(self._runner.client.scheduler_info(n_workers=-1)["workers"])

    def _same_version(self) -> None:
        ours = version("minecam")
        others = {at: found for at, found in self._runner.client.run(version, "minecam").items() if found != ours}
        if others:
            raise StackError(
                f"Dask workers have another MineCam than this run ({ours}): "
                f"{', '.join(f'{at} {found}' for at, found in sorted(others.items()))}; start them anew with this one"
            )
