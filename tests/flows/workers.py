"""Runs of the flow in processes of their own, against the local archive: what can be killed, or run beside one another.

`worker.py` is what runs there.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import pytest
import uvicorn
from prefect.settings import PREFECT_API_URL

import sql
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.server import TOKEN, Archive
from deploy.stack.cluster import Cluster
from tests.conftest import ROOT
from tests.final_state import State, final_state
from tests.flows.world import World, register


class Workers:
    """The program that forks the workers."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "workers.log"
        self._lock = threading.Lock()
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.worker"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value(), "TQDM_DISABLE": "1"},
        )  # fmt: skip

    def start(self, **run: object) -> int:
        """Start a run and return its process."""
        return self._answer({"log": str(self.log), **run})["process"]

    def ended(self, process: int) -> int:
        """Wait for a run and return its exit status; -9 when it was killed."""
        while (status := self._answer({"wait": process})["status"]) is None:
            time.sleep(0.02)
        return status

    def _answer(self, line: dict[str, object]) -> dict[str, Any]:
        assert self._program.stdin and self._program.stdout
        with self._lock:
            self._program.stdin.write(json.dumps(line) + "\n")
            self._program.stdin.flush()
            answer = self._program.stdout.readline()
        assert answer, self.log.read_text()
        return json.loads(answer)

    def stop(self) -> None:
        assert self._program.stdin
        self._program.stdin.close()
        self._program.wait()


@dataclass(frozen=True)
class Site:
    """A database with the mine `pit`, a home folder, and the archive that its runs ask."""

    workers: Workers
    home: Path
    database: str
    archive: str
    settings: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a run."""
        return {
            "MINECAM_HOME": str(self.home),
            "MINECAM_DATABASE_URL": self.database,
            "MINECAM_SH_BASE_URL": self.archive,
            "MINECAM_SH_TOKEN_URL": self.archive + TOKEN,
            "SH_CLIENT_ID": LOCAL_CLIENT,
            "SH_CLIENT_SECRET": LOCAL_CLIENT,
            **self.settings,
        }

    def start(self, *, start: date, end: date, mine: str | None = "pit", kill: str | None = None) -> int:
        """Start a run that kills itself where `kill` says; return its process."""
        return self.workers.start(
            mine=mine, start=str(start), end=str(end), kill=kill, trail=str(self.trail), environment=self.environment
        )

    def ended(self, process: int) -> int:
        """Wait until a run has ended, in the database too, and return its exit status."""
        status = self.workers.ended(process)
        others = "select 1 from pg_stat_activity where datname = current_database() and application_name = %s"
        with psycopg.connect(self.database, autocommit=True) as connection:
            while connection.execute(others, [str(process)]).fetchone():
                time.sleep(0.01)  # PostgreSQL notices a moment after the client has gone
        return status

    def run(self, *, start: date, end: date, mine: str | None = "pit", kill: str | None = None) -> int:
        return self.ended(self.start(start=start, end=end, mine=mine, kill=kill))

    @property
    def trail(self) -> Path:
        return self.home / "trail"

    def state(self, *aside: str, history: bool = True, rasters: str | None = None) -> State:
        with sql.connect(self.database) as connection:
            return final_state(connection, rasters or (self.home / "rasters").as_uri(), aside=aside, history=history)


@pytest.fixture(scope="package")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    workers = Workers(tmp_path_factory.mktemp("workers"))
    yield workers
    workers.stop()


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="package")
def archive(world: World) -> Iterator[str]:
    """The address of the local archive."""
    server = uvicorn.Server(uvicorn.Config(Archive(world.folder).app(), log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="package")
def sites(cluster: Cluster, newest: str, short_folder: Path, workers: Workers, archive: str) -> Iterator[object]:
    """Makes sites, each with a database of its own: of mines by slug and model, and with settings."""
    made = []

    def site(mines: Mapping[str, str | None] = MappingProxyType({"pit": None}), **settings: str) -> Site:
        name = f"site_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template {newest}")  # type: ignore[call-overload]
        made.append(name)
        home = short_folder / name
        home.mkdir()
        with sql.connect(cluster.url(name)) as connection:
            for slug, model in mines.items():
                register(connection, slug, model)
        return Site(workers, home, cluster.url(name), archive, settings)

    yield site
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for name in made:
            connection.execute(f"drop database {name} with (force)")  # type: ignore[call-overload]
