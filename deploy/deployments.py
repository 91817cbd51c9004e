"""The deployments of the flows: what runs by itself, what is run by hand, what the forms offer; and automations.

`python -m deploy.deployments` registers them at the Prefect server. Doing so again changes only what we say otherwise
than the last time: what a person has paused, edited or tagged in the UI stays. What was said is kept in the Prefect
variable `minecam_registered`.
"""

import asyncio
import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, VariableCreate, VariableUpdate, WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import EntrypointType, RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow

import sql
from deploy.automations import automate
from deploy.stack.worker import POOL
from flows import evaluate, monitor, train
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.settings import settings

MEMORY = "minecam_registered"
"""Name of the Prefect variable that holds what was registered last, as short digests."""
FLEET, MINE = "monitor/fleet", "monitor/mine"
LONGEST_LIST = 1000
"""Mines up to which the form lists them: a longer list is no help."""

Said = dict[str, Any]


def register() -> None:
    """Create work pool, limit of requests to the service, deployments and automations, or bring them up to date.

    Raises WrongUse where MINECAM_SCHEDULE is no cron expression, or never comes.
    """
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        said = _said(client)
        for flow, name in ((monitor.fleet, "fleet"), (monitor.mine, "mine"), (train.model, "model"),
                           (evaluate.experiment, "experiment")):  # fmt: skip
            _deploy(client, flow, name, said)
        _schedule(client, said)
        automate(client, said)
        _remember(client, said)


def offer_mines() -> None:
    """Bring the list of mines in the form of monitor/mine up to date; a server that is down learns of it by `up`."""
    with suppress(httpx.HTTPError, ObjectNotFound), get_client(sync_client=True) as client:
        client.read_deployment_by_name(MINE)
        said = _said(client)
        _deploy(client, monitor.mine, "mine", said)
        _remember(client, said)


def _deploy(client: SyncPrefectClient, flow: "Flow[..., Any]", name: str, said: Said) -> None:
    """Create a deployment, or change what we say otherwise of it than the last time."""
    ours = flow.to_deployment(name, work_pool_name=POOL, entrypoint_type=EntrypointType.MODULE_PATH)
    assert isinstance(ours, RunnerDeployment)
    try:
        known: DeploymentResponse | None = client.read_deployment_by_name(ours.full_name)
    except ObjectNotFound:
        known = None
        ours.apply()
    of_it = known or client.read_deployment_by_name(ours.full_name)
    before = said.get(ours.full_name, {}) if known else {}
    words = {
        "entrypoint": ours.entrypoint,
        "description": ours.description,
        "concurrency_limit": None,  # earlier versions set one; see `agenda.takes_fleet`
        "parameter_openapi_schema": _form(ours),
    }
    digests = {field: sha256(json.dumps(word).encode()).hexdigest()[:16] for field, word in words.items()}
    changed = {field: word for field, word in words.items() if digests[field] != before.get(field)}
    if of_it.work_pool_name is None:  # its pool was deleted, and it could not run
        changed["work_pool_name"] = POOL
    if changed:
        # Not by DeploymentUpdate: it would drop of the schema what it does not know.
        client.request("PATCH", "/deployments/{id}", path_params={"id": of_it.id}, json=changed)
    said[ours.full_name] = {**before, **digests}


def _form(ours: RunnerDeployment) -> dict[str, Any]:
    """Return the form of a flow: it takes no name that it does not know, and lists the mines where it asks for one."""
    form = {**ours._parameter_openapi_schema.model_dump(exclude_unset=True), "additionalProperties": False}
    if ours.full_name == MINE:
        with sql.connect(settings().database_address, role="read") as connection:
            slugs = [mine.slug for mine in registry.mines(connection)]
        if 0 < len(slugs) <= LONGEST_LIST:
            form["properties"]["mine"]["enum"] = sorted(slugs)
    return form


def _schedule(client: SyncPrefectClient, said: Said) -> None:
    """Let the fleet run when MINECAM_SCHEDULE says, if it says so otherwise than the last time."""
    cron, of_fleet = settings().schedule, said[FLEET]
    if of_fleet.get("schedule") == cron:
        return
    when = _cron(cron)
    deployment = client.read_deployment_by_name(FLEET)
    there = {str(one.id): one for one in deployment.schedules}
    ours = of_fleet.get("schedule_id") or next(iter(there), None)  # of an earlier version: it had but one
    if ours in there:
        client.update_deployment_schedule(deployment.id, there[ours].id, schedule=when)
    else:
        (made,) = client.create_deployment_schedules(
            deployment.id, [DeploymentScheduleCreate(schedule=when, active=True)]
        )
        ours = str(made.id)
    of_fleet |= {"schedule": cron, "schedule_id": ours}


def _cron(cron: str) -> CronSchedule:
    from prefect.server.schemas.schedules import CronSchedule as Computed  # half a second, and seldom needed

    try:
        asyncio.run(Computed(cron=cron, timezone="UTC").get_dates(1))
        return CronSchedule(cron=cron, timezone="UTC")
    except ValueError as error:
        raise WrongUse(
            f"MINECAM_SCHEDULE={cron} is no cron expression, or never comes: give minute, hour, day of the month, "
            "month, day of the week, such as 0 6 * * *"
        ) from error


def _said(client: SyncPrefectClient) -> Said:
    variable = client.read_variable_by_name(MEMORY)
    return dict(variable.value) if variable and isinstance(variable.value, dict) else {}


def _remember(client: SyncPrefectClient, said: Said) -> None:
    if client.read_variable_by_name(MEMORY) is None:
        client.create_variable(VariableCreate(name=MEMORY, value=said))
    else:
        client.update_variable(VariableUpdate(name=MEMORY, value=said))


if __name__ == "__main__":
    register()
