"""Starts runs of deployments and follows them: what the Prefect UI does by hand, for the command line."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import LogSort
from prefect.exceptions import ObjectNotFound

from deploy.stack.processes import Process
from tasks.errors import RunError, StackError
from tasks.settings import home

UNSAID = (
    "Beginning", "Finished", "Downloading flow code",
    "Encountered exception during execution", "Engine execution exited", "took: ",
)  # fmt: skip
"""How the lines of Prefect begin that say nothing to the caller; why a run failed is said at its end, in one line."""

OURS = ("prefect.flow_runs", "prefect.task_runs")
"""The loggers of a run, and of the batches of the fleet."""

PATIENCE = 90
"""Seconds after which a run that no worker has begun is reported."""

GRACE = 20
"""Seconds for which the worker may be away: `minecam up` with new settings starts it anew."""


def follow(deployment: str, parameters: dict[str, Any], say: Callable[[str], None]) -> None:
    """Start a run of `deployment` and say what it logs until it ends; raises RunError unless it completes."""
    given = {name: value.isoformat() if isinstance(value, date) else value for name, value in parameters.items()}
    try:
        with get_client(sync_client=True) as client:
            identity = client.read_deployment_by_name(deployment).id
            run = client.create_flow_run_from_deployment(identity, parameters=given)
            run = _until_the_end(client, run, say)
    except ObjectNotFound as error:
        raise StackError(f"the deployment {deployment} is not registered: run `minecam up`") from error
    except httpx.HTTPStatusError as error:
        reason = " ".join(error.response.text.split())[:300] or error.response.reason_phrase
        raise StackError(f"the Prefect server refuses the run: {reason}") from error
    except httpx.HTTPError as error:
        raise StackError(f"the Prefect server does not answer ({error}): run `minecam up`") from error
    if run.state is None or not run.state.is_completed():
        words = run.state.message if run.state else None
        raise RunError(f"the run {run.name} ended as {run.state_name}: {words or 'see the Prefect UI'}")


def _until_the_end(client: SyncPrefectClient, run: FlowRun, say: Callable[[str], None]) -> FlowRun:
    heard, deadline = 0, time.monotonic() + PATIENCE
    worker = Process(home(), "worker")
    ours = worker.find() is not None  # otherwise it works elsewhere, where it cannot be looked at
    there = time.monotonic()
    while True:
        run = client.read_flow_run(run.id)
        heard = _repeat_log(client, run.id, heard, say)
        if run.state and run.state.is_final():
            time.sleep(1)  # the last lines of the log arrive after the state
            _repeat_log(client, run.id, heard, say)
            return run
        if worker.find() is not None:
            there = time.monotonic()
        elif ours and time.monotonic() - there > GRACE:
            raise StackError("the worker is gone: run `minecam up`, the next run goes on")
        if run.start_time is None and time.monotonic() > deadline:
            raise StackError(f"no worker begins the run {run.name}: see `minecam status`, or start one (`minecam up`)")
        time.sleep(0.5)


def _repeat_log(client: SyncPrefectClient, run: UUID, heard: int, say: Callable[[str], None]) -> int:
    """Say what the run logged since the `heard` first lines; what the steps of `tasks` say is left to the UI."""
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    logs = client.read_logs(of_run, offset=heard, limit=200, sort=LogSort.TIMESTAMP_ASC)
    for log in logs:
        if log.name in OURS and log.level >= 20 and not log.message.startswith(UNSAID):
            say(log.message)
    return heard + len(logs)
