"""The world of a case: the archive and the template of its databases are made once."""

import json
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import rasterio
import shapely
import uvicorn
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

import sql
from deploy import simulate
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.server import Archive
from deploy.stack.cluster import Cluster
from flows import batch, monitor
from tasks.acquire import client
from tasks.mines import registry
from tasks.suites.checkpoint import Judgement, judge
from tests.conftest import passing
from tests.final_state import State
from tests.flows.faults.injections import add_newer
from tests.flows.faults.proxy import Proxy
from tests.flows.faults.world import DAYS, QUIET, SLUG, World
from tests.tasks.brightness import MODEL, engine
from tests.tasks.grain import grained

preview = import_module("tasks.acquire.preview")
store = import_module("tasks.segment.store")
validate = import_module("tasks.validate.validate")

Judge = Callable[..., Judgement]
Worlds = Callable[[], AbstractContextManager[World]]

BRIGHT = 0.05
"""Reflectance in blue from which the model of these tests sees an excavation."""


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive: two days of one mine, which grows; the catalog calls the second day cloudy."""
    folder = tmp_path_factory.mktemp("archive")
    step = (DAYS[1] - DAYS[0]).days
    simulate.make(folder, mines=1, dates=2, size=96, start=DAYS[0], step_days=step, sentinel1=False)
    (second,) = folder.glob(f"items/sentinel-2-l2a/*{DAYS[1]:%Y%m%d}T*N0511*.json")
    item = json.loads(second.read_text())
    item["properties"]["eo:cloud_cover"] = 40.0
    second.write_text(json.dumps(item))
    with rasterio.open(folder / item["assets"]["data"]["href"], "r+") as scene:
        dug = grained(np.full((10, 25, 25), 3000, np.uint16))
        scene.write(dug, range(1, 11), window=((60, 85), (60, 85)))
    return folder


@pytest.fixture(scope="session")
def behind(archive: Path) -> Iterator[int]:
    """The port of the local archive."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Archive(archive).app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="session")
def watched(cluster: Cluster, newest: str, archive: Path) -> str:
    """The name of the database that cases copy: with the mine, which nobody misses if it is silent."""
    place = json.loads((archive / "places.geojson").read_text())["features"][0]
    name = "watched"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {newest}")  # type: ignore[call-overload]
    with sql.connect(cluster.url(name)) as connection:
        registry.publish_labels(connection)
        registry.add(connection, slug=SLUG, name="Pit", aoi=shapely.geometry.shape(place["geometry"]))
        connection.execute(QUIET)
    return name


@pytest.fixture(scope="session")
def judging() -> Judge:
    """The real judge, who judges the same figures once only: all cases end with the same, and it takes its time."""
    known: dict[str, Judgement] = {}

    def judging(**given: Any) -> Judgement:
        key = repr(given)
        if key not in known:
            known[key] = judge(**given)
        return known[key]

    return judging


@pytest.fixture(scope="session")
def worlds(cluster: Cluster, watched: str, archive: Path, behind: int, judging: Judge, short_folder: Path) -> Worlds:
    """Makes worlds, in which everything works."""

    @contextmanager
    def made() -> Iterator[World]:
        home = short_folder / f"faults-{uuid.uuid4().hex[:8]}"
        home.mkdir()
        proxy = Proxy(behind)
        url = f"http://127.0.0.1:{proxy.port}"
        with pytest.MonkeyPatch.context() as patch, passing(cluster, watched) as address, sql.connect(address) as own:
            values = {
                "HOME": home, "DATABASE_URL": address, "SH_BASE_URL": url, "SH_TOKEN_URL": f"{url}/oauth/token",
                "SH_ATTEMPTS": 2, "SH_RETRY_SECONDS": 0.01, "MAX_TRIES": 2,
            }  # fmt: skip
            for name, value in values.items():
                patch.setenv(f"MINECAM_{name}", str(value))
            for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET"):
                patch.setenv(name, LOCAL_CLIENT)
            _simplify(patch, judging)
            world = World(archive, home, own, proxy)
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                yield world
            world.repair()
            for end in reversed(world.end):
                end()
        proxy.close()

    return made


def _simplify(patch: pytest.MonkeyPatch, judging: Judge) -> None:
    """Let the network be a threshold, and pauses be short."""
    patch.setitem(sys.modules, "models.predict", engine(BRIGHT))
    for flow in (monitor, batch):
        patch.setattr(flow, "model_for", lambda *_: MODEL)
    for step in (preview, validate, store):
        patch.setattr(step, "judge", judging)
    patch.setattr(client, "USUAL_PAUSE_MS", 20)
    patch.setattr(client, "LONGEST_PAUSE_MS", 40)


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """The world of one case."""
    with worlds() as world:
        yield world


@pytest.fixture(scope="session")
def faultless(worlds: Worlds) -> Callable[[str], State]:
    """Returns what stands after a run without faults in a `plain` or `newer` world, or before one in a `new` world."""

    @cache
    def state(kind: str) -> State:
        with worlds() as world:
            if kind == "newer":
                add_newer(world)
            if kind != "new":
                assert world.fleet() == ""
                assert world.paid() == {"search": 1, "preview": 1, "process": 2}
            return world.state()

    return state
