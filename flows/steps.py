"""The steps of `tasks` as Prefect tasks: each shows in the run's timeline under the day that it works on.

Results stay in memory and are never cached by Prefect: PostGIS knows what is done.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from tasks import trials
from tasks.acquire import discover as catalog
from tasks.acquire import download as process_api
from tasks.acquire import preview as glance
from tasks.alert import alert as alerts
from tasks.alert import stale as staleness
from tasks.compare import compare as comparisons
from tasks.errors import StackError
from tasks.notify import notify as notices
from tasks.segment import segment as segmentation
from tasks.segment import store as storage
from tasks.segment import vectorise as vectors
from tasks.validate import revalidate as validation_anew
from tasks.validate import summary as found
from tasks.validate import validate as validation

P = ParamSpec("P")
R = TypeVar("R")

SERVICE = "minecam-service"
"""Name of the Prefect global concurrency limit: how many steps of all workers ask the service at once."""


def asking(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` holding one of the slots of SERVICE; a killed run's slot comes free when its lease ends."""

    @wraps(function)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with concurrency(SERVICE, strict=True):
                return function(*args, **kwargs)
        except ConcurrencySlotAcquisitionError as error:
            raise StackError(
                f"the Prefect server has no global concurrency limit '{SERVICE}': run `minecam up`, or "
                "`python -m deploy.deployments`"
            ) from error

    return within


def step(function: Callable[P, R], of: str) -> Callable[P, R]:
    """Return `function` as a task whose runs are called after it and `of`, a format over its arguments."""
    name = function.__name__
    return task(name=name, task_run_name=f"{name} {of}".strip(), cache_policy=NO_CACHE)(function)


discover = step(asking(catalog.discover), "{mine.slug}")
look = step(asking(glance.look), "{mine.slug} {acquisition[sensing_date]}")
download = step(asking(process_api.download), "{mine.slug} {acquisition[sensing_date]}")
validate = step(validation.validate, "{mine.slug} {acquisition[sensing_date]}")
revalidate = step(validation_anew.revalidate, "{mine.slug} {acquisition[sensing_date]}")
segment = step(segmentation.segment, "{mine.slug} {acquisition[sensing_date]}")
vectorise = step(vectors.vectorise, "")
store = step(storage.store, "{mine.slug} {acquisition[sensing_date]}")
findings = step(found.findings, "{mine.slug}")
compare = step(comparisons.compare, "{mine.slug} {epoch[sensing_time]:%Y-%m-%d}")
alert = step(alerts.alert, "{mine.slug}")
notify = step(notices.notify, "")
stale = step(staleness.stale, "")
try_out = step(trials.try_out, "{trial.name}")
