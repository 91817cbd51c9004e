#!/usr/bin/env bash
# A task loads a network once and keeps it in a global of its module, as one does for a process that lives on. One
# expects that the next task in that process finds it. Each finds the global as it was when the flow sent the task:
# a @task is an object under the name of its function, so the function cannot be pickled by name and goes by value, with
# copies of the globals it uses. A plain function that the task calls goes by name, and its functools.cache lives on.
# For a hundred scenes of mines the network is loaded a hundred times, and nothing says so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet prefect==3.8.8 fastapi==0.150.0 sqlalchemy==2.0.58

cat >"$work/segmenting.py" <<'PY'
"""Each task returns whether it had to load the network."""
from functools import cache

from prefect import task

network = None


@task
def with_global(scene: int) -> bool:
    global network
    loads, network = network is None, object()
    return loads


@cache
def loaded() -> list[int]:
    return []


@task
def with_function(scene: int) -> bool:
    loads = not loaded()
    loaded().append(scene)
    return loads
PY
cat >"$work/run.py" <<'PY'
import os
import sys

import prefect
from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner
from prefect.testing.utilities import prefect_test_harness
from segmenting import with_function, with_global


@flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
def segment(task: prefect.Task) -> list[bool]:
    return [task.submit(scene).result() for scene in range(4)]


if __name__ == "__main__":
    print(f"prefect {prefect.__version__}, one worker process, four scenes")
    with prefect_test_harness(server_startup_timeout=120):
        found = {task.name: segment(task) for task in (with_global, with_function)}
    for name, loads in found.items():
        print(f"{name}: the network was loaded for scenes {[scene for scene, load in enumerate(loads) if load]}")
    if found["with_global"] != [True] * 4:
        sys.exit("changed: a global that a task sets is kept for the next task")
    if found["with_function"] != [True, False, False, False]:
        sys.exit("changed: what a function by name has cached is not kept")
    print("as described: a task's global is new in every call, a cached function beside it is not")
PY
cd "$work"
export HOME="$work" TMPDIR="$work" PREFECT_LOGGING_LEVEL=ERROR DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false
"$work/venv/bin/python" -W ignore run.py
