"""Dask as Compose and Kubernetes start it: these options are right, it is well where it is asked, and has its tags."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from distributed import Client

from deploy.stack import elsewhere
from tests.deploy.containers.test_compose import SERVICES
from tests.deploy.containers.test_kubernetes import pod

PLACES = {
    "compose": {name: SERVICES[name]["command"] for name in ("dask-scheduler", "dask-io", "dask-segment")},
    "kubernetes": {name: pod(name)["containers"][0]["args"] for name in ("dask-scheduler", "dask-io", "dask-gpu")},
}


def here(words: list[str]) -> tuple[list[str], dict[str, int]]:
    """Return a command as it can run here, with free ports of loopback for its own, and which became which."""
    ports: dict[str, int] = {}
    for word in (one.rsplit(":", 1)[-1] for one in words):
        if word.isdigit() and len(word) == 4:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports[word] = free.getsockname()[1]
    changed = []
    for word in words:
        for old, new in ports.items():
            word = word.replace(old, str(new))
        changed.append(word)
    return [str(Path(sys.executable).with_name("python")), "-m", "dask.__main__", *changed[1:]], ports


def well(port: int) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).text == "ok":
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError("it is not well")


@pytest.fixture(params=PLACES)
def scheduler(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler with two workers, each started as it is there."""
    started = []
    first, *workers = PLACES[request.param].values()
    command, ports = here(first)
    address = f"tcp://127.0.0.1:{ports['8786']}"
    try:
        started.append(subprocess.Popen(command, cwd=tmp_path, env=dict(os.environ), stderr=subprocess.DEVNULL))
        well(ports["8787"])
        for words in workers:
            command, own = here([word for word in words if not word.startswith("tcp://")])
            command.insert(command.index("worker") + 1, address)
            started.append(subprocess.Popen(command, cwd=tmp_path, env=dict(os.environ), stderr=subprocess.DEVNULL))
            well(own["8787"])
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(60)


def test_workers_join_with_their_tags(scheduler: str) -> None:
    with Client(scheduler, timeout=10) as client:
        client.wait_for_workers(2, timeout=60)
    assert elsewhere.dask(scheduler) == "2 Dask workers, of which 1 download and 1 segment"
