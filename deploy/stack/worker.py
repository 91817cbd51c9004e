"""The worker of the embedded stack, and its runs: stopped in order, they go on with the next worker.

Prefect's worker waits for its runs when it is told to stop, and killed in the end it leaves them standing as running.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Cancelled, Crashed

from deploy.stack.processes import Process
from tasks.settings import home

POOL = "minecam"
NAME = "embedded"

Say = Callable[[str], None]


def process() -> Process:
    """The worker's process."""
    return Process(home(), "worker")


def stop(say: Say) -> bool:
    """Stop the worker and its runs, and let these wait for the next worker; return whether it ran.

    A run is told to end, and killed if it does not: every step can be killed, and done again by whoever goes on.
    """
    if process().find() is None:
        return False
    begun = _begun()
    process().stop(children_too=True)
    for run in begun:
        _wait_for_the_next(run, say)
    return True


def end_orphans() -> list[str]:
    """End the runs that no worker works on any more, and return their names; call it while no worker runs.

    Prefect lets them stand as running.
    """
    with get_client(sync_client=True) as client:
        orphans = _begun_of(client)
        for run in orphans:
            client.set_flow_run_state(run.id, Crashed(message="its worker was stopped"), force=True)
    return [run.name for run in orphans]


def _begun() -> list[FlowRun]:
    """Return the runs that the worker has begun; none where the server does not answer: `up` ends them as orphans."""
    try:
        with get_client(sync_client=True) as client:
            return _begun_of(client)
    except httpx.HTTPError:
        return []


def _begun_of(client: SyncPrefectClient) -> list[FlowRun]:
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    begun = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
    found = client.read_flow_runs(work_pool_filter=ours, flow_run_filter=begun)
    return [run for run in found if run.labels.get("prefect.worker.name", NAME) == NAME]  # others may work beside it


def _wait_for_the_next(run: FlowRun, say: Say) -> None:
    try:
        with get_client(sync_client=True) as client:
            now = client.read_flow_run(run.id).state
            if now is None or now.is_completed() or now.is_failed() or now.is_cancelled():
                return  # it has come to its end meanwhile
            if run.state and run.state.is_cancelling():
                client.set_flow_run_state(run.id, Cancelled(message="it was stopped"), force=True)
                return
            waiting: State[None] = AwaitingRetry(
                scheduled_time=datetime.now(UTC), message="it was stopped, and goes on with the next worker"
            )
            client.set_flow_run_state(run.id, waiting, force=True)
    except httpx.HTTPError as error:
        say(f"worker: the run {run.name} was stopped; the Prefect server does not answer ({error})")
    else:
        say(f"worker: the run {run.name} was stopped, and goes on with the next `minecam up`")
