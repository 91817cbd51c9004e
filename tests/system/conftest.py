"""The whole stack as `minecam up` starts it, once for all system tests, in a home folder of its own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sql
from tests.system.stack_of_tests import Stack

Minecam = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def embedded(short_folder: Path) -> Iterator[Stack]:
    """A running stack whose archive is empty."""
    stack = Stack(short_folder / "embedded")
    stack.minecam("up")
    yield stack
    stack.minecam("down")


@pytest.fixture
def minecam(embedded: Stack) -> Minecam:
    """Runs the command against the stack and returns what it said."""
    return embedded.minecam


@pytest.fixture
def embedded_database(embedded: Stack) -> Iterator[sql.Connection]:
    with sql.connect(embedded.variables["MINECAM_DATABASE_URL"]) as connection:
        yield connection
