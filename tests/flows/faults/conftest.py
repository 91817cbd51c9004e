"""The world of a case: the archive and the template of its databases are made once."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import shapely
import uvicorn
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

import sql
from deploy.archive import simulate
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.server import Archive
from deploy.stack.cluster import Cluster
from flows import monitor
from tasks import client, registry
from tests.flows.faults.proxy import Proxy
from tests.flows.faults.world import DAYS, SLUG, World
from tests.tasks.test_epochs import MODEL

BRIGHT = 0.05
"""Reflectance in blue from which the model of these tests sees an excavation."""


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive: two days of one mine; the catalog calls the second cloudy."""
    folder = tmp_path_factory.mktemp("archive")
    step = (DAYS[1] - DAYS[0]).days
    simulate.make(folder, mines=1, dates=2, size=96, start=DAYS[0], step_days=step, sentinel1=False)
    (second,) = folder.glob(f"items/sentinel-2-l2a/*{DAYS[1]:%Y%m%d}T*N0511*.json")
    item = json.loads(second.read_text())
    item["properties"]["eo:cloud_cover"] = 40.0
    second.write_text(json.dumps(item))
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
def newest(cluster: Cluster, newest: str, archive: Path) -> str:
    """The name of the database that cases copy: the newest schema with the mine, which nobody misses if it is silent."""
    place = json.loads((archive / "places.geojson").read_text())["features"][0]
    name = "watched"
    cluster.create_database(name)
    with sql.connect(cluster.url(name)) as connection:
        sql.migrate(connection)
        registry.publish_labels(connection)
        registry.add(connection, slug=SLUG, name="Pit", aoi=shapely.geometry.shape(place["geometry"]))
        connection.execute("update rule set enabled = false where measure in ('unseen', 'silent')")
    return name


@pytest.fixture
def world(
    archive: Path, behind: int, home: Path, database: sql.Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A fresh world in which everything works."""
    engine = ModuleType("models.predict")
    engine.predict = lambda *, scene, valid, model, **_: SimpleNamespace(  # type: ignore[attr-defined]
        classes=np.where(valid, scene[0] > BRIGHT, 255).astype(np.uint8),
        confidence=np.where(valid, 90, 255).astype(np.uint8),
        footprint=np.where(valid, np.where(scene[0] > BRIGHT, 95, 10), 255).astype(np.uint8),
    )
    monkeypatch.setitem(sys.modules, "models.predict", engine)
    monkeypatch.setattr(monitor, "model_for", lambda *_: MODEL)
    monkeypatch.setattr(client, "USUAL_PAUSE_MS", 20)
    monkeypatch.setattr(client, "LONGEST_PAUSE_MS", 40)
    proxy = Proxy(behind)
    url = f"http://127.0.0.1:{proxy.port}"
    values = {
        "MINECAM_SH_BASE_URL": url, "MINECAM_SH_TOKEN_URL": f"{url}/oauth/token", "SH_CLIENT_ID": LOCAL_CLIENT,
        "SH_CLIENT_SECRET": LOCAL_CLIENT, "MINECAM_SH_ATTEMPTS": "2", "MINECAM_SH_RETRY_SECONDS": "0.01",
        "MINECAM_MAX_TRIES": "2",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    world = World(archive, home, database, proxy, monkeypatch)
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield world
    world.repair()
    for end in world.end:
        end()
    proxy.close()
