"""What `minecam serve` says over HTTP, with the real tipg on the real database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import sql
from deploy.cli.serve import COLLECTIONS, environment
from tasks.mines import registry

HISTORY = Path(__file__).parent.parent.parent / "sql" / "history.sql"
GEOJSON = {"accept": "application/geo+json"}
JSON = {"accept": "application/json"}


@pytest.fixture
def served(home: Path, database: sql.Connection, database_url: str) -> Iterator[str]:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from deploy.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        yield _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(20)


def _ready(address: str, process: "subprocess.Popen[bytes]") -> str:
    for _ in range(300):
        assert process.poll() is None, "it ended"
        try:
            if httpx.get(f"{address}/healthz").is_success:
                return address
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("it does not answer")


def test_it_serves_what_people_may_read(served: str) -> None:
    with httpx.Client(base_url=served, headers=JSON) as ask:
        conforms = ask.get("/conformance").raise_for_status().json()["conformsTo"]
        assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in conforms
        found = ask.get("/collections").raise_for_status().json()["collections"]
        assert sorted(one["id"] for one in found) == sorted(f"minecam.{name}" for name in COLLECTIONS)
        items = "/collections/minecam.current_segment/items"
        question = {"mine": "east-pit", "class": "excavation", "datetime": "2024-05-01T00:00:00Z/..", "limit": 100}
        page = ask.get(items, params=question, headers=GEOJSON).raise_for_status().json()
        assert page["numberMatched"] == 3 == len(page["features"])  # two epochs, one of them by two models
        first = page["features"][0]
        assert first["geometry"]["type"] == "MultiPolygon" and first["properties"]["mine"] == "east-pit"
        one = ask.get(f"{items}/{first['id']}", headers=GEOJSON).raise_for_status().json()
        assert one["properties"] == first["properties"]
        box = {"bbox": "-70,-23,-68,-21", "limit": 1}
        assert ask.get(items, params=box, headers=GEOJSON).json()["features"][0]["properties"]["mine"] == "west-pit"
        tile = ask.get("/collections/minecam.current_segment/tiles/WebMercatorQuad/12/1536/2280")
        assert tile.is_success and tile.headers["content-type"] == "application/vnd.mapbox-vector-tile" and tile.content
        pages = {"accept": "text/html"}
        assert "excavation" in ask.get(items, headers=pages).text and ask.get("/", headers=pages).is_success
        assert ask.get("/collections/minecam.rule/items").status_code == 404


@pytest.mark.parametrize(("address", "there"), [
    ("postgresql:///m?host=%2Ftmp%2Fs&user=minecam", "postgresql://minecam@%2Ftmp%2Fs/m?role=minecam_read"),
    ("postgresql://me:p%40ss@db.org:5433/m", "postgresql://me:p%40ss@db.org:5433/m?role=minecam_read"),
])  # fmt: skip
def test_every_address_is_put_as_tipg_takes_it(address: str, there: str) -> None:
    assert environment(address)["DATABASE_URL"] == there
