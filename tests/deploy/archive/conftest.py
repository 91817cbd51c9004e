"""A small archive of simulated scenes, served as users are served: over HTTP, with a token."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from deploy import simulate
from deploy.archive.access import LOCAL_CLIENT, Gateway
from deploy.archive.server import CATALOG, PROCESS, TOKEN, Archive


@dataclass
class Service:
    """The running archive and how to speak to it as the documentation does."""

    url: str
    folder: Path
    gateway: Gateway

    def token(self, secret: str = LOCAL_CLIENT) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": LOCAL_CLIENT, "client_secret": secret}
        return httpx.post(self.url + TOKEN, data=form)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.token().json()['access_token']}"}
        return httpx.post(self.url + path, json=body, headers={**bearer, **headers}, timeout=90)

    def search(self, **body: Any) -> httpx.Response:
        given = {"collections": ["sentinel-2-l2a"], "datetime": "2026-01-01T00:00:00Z/2026-12-31T23:59:59Z"}
        return self.post(f"{CATALOG}/search", {**given, **body})

    def process(self, body: Any, **headers: str) -> httpx.Response:
        return self.post(PROCESS, body, **headers)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("archive")
    simulate.make(folder, mines=1, dates=4, size=96)
    gateway = Gateway()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Archive(folder, gateway).app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Service(f"http://127.0.0.1:{listener.getsockname()[1]}", folder, gateway)
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def service(served: Service) -> Iterator[Service]:
    """The running archive, its gateway as it was at first."""
    yield served
    served.gateway.faults.clear()
    served.gateway.requests_per_minute = served.gateway.processing_units = None
    served.gateway.spent = served.gateway.latency = 0.0
