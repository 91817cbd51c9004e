"""What an epoch costs: `monitor/fleet` over simulated mines, here and in another checkout in turns; prints JSON.

    python tests/bench/fleet/bench.py --against ../minecam-0.1.0 --rounds 2

Archive, PostGIS and Prefect server are the same for all; each run has a database and a home of its own. `import`
and `load` (of the network) are what a run takes once; `network` is what the network takes, `else` all other seconds of
the run's process, both an epoch; `servers` are CPU seconds of Prefect server, PostGIS and archive meanwhile, an epoch.
"""

import argparse
import json
import statistics
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psycopg
from servers import HERE, Build, Server, servers

from deploy import simulate
from deploy.stack.cluster import Cluster

PROBE = Path(__file__).with_name("probe.py")
FIRST_DAY, LAST_DAY = "2026-01-01", "2026-12-31"


def once(build: Build, root: Path, cluster: Cluster, shared: dict[str, str], processes: dict[str, Server],
         arguments: argparse.Namespace) -> dict[str, Any]:  # fmt: skip
    """Watch the fleet once with `build`; return the figures an epoch."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    cluster.create_database(name)
    home = root / name
    home.mkdir()
    quiet = build.run(
        "-c", "import json; from deploy.stack.stack import QUIET; print(json.dumps(QUIET))", environment={}
    )
    environment = {**json.loads(quiet), **shared, "MINECAM_HOME": str(home), "MINECAM_DATABASE_URL": cluster.url(name)}
    build.run("minecam", "db", "migrate", environment=environment)
    build.run("minecam", "mine", "import", str(root / "archive" / "places.geojson"), environment=environment)
    build.run("-m", "deploy.deployments", environment=environment)
    before = {server: of.cpu() for server, of in processes.items()}
    profiled = arguments.profile if build.name == HERE.name else None
    printed = build.run(str(PROBE), FIRST_DAY, LAST_DAY, environment=environment, profile=profiled)
    figures = json.loads(next(line for line in printed.splitlines() if line.startswith("{")))
    with psycopg.connect(cluster.url(name)) as connection:
        (epochs,) = connection.execute("select count(*) from minecam.epoch").fetchone() or (0,)
        (alerts,) = connection.execute("select count(*) from minecam.alert").fetchone() or (0,)
        (size,) = connection.execute("select pg_database_size(current_database())").fetchone() or (0,)
    rasters = sum(file.stat().st_size for file in home.rglob("*.tif"))
    steps = figures["steps"]
    network, load = figures["network"], steps.pop("load")
    return {
        "build": build.name,
        "epochs": epochs,
        "alerts": alerts,
        "import": figures["import"],
        "network": {of: network[of] / epochs for of in ("wall", "cpu")},
        "load": {of: load[of] for of in ("wall", "cpu")},
        "else": {of: (figures["run"][of] - network[of] - load[of]) / epochs for of in ("wall", "cpu")},
        "servers": {server: (of.cpu() - before[server]) / epochs for server, of in processes.items()},
        "steps": {step: {of: of_it[of] / epochs for of in ("calls", "wall", "cpu")} for step, of_it in steps.items()},
        "peak_mb": figures["peak_mb"],
        "raster_mb": rasters / epochs / 1e6,
        "database_mb": size / 1e6,
    }


def main() -> None:
    """Measure, and print one JSON object."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--against", type=Path, help="another checkout, measured in turns with this one")
    parse.add_argument("--python", type=Path, default=Path(sys.executable), help="its interpreter (default: this one)")
    parse.add_argument("--rounds", type=int, default=1)
    parse.add_argument("--mines", type=int, default=4)
    parse.add_argument("--dates", type=int, default=10)
    parse.add_argument("--size", type=int, default=320, help="pixels a side of a scene")
    parse.add_argument("--profile", help="let py-spy, which is to be installed, write this checkout's profile there")
    arguments = parse.parse_args()
    builds = [Build(HERE, Path(sys.executable))]
    if arguments.against:
        builds.append(Build(arguments.against.absolute(), arguments.python.absolute()))
    with tempfile.TemporaryDirectory(prefix="minecam-") as folder:
        root = Path(folder)
        simulate.make(
            root / "archive", mines=arguments.mines, dates=arguments.dates, size=arguments.size, sentinel1=False
        )
        with servers(root) as (cluster, shared, processes):
            runs = [
                once(build, root, cluster, shared, processes, arguments)
                for _ in range(arguments.rounds)
                for build in builds
            ]
    found: dict[str, Any] = {"runs": runs}
    if arguments.against:
        ours, theirs = ([run for run in runs if run["build"] == build.name] for build in builds)
        found["ratio"] = {
            of: statistics.median(run["else"][of] for run in ours)
            / statistics.median(run["else"][of] for run in theirs)
            for of in ("wall", "cpu")
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
