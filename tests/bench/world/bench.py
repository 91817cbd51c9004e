"""The benchmark of the database, run by `make bench-sql`: README.md says what is measured and how to read it.

Fills two databases, a small world and the whole one, asks the same questions of both, and loads and asks the same
segments by other means: `GeoDataFrame.to_postgis`, and GeoParquet read with DuckDB. Then simulated mines with a hundred
segments an epoch are asked, beside an older schema where one is given. Writes one JSON file.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from copying import multipolygons
from load import load
from questions import ask
from simulated import load as write
from simulated import simulated
from turns import in_turns
from world import CLASSES, World

import sql
from deploy.stack.cluster import Cluster
from tasks.mines import registry

ROOT = Path(__file__).parents[3]
REGISTRY = Path(os.environ.get("MINECAM_SHARED_DATA", ROOT.parent / "shared" / "data")) / "registry"
GEO = {"version": "1.1.0", "primary_column": "geometry",
       "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["MultiPolygon"]}}}  # fmt: skip
"""What makes a Parquet file a GeoParquet file; longitude and latitude are its default."""

OTHERWISE = 100_000
"""Segments that are loaded by `to_postgis`."""


def main() -> None:
    """Run the benchmark with the arguments of the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--mines", type=int, default=44_929)
    words.add_argument("--small", type=int, default=2_240, help="mines of the small world: a million segments")
    words.add_argument("--times", type=int, default=100, help="mines of which a question is asked")
    words.add_argument("--only", choices=["world", "mine"], help="leave the simulated mines out, or ask them alone")
    words.add_argument("--simulated", type=int, default=6, help="simulated mines")
    words.add_argument(
        "--before", type=Path, metavar="MIGRATIONS", help="migrations of an older schema, asked in turns"
    )
    words.add_argument("--folder", type=Path, help="where the databases lie, 50 GB for the whole world; else in /tmp")
    words.add_argument("--out", type=Path, default=ROOT / ".bench" / "sql.json")
    given = words.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="minecam-world-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the user postgres must be able to enter
    cluster = Cluster(folder / "cluster")
    cluster.start()
    found: dict[str, Any] = {"machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"}
    try:
        if given.only != "mine":
            found |= _world(cluster, given, folder)
        if given.only != "world":
            found["simulated"] = _simulated(cluster, given)
    finally:
        cluster.stop()
        if not given.folder:
            shutil.rmtree(folder, ignore_errors=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1))


def _world(cluster: Cluster, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, mines in (("small", given.small), ("world", given.mines)):
        world = World(REGISTRY, mines)
        address = _fresh(cluster, name)
        found[name] = {"load": load(address, world, lambda said, name=name: _say(f"{name}: {said}"))}
        found[name]["questions"] = ask(
            address, mines=mines, segments=found[name]["load"]["segments"], times=given.times
        )
        with psycopg.connect(address) as connection:
            found[name]["gigabytes"] = round(_one(connection, "select pg_database_size(current_database())") / 1e9, 1)
        _table(name, found)
    found["to_postgis"] = _to_postgis(cluster, World(REGISTRY, given.mines))
    found["duckdb"] = _duckdb(folder / "parquet", cluster.url("world"), World(REGISTRY, given.mines), given.times)
    _say(json.dumps({name: found[name] for name in ("to_postgis", "duckdb")}))
    return found


def _simulated(cluster: Cluster, given: argparse.Namespace) -> dict[str, Any]:
    mines = list(simulated(given.simulated))
    segments = [len(epoch.segments) for mine in mines for epoch in mine.epochs]
    _say(f"{len(mines)} simulated mines: {len(segments)} epochs of {np.mean(segments):.0f} segments in the mean")
    addresses = {"before": _fresh(cluster, "before", given.before)} if given.before else {}
    addresses["now"] = _fresh(cluster, "now")
    for address in addresses.values():
        write(address, mines)
    return {
        "mines": {mine.slug: [len(epoch.segments) for epoch in mine.epochs] for mine in mines},
        "questions": in_turns(addresses, [mine.slug for mine in mines], _say),
    }


def _say(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def _fresh(cluster: Cluster, name: str, migrations: Path | None = None) -> str:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")  # type: ignore[call-overload]
    cluster.create_database(name)
    with sql.connect(cluster.url(name)) as connection:
        if migrations:
            sql.run(connection, "migration_table")
            for file in sorted(migrations.glob("*.sql")):
                with connection.transaction():
                    connection.execute(file.read_text())  # type: ignore[call-overload]
            sql.run(connection, "database_settings")
        else:
            sql.migrate(connection)
        registry.publish_labels(connection)
    return cluster.url(name)


def _one(connection: psycopg.Connection[Any], statement: str) -> Any:
    return connection.execute(statement).fetchone()[0]  # type: ignore[call-overload,index]


def _table(name: str, found: dict[str, Any]) -> None:
    before = found["small"]["questions"]
    for question, took in found[name]["questions"].items():
        times = took["p50_ms"] / before[question]["p50_ms"] if before[question]["p50_ms"] else 0
        whole = f", reads {', '.join(took['read_whole'])} whole" if took["read_whole"] else ""
        _say(f"{name}: {question:32} p50 {took['p50_ms']:8.1f} ms, p95 {took['p95_ms']:8.1f} ms, × {times:.1f}{whole}")


def _to_postgis(cluster: Cluster, world: World) -> dict[str, Any]:
    from sqlalchemy import create_engine

    address = _fresh(cluster, "otherwise").replace("postgresql:", "postgresql+psycopg:")
    day = world.day(0, 1)
    outlines = shapely.from_wkb(multipolygons(day.rings.reshape(-1, *day.rings.shape[2:])).tolist())
    count = min(OTHERWISE, len(outlines))
    frame = gpd.GeoDataFrame(
        {
            "epoch_id": np.repeat(day.epochs, len(CLASSES))[:count],
            "class_id": np.tile(CLASSES, len(day.epochs))[:count],
            "hectares": day.hectares.ravel()[:count],
        },
        geometry=outlines[:count], crs="EPSG:4326",
    )  # fmt: skip
    begun = time.perf_counter()
    with create_engine(address).begin() as connection:
        frame.to_postgis("segment_otherwise", connection, index=False)
    took = time.perf_counter() - begun
    return {"segments": count, "seconds": round(took, 2), "segments_per_s": round(count / took)}


def _duckdb(folder: Path, address: str, world: World, times: int) -> dict[str, Any]:
    import duckdb

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun = time.perf_counter()
    for number, day in enumerate(world.days()):
        outlines = multipolygons(day.rings.reshape(-1, *day.rings.shape[2:]))
        pq.write_table(
            pa.table({
                "mine_id": np.repeat(day.mines, len(CLASSES)), "class_id": np.tile(CLASSES, len(day.mines)),
                "sensing_time": np.full(day.hectares.size, day.time).astype("datetime64[us]"),
                "hectares": day.hectares.ravel().astype(np.float32),
                "geometry": pa.array(outlines.tolist(), pa.binary()),
            }).replace_schema_metadata({"geo": json.dumps(GEO)}),
            folder / f"{number:03}.parquet",
        )  # fmt: skip
    wrote = time.perf_counter() - begun
    asked = "select sensing_time, hectares, {} from {} where {} and class_id = 1 order by sensing_time"
    theirs, ours = duckdb.connect(), psycopg.connect(address, autocommit=True)
    took: dict[str, list[float]] = {"duckdb": [], "postgis": []}
    for mine in np.random.default_rng(0).integers(len(world.at), size=min(times, 20)) + 1:
        for name, run, statement in (
            ("duckdb", theirs, asked.format("geometry", f"'{folder}/*.parquet'", f"mine_id = {mine}")),
            ("postgis", ours, asked.format("geom", "minecam.segment join minecam.epoch using (epoch_id, sensing_time)",
                                           f"epoch.mine_id = {mine}")),
        ):  # fmt: skip
            run.execute(statement).fetchall()  # type: ignore[attr-defined]
            begun = time.perf_counter()
            run.execute(statement).fetchall()  # type: ignore[attr-defined]
            took[name].append(1000 * (time.perf_counter() - begun))
    return {
        "wrote_s": round(wrote, 1),
        **{f"{name}_p50_ms": round(float(np.median(of)), 1) for name, of in took.items()},
    }


if __name__ == "__main__":
    main()
