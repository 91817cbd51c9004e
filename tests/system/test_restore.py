"""A back-up and what is made of it on a new machine, by the very lines of the runbook in deploy/README.md."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import sql
from deploy import simulate
from tests.system.stack_of_tests import Stack

README = (Path(__file__).parent.parent.parent / "deploy" / "README.md").read_text()
TABLES = ("mine", "acquisition", "epoch", "segment", "class_area", "comparison", "change", "alert", "alert_event")

pytestmark = pytest.mark.slow


@pytest.fixture
def stack(short_folder: Path) -> Iterator[Stack]:
    """A stack with one mine, watched for the first of its two days."""
    stack = Stack(short_folder / "restored")
    simulate.make(stack.home / "archive", mines=1, dates=2, size=96, sentinel1=False)
    try:
        stack.minecam("up")
        stack.minecam("mine", "import", str(stack.home / "archive" / "places.geojson"))
        stack.minecam("run", "--from", "2026-01-01", "--to", "2026-01-31")
        yield stack
    finally:
        stack.minecam("down")


def runbook(title: str, folder: Path, stack: Stack) -> None:
    """Run the lines below `title` in the README, in a shell, with the folder of the back-up."""
    [lines] = re.findall(rf"^\*\*{title}.*?\n\n((?:    .+\n)+)", README, re.MULTILINE)
    done = subprocess.run(
        ["bash", "-euc", lines], env={**stack.environment, "BACKUP": str(folder), "PATH": path(stack)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def path(stack: Stack) -> str:
    [programs] = {str(Path(line).parent) for line in map(str, Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))}
    venv = Path(__file__).parent.parent.parent / ".venv" / "bin"
    return f"{venv}:{programs}:{os.environ['PATH']}"


def rows(stack: Stack) -> dict[str, list[sql.Row]]:
    with sql.connect(stack.variables["MINECAM_DATABASE_URL"]) as database:
        return {table: database.execute(f"select * from {table} order by 1").fetchall() for table in TABLES}  # type: ignore[call-overload]


def test_a_restored_system_goes_on(stack: Stack, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = rows(stack)
    assert len(before["epoch"]) == 1
    runbook("Back up", tmp_path, stack)
    stack.minecam("down")
    shutil.move(stack.home / "archive", tmp_path / "archive")
    shutil.rmtree(stack.home)  # the machine is lost
    stack.home.mkdir()
    shutil.move(tmp_path / "archive", stack.home / "archive")  # the service is not
    stack.minecam("up")
    runbook("Restore", tmp_path, stack)
    assert rows(stack) == before
    stack.minecam("run", "--from", "2026-01-01", "--to", "2026-12-31")
    after = rows(stack)
    assert len(after["epoch"]) == 2 and len(after["comparison"]) == 2
    assert all(row in after["acquisition"] for row in before["acquisition"]), "nothing was fetched again"
