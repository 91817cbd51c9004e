"""The steps of `tasks` as Prefect tasks: each shows in the run's timeline under the day that it works on.

Results stay in memory and are never cached by Prefect: PostGIS knows what is done.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.utilities.annotations import quote

import tasks.acquire
import tasks.alert
import tasks.compare
import tasks.notify
import tasks.segment
import tasks.trials
import tasks.validate

P = ParamSpec("P")
R = TypeVar("R")


class Spent(threading.local):
    """Seconds of each step since the worker began with a batch, and how often it ran."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from here."""
        self._seconds: dict[str, list[float]] = {}

    def add(self, name: str, seconds: float) -> None:
        """Count one run of a step."""
        self._seconds.setdefault(name, []).append(seconds)

    def __str__(self) -> str:
        """Return what took how long, in one line; who follows a run is not told of it (`deploy/stack/runs.py`)."""
        return "took: " + ", ".join(
            f"{name} {len(of)} × {sum(of) / len(of):.2f} s" for name, of in self._seconds.items()
        )


spent = Spent()


class Step(Task[P, R]):
    """A task whose arguments are quoted; within another, it is a part of that one.

    A task run takes 50 ms of the worker and of the server, of which a batch of the fleet would need hundreds.
    Prefect would look through all that is in them for what earlier tasks returned, and draw each find as an arrow in
    the graph of the run, which no browser shows any more for a fleet.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task; its function gets what is given here."""
        if TaskRunContext.get():
            begun = time.perf_counter()
            try:
                return self.fn(*args, **kwargs)
            finally:
                spent.add(self.name, time.perf_counter() - begun)
        run: Any = super().__call__
        return run(*map(quote, args), **{name: quote(one) for name, one in kwargs.items()})


def step(function: Callable[P, R], of: str) -> Step[P, R]:
    """Return `function` as a task whose runs are called after it and `of`, a format over its arguments."""
    name = function.__name__
    return Step(function, name=name, task_run_name=f"{name} {of}".strip(), cache_policy=NO_CACHE)


discover = step(tasks.acquire.discover, "{mine.slug}")
preview = step(tasks.acquire.preview, "{mine.slug} {acquisition.sensing_date}")
download = step(tasks.acquire.download, "{mine.slug} {acquisition.sensing_date}")
validate = step(tasks.validate.validate, "{mine.slug} {acquisition.sensing_date}")
revalidate = step(tasks.validate.revalidate, "{mine.slug} {acquisition.sensing_date}")
segment = step(tasks.segment.segment, "")
vectorise = step(tasks.segment.vectorise, "")
store = step(tasks.segment.store, "{mine.slug} {acquisition.sensing_date}")
summarise = step(tasks.validate.summarise, "{mine.slug}")
compare = step(tasks.compare.compare, "{mine.slug} {epoch.sensing_time:%Y-%m-%d}")
withdraw = step(tasks.alert.withdraw, "{mine.slug}")
alert = step(tasks.alert.alert, "{mine.slug}")
notify = step(tasks.notify.notify, "")
stale = step(tasks.alert.stale, "")
try_out = step(tasks.trials.try_out, "{trial.name}")
