"""The whole stack as `minecam up` starts it, once for all system tests, in a home folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sql
from deploy.stack import stack

Minecam = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def embedded(short_folder: Path) -> Iterator[Path]:
    """The home folder of a running stack whose archive is empty."""
    home = short_folder / "embedded"
    given = {
        "MINECAM_HOME": str(home),
        "MINECAM_PREFECT_PORT": "4700",
        "MINECAM_ARCHIVE_PORT": "4780",
    }
    before = dict(os.environ)
    os.environ.update(given)
    for name in ("MINECAM_DATABASE_URL", "SH_CLIENT_ID", "SH_CLIENT_SECRET", "PREFECT_API_URL"):
        os.environ.pop(name, None)
    done = subprocess.run([minecam_program(), "up"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    yield home
    stack.down(print)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def minecam(embedded: Path) -> Minecam:
    """Runs the command and returns what it said."""

    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([minecam_program(), *arguments], capture_output=True, text=True, timeout=900)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def embedded_database(embedded: Path) -> Iterator[sql.Connection]:
    with sql.connect(stack.environment()["MINECAM_DATABASE_URL"]) as connection:
        yield connection


def minecam_program() -> str:
    return str(Path(sys.executable).with_name("minecam"))


def answer(done: subprocess.CompletedProcess[str]) -> object:
    return json.loads(done.stdout)
