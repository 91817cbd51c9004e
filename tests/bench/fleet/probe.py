"""Runs `monitor/fleet` once in this process and prints as JSON what it cost: whole, by step, and of the network.

Works in any checkout of MineCam since 0.1.0, which is why it wraps from outside what it measures.
"""

import json
import logging
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

began = time.process_time(), time.perf_counter()

import great_expectations  # noqa: E402,F401
import prefect  # noqa: E402

import models.predict  # noqa: E402  what is imported here is the start of a run
from flows import monitor, steps  # noqa: E402

spent: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
lock = threading.Lock()


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` adding to `spent`: calls, wall seconds, CPU seconds of its thread."""

    @wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            with lock:
                of = spent[name]
                of[0] += 1
                of[1] += time.perf_counter() - wall
                of[2] += time.thread_time() - cpu

    return within


calls: list[tuple[Callable[..., Any], Any]] = []


def noted(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return `run`, the network, noting what it is called with: other threads work beside it, so it is timed later."""

    @wraps(run)
    def within(batch: Any) -> Any:
        calls.append((run, batch.clone()))
        return run(batch)

    return within


def network() -> dict[str, float]:
    """Return what the noted calls take with nothing beside them."""
    wall, cpu = time.perf_counter(), time.process_time()
    with models.predict.torch.inference_mode():
        for run, batch in calls:
            run(batch)
    return {"calls": len(calls), "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


for name, one in vars(steps).items():
    if isinstance(one, prefect.Task):
        one.fn = timed(name, one.fn)
load = models.zoo.load
models.zoo.load = timed("load", load)
forward = models.predict.forward
models.predict.forward = lambda model, runtime="auto": noted(forward(model, runtime))
logging.getLogger("prefect").setLevel("ERROR")
imported = time.process_time() - began[0], time.perf_counter() - began[1]
start = time.process_time(), time.perf_counter()
monitor.fleet(date.fromisoformat(sys.argv[1]), date.fromisoformat(sys.argv[2]))
ran = {"cpu": time.process_time() - start[0], "wall": time.perf_counter() - start[1]}
found = {
    "import": {"cpu": imported[0], "wall": imported[1]},
    "run": ran,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "network": network(),
    "steps": {name: dict(zip(("calls", "wall", "cpu"), of, strict=True)) for name, of in spent.items()},
}
print(json.dumps(found))
