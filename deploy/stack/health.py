"""Whether all is well: when the mines were watched last, when they will be next, and what is missing for it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import httpx

import sql
from deploy.stack import elsewhere, stack
from tasks.acquire import Session, service
from tasks.errors import EXPLAINED, StackError
from tasks.settings import home, settings

LEAST_FREE_GB = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    subject: str
    fine: bool
    words: str


def runs() -> dict[str, str | None]:
    """Return in words the latest run that ended, and the next scheduled one, of monitor/fleet; None: there is none."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName, FlowRunFilter
    from prefect.client.schemas.sorting import FlowRunSort

    unknown: dict[str, str | None] = {"last run": None, "next run": None}
    if "PREFECT_API_URL" not in os.environ:
        return unknown
    fleet = DeploymentFilter(name=DeploymentFilterName(any_=["fleet"]))
    # One that was cancelled says nothing: a scheduled run does so while another is at work.
    ended = FlowRunFilter.model_validate({"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}})
    waiting = FlowRunFilter.model_validate({"state": {"type": {"any_": ["SCHEDULED"]}}})
    try:
        with get_client(sync_client=True) as client:
            last = client.read_flow_runs(
                deployment_filter=fleet, flow_run_filter=ended, sort=FlowRunSort.END_TIME_DESC, limit=1
            )
            coming = client.read_flow_runs(
                deployment_filter=fleet, flow_run_filter=waiting, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=1
            )
    except httpx.HTTPError:  # it is down, which `status` says beside this
        return unknown
    return {
        "last run": f"{last[0].end_time:%Y-%m-%d %H:%M} UTC, {last[0].state_name}" if last else None,
        "next run": f"{coming[0].expected_start_time:%Y-%m-%d %H:%M} UTC" if coming else None,
    }


def examine() -> list[Finding]:
    """Examine everything that watching needs."""
    return [
        _found("postgis", _database),
        _found("prefect", _schedule),
        *([_found("dask", lambda: elsewhere.dask(str(settings().dask_address)))] if settings().dask_address else []),
        *([_found("store", lambda: elsewhere.store(settings().raster_root))] if _in_a_store() else []),
        _found("sentinel hub", _service),
        _found("model", _model),
        _found("alerts", _deliveries),
        _found("disk", _disk),
    ]


def _found(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except EXPLAINED as error:
        return Finding(subject, False, str(error))


def _in_a_store() -> bool:
    return settings().raster_root.startswith("s3://")


def _database() -> str:
    with sql.connect(settings().database_address, role="read") as connection:
        row = sql.run_one(connection, "database_version")
    assert row is not None
    return f"PostGIS {row['postgis']}, schema {row['schema_version']}, {row['mines']} mines"


def _schedule() -> str:
    down = [name for name, state in stack.status().items() if state == "down"]
    if down:
        raise StackError(f"{', '.join(down)} down: run `minecam up`")
    if stack.status()["worker"] == "elsewhere":
        elsewhere.pool()
    known = runs()
    if known["next run"] is None:
        raise StackError(
            "no run of monitor/fleet is scheduled: see in the Prefect UI whether it or its schedule is paused or gone; "
            "`minecam up` leaves that as it is"
        )
    if known["last run"] and not known["last run"].endswith("Completed"):
        raise StackError(f"the last run of monitor/fleet, {known['last run']}: see why in the UI, then `minecam run`")
    return f"next run {known['next run']}"


def _service() -> str:
    config = service.configuration(settings())
    service.ask(config, lambda: Session(config).token)
    return f"{config.sh_base_url} accepts the credentials"


def _model() -> str:
    from models import zoo

    model = zoo.load(settings().model, device=settings().device)
    return f"{model.name} {model.version} for {model.sensor_set.name} on {model.device}"


def _deliveries() -> str:
    with sql.connect(settings().database_address, role="read") as connection:
        rows = sql.run(connection, "delivery_problems")
    if rows:
        said = "; ".join(f"'{row['block']}' lacks {row['events']} events of alerts ({row['problem']})" for row in rows)
        raise StackError(f"{said}: check these notification blocks, the next run tries again")
    return "everybody has been told"


def _disk() -> str:
    there = next(folder for folder in (home(), *home().parents) if folder.is_dir())  # the home may be yet to come
    free = shutil.disk_usage(there).free / 1e9
    if free < LEAST_FREE_GB:
        raise StackError(f"only {free:.1f} GB are free at {home()}: make room, or set MINECAM_HOME")
    return f"{free:.0f} GB free at {home()}"
