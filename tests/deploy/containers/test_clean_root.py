"""The images as they would be: the steps of each stage run in a clean Debian, and what it starts answers there."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.containers.clean_root import build, in_root
from tests.deploy.containers.dockerfile import stages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("mmdebstrap") is None, reason="needs root and mmdebstrap (apt-get install)"
    ),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where root file systems are made; MINECAM_CLEAN_ROOT keeps them for the next time."""
    kept = os.environ.get("MINECAM_CLEAN_ROOT")
    place = Path(kept or tempfile.mkdtemp(prefix="minecam-root-"))
    place.mkdir(exist_ok=True)
    yield place
    if not kept:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def started(root: Path, name: str, *mounts: str, **variables: str) -> Iterator[None]:
    """What the image runs by itself, as its user; it is well, as the image itself asks, before the block begins."""
    image = stages()[name]
    environment, user = {**image.environment, **variables}, image.last("USER") or ""
    process = in_root(root, image.command, environment, user=user, folder="/var/lib/minecam", mounts=mounts)
    try:
        for _ in range(60):
            assert process.poll() is None, process.stdout and process.stdout.read()[-3000:]
            if not in_root(root, image.health, environment, user=user).wait(30):
                break
            time.sleep(2)
        else:
            raise AssertionError("it is not well")
        yield
    finally:
        process.terminate()
        process.wait(30)


def said(root: Path, name: str, command: list[str], *mounts: str, **variables: str) -> str:
    """What a command in the image says, run as its user; it must end well."""
    image = stages()[name]
    environment, user = {**image.environment, **variables}, image.last("USER") or ""
    done = in_root(root, command, environment, user=user, folder="/var/lib/minecam", mounts=mounts)
    text = done.communicate()[0]
    assert done.returncode == 0, text
    return text


def socket_of(address: str) -> str:
    """The folder of the database's socket."""
    found = re.search(r"host=([^&]+)", address)
    assert found
    return found[1].replace("%2F", "/")


def test_the_server_answers(folder: Path) -> None:
    root = build("server", folder)
    with started(root, "server"):
        ask = "import urllib.request as get; print(get.urlopen('http://127.0.0.1:4200/').read().decode())"
        assert "<html" in said(root, "server", ["python", "-c", ask])
    installed = said(root, "server", ["ls", "/opt/minecam/lib/python3.11/site-packages"])
    assert "torch" not in installed and "minecam" not in installed


def test_the_web_application_answers_and_migrates(folder: Path, empty: str) -> None:
    root = build("web", folder)
    place = socket_of(empty)
    assert "0001_schema" in said(root, "web", ["minecam", "db", "migrate"], place, MINECAM_DATABASE_URL=empty)
    with started(root, "web", place, MINECAM_DATABASE_URL=empty):
        ask = "import urllib.request as get; print(get.urlopen('http://127.0.0.1:8010/metrics').read().decode())"
        assert "minecam_mines 0.0" in said(root, "web", ["python", "-c", ask])


def test_the_worker_registers_and_waits_for_runs(folder: Path, database_url: str) -> None:
    server, worker = build("server", folder), build("worker-cpu", folder)
    place = socket_of(database_url)
    given = {"PREFECT_API_URL": "http://127.0.0.1:4200/api", "MINECAM_DATABASE_URL": database_url}
    with started(server, "server"):
        said(worker, "worker-cpu", ["python", "-m", "deploy.deployments"], place, **given)
        with started(worker, "worker-cpu", place, **given):
            pools = said(worker, "worker-cpu", ["prefect", "work-pool", "ls"], place, **given)
        assert "minecam" in pools
    model = "from models import zoo; print(zoo.load('s2-rgb-mines', device='cpu').name)"
    assert "s2-rgb-mines" in said(worker, "worker-cpu", ["python", "-c", model])
