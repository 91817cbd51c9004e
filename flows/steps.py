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

import tasks.acquire
import tasks.alert
import tasks.compare
import tasks.notify
import tasks.segment
import tasks.trials
import tasks.validate
from tasks.errors import StackError

P = ParamSpec("P")
R = TypeVar("R")

SERVICE = "minecam-service"
"""Name of the Prefect global concurrency limit: how many steps of all workers ask the service at once."""


def limited(function: Callable[P, R]) -> Callable[P, R]:
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


discover = step(limited(tasks.acquire.discover), "{mine.slug}")
preview = step(limited(tasks.acquire.preview), "{mine.slug} {acquisition.sensing_date}")
download = step(limited(tasks.acquire.download), "{mine.slug} {acquisition.sensing_date}")
validate = step(tasks.validate.validate, "{mine.slug} {acquisition.sensing_date}")
revalidate = step(tasks.validate.revalidate, "{mine.slug} {acquisition.sensing_date}")
segment = step(tasks.segment.segment, "{mine.slug} {acquisition.sensing_date}")
vectorise = step(tasks.segment.vectorise, "")
store = step(tasks.segment.store, "{mine.slug} {acquisition.sensing_date}")
summarise = step(tasks.validate.summarise, "{mine.slug}")
compare = step(tasks.compare.compare, "{mine.slug} {epoch.sensing_time:%Y-%m-%d}")
withdraw = step(tasks.alert.withdraw, "{mine.slug}")
alert = step(tasks.alert.alert, "{mine.slug}")
notify = step(tasks.notify.notify, "")
stale = step(tasks.alert.stale, "")
try_out = step(tasks.trials.try_out, "{trial.name}")
