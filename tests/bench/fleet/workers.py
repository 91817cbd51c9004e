"""How much faster more workers watch a fleet, where the service takes its time to answer; prints JSON.

    python tests/bench/fleet/workers.py --mines 200 --workers 1 4 --latency 0.3

Each worker is a Dask worker process with a home of its own that does one thing at a time; they share PostGIS, the
Prefect server and the store of rasters. Each number of workers has a database of its own. The second of two dates is
timed: before, a worker loads what it loads once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from servers import HERE, Build, servers

from deploy import simulate
from deploy.stack.cluster import Cluster

DASK = Path(sys.executable).with_name("dask")
RUN = """
import sys, time
from datetime import date
from flows import monitor
begun = time.perf_counter()
monitor.fleet(*map(date.fromisoformat, sys.argv[1:]))
print("seconds", time.perf_counter() - begun)
"""
FIRST, SECOND = ("2026-01-01", "2026-02-10"), ("2026-02-11", "2026-12-31")


@contextmanager
def dask(root: Path, count: int, environment: dict[str, str]) -> Iterator[str]:
    """Start a scheduler and `count` workers; yield its address."""
    file = root / f"scheduler-{uuid.uuid4().hex[:8]}.json"
    given = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **environment, "PYTHONPATH": str(HERE)}
    common = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": root}
    processes = [subprocess.Popen([DASK, "scheduler", "--port", "0", *common], env=given, **quiet)]
    while not file.exists():
        time.sleep(0.1)
    for number in range(count):
        home = root / f"{file.stem}-{number}"
        home.mkdir()
        words = ["worker", "--no-nanny", "--nthreads", "1", "--resources", "download=1 segment=1", *common]
        processes.append(
            subprocess.Popen([DASK, *words], env={**given, "MINECAM_HOME": str(home)}, **quiet)
        )  # fmt: skip
    try:
        yield str(json.loads(file.read_text())["address"])
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def measured(root: Path, cluster: Cluster, shared: dict[str, str], count: int) -> dict[str, Any]:
    """Watch the fleet once with `count` workers."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    cluster.create_database(name)
    home = root / name
    home.mkdir()
    build = Build(HERE, Path(sys.executable))
    environment = {
        **shared, "MINECAM_HOME": str(home), "MINECAM_DATABASE_URL": cluster.url(name),
        "MINECAM_RASTERS": (home / "rasters").as_uri(), "MINECAM_SH_CONCURRENCY": "100", "HF_HUB_OFFLINE": "1",
        "MINECAM_LOOKBACK_DAYS": "2",
    }  # fmt: skip
    build.run("minecam", "db", "migrate", environment=environment)
    build.run("minecam", "mine", "import", str(root / "archive" / "places.geojson"), environment=environment)
    with dask(root, count, environment) as address:
        environment["MINECAM_DASK_ADDRESS"] = address
        build.run("-c", RUN, *FIRST, environment=environment)
        before = counted(cluster.url(name))
        printed = build.run("-c", RUN, *SECOND, environment=environment)
    epochs, requests = (now - then for now, then in zip(counted(cluster.url(name)), before, strict=True))
    seconds = float(printed.split("seconds")[-1])
    return {"workers": count, "seconds": seconds, "epochs": epochs, "requests": requests}


def counted(address: str) -> tuple[int, int]:
    """Return how many epochs and requests there are."""
    with psycopg.connect(address) as connection:
        (epochs,) = connection.execute("select count(*) from minecam.epoch").fetchone() or (0,)
        (requests,) = connection.execute("select coalesce(sum(requests), 0) from minecam.charge").fetchone() or (0,)
    return epochs, requests


def main() -> None:
    """Measure, and print one JSON object."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--mines", type=int, default=200)
    parse.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parse.add_argument("--latency", type=float, default=0.3, help="seconds before each answer of the archive")
    arguments = parse.parse_args()
    with tempfile.TemporaryDirectory(prefix="minecam-") as folder:
        root = Path(folder)
        simulate.make(root / "archive", mines=arguments.mines, dates=2, size=96, sentinel1=False)
        with servers(root, arguments.latency) as (cluster, shared, _):
            runs = [measured(root, cluster, shared, count) for count in arguments.workers]
    print(json.dumps({"runs": runs, "times as fast": runs[0]["seconds"] / runs[-1]["seconds"]}, indent=2))


if __name__ == "__main__":
    main()
