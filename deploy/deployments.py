"""The deployments of the flows: what runs by itself, what is run by hand, and how many at once.

`python -m deploy.deployments` registers them at the Prefect server; doing so again updates them.
"""

from contextlib import suppress

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType
from prefect.exceptions import ObjectAlreadyExists
from prefect.schedules import Cron
from prefect.states import Crashed

from flows import evaluate, monitor, train
from flows.steps import SERVICE
from tasks.settings import settings

POOL = "minecam"


def register() -> None:
    """Create or update the work pool, the limit of requests to the service, and every deployment."""
    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        client.upsert_global_concurrency_limit_by_name(SERVICE, settings().sh_concurrency)
    # A scheduled run that is due while the last one still works would only find every mine taken.
    one = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    fleet = monitor.fleet.to_deployment(
        "fleet",
        schedule=Cron(settings().schedule, timezone="UTC"),
        concurrency_limit=one,
        work_pool_name=POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    mine = monitor.mine.to_deployment("mine", work_pool_name=POOL, entrypoint_type=EntrypointType.MODULE_PATH)
    model = train.model.to_deployment("model", work_pool_name=POOL, entrypoint_type=EntrypointType.MODULE_PATH)
    experiment = evaluate.experiment.to_deployment(
        "experiment", work_pool_name=POOL, entrypoint_type=EntrypointType.MODULE_PATH
    )
    for deployment in (fleet, mine, model, experiment):
        deployment.apply()  # type: ignore[union-attr]


def end_orphans() -> list[str]:
    """End the runs that no worker works on any more, and return their names; call it while no worker runs.

    Prefect lets them stand as running, and a deployment with a concurrency limit then never runs again.
    """
    ours = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    begun = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
    with get_client(sync_client=True) as client:
        orphans = client.read_flow_runs(work_pool_filter=ours, flow_run_filter=begun)
        for run in orphans:
            client.set_flow_run_state(run.id, Crashed(message="its worker was stopped"), force=True)
    return [run.name for run in orphans]


if __name__ == "__main__":
    register()
