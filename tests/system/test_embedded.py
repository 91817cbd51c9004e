"""The embedded stack on simulated mines: what runs by itself, what a run leaves behind, and what a second one does."""

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sql
from deploy import simulate
from deploy.stack.processes import Process
from deploy.stack.stack import PARTS
from models.recipe import NETWORKS
from tests.system.conftest import Minecam
from tests.system.stack_of_tests import PROGRAM, Stack

ROOT = Path(__file__).parents[2]
TABLES = (
    "acquisition", "validation", "epoch", "class_area", "segment", "comparison", "class_change", "change", "alert",
    "alert_event", "delivery", "unseen", "mine_month", "acquisition_decision",
)  # fmt: skip
DAYS = ("--from", "2026-01-01", "--to", "2026-10-31")
"""Without a last day a run asks what is missing today as well."""


def contents(database: sql.Connection) -> dict[str, list[sql.Row]]:
    """Every row of every table that a run writes, by its first column; equals in any order that stays."""
    rows = {name: database.execute(f"select * from {name}").fetchall() for name in TABLES}  # type: ignore[arg-type]
    return {name: sorted(of, key=lambda row: (next(iter(row.values())), str(row))) for name, of in rows.items()}


@pytest.fixture(scope="module")
def watched(embedded: Stack) -> Stack:
    """The stack after one run over two simulated mines."""
    simulate.make(embedded.home / "archive", mines=2, dates=4, size=128, sentinel1=False)
    embedded.minecam("mine", "import", str(embedded.home / "archive" / "places.geojson"))
    embedded.minecam("run", *DAYS)
    return embedded


def test_up_again_starts_nothing_and_status_says_so(embedded: Stack, minecam: Minecam) -> None:
    before = {name: Process(embedded.home, name).find() for name in PARTS}
    minecam("up", MINECAM_SHARED_DATA="/elsewhere")  # is no setting of the stack, and restarts nothing
    assert {name: Process(embedded.home, name).find() for name in PARTS} == before
    assert json.loads(minecam("status", "--json").stdout)["parts"] == dict.fromkeys(("postgis", *PARTS), "running")


def test_scheduled_runs_of_the_fleet_appear(minecam: Minecam) -> None:
    deadline = time.monotonic() + 60
    while (coming := json.loads(minecam("status", "--json").stdout)["runs"]["next run"]) is None:
        assert time.monotonic() < deadline, "nothing was scheduled within a minute"
    assert coming.endswith("06:00 UTC")


def test_the_form_asks_for_mine_range_sensor_set_and_rerun(embedded: Stack) -> None:
    form = embedded.prefect("deployments/name/monitor/mine")["parameter_openapi_schema"]
    fields = sorted(form["properties"], key=lambda name: form["properties"][name]["position"])
    assert fields == ["mine", "start", "end", "sensor_set", "rerun"]
    assert form["required"] == ["mine"]
    assert "s2-10" in form["definitions"]["SensorSetName"]["enum"]


def test_the_form_of_a_training_offers_networks_and_sensor_sets(embedded: Stack) -> None:
    form = embedded.prefect("deployments/name/train/model")["parameter_openapi_schema"]
    recipe = form["definitions"]["Recipe"]["properties"]
    assert recipe["network"]["enum"] == list(NETWORKS) and "s1-s2" in recipe["sensor_set"]["enum"]
    assert form["required"] == ["name", "chips"]


def test_every_acquisition_ends_segmented_or_with_a_reason(watched: Stack, embedded_database: sql.Connection) -> None:
    rows = contents(embedded_database)["acquisition"]
    assert len(rows) == 8
    assert {row["state"] for row in rows} <= {"segmented", "quarantined"}
    assert all(bool(row["reasons"]) == (row["state"] == "quarantined") for row in rows)
    assert all(row["processing_units"] > 0 for row in rows)


def test_a_second_run_downloads_nothing_and_writes_nothing(
    watched: Stack, minecam: Minecam, embedded_database: sql.Connection
) -> None:
    before = contents(embedded_database)
    rasters = {file: file.stat().st_mtime_ns for file in (watched.home / "rasters").rglob("*.tif")}
    minecam("run", *DAYS)
    assert contents(embedded_database) == before
    assert {file: file.stat().st_mtime_ns for file in (watched.home / "rasters").rglob("*.tif")} == rasters


def kill_flow(watched: Stack) -> None:
    worker = Process(watched.home, "worker").find()
    assert worker is not None
    for child in worker.children(recursive=True):
        child.send_signal(signal.SIGKILL)


def kill_worker(watched: Stack) -> None:
    worker = Process(watched.home, "worker").find()
    assert worker is not None
    for process in (worker, *worker.children(recursive=True)):
        process.send_signal(signal.SIGKILL)
    assert "was left unfinished" in watched.minecam("up").stdout


def stop_stack(watched: Stack) -> None:
    watched.minecam("down")  # the run may still report its own end, or not
    watched.minecam("up")


@pytest.mark.slow
@pytest.mark.parametrize("interrupt", [kill_flow, kill_worker, stop_stack])
def test_an_interrupted_run_is_continued_by_the_next(
    watched: Stack, minecam: Minecam, interrupt: Callable[[Stack], None]
) -> None:
    address = watched.variables["MINECAM_DATABASE_URL"]
    with sql.connect(address) as database:
        expected = contents(database)
        database.execute(f"truncate {', '.join(TABLES)}, charge")  # type: ignore[arg-type]
        arguments = [PROGRAM, "run", *DAYS]
        run = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=watched.environment)
        deadline = time.monotonic() + 60
        while not database.execute("select 1 from epoch").fetchone() and time.monotonic() < deadline:
            time.sleep(0.05)
    interrupt(watched)
    run.kill()
    run.wait()
    minecam("run", *DAYS)  # Prefect, too, knows that the fleet is free
    with sql.connect(address) as database:
        found = contents(database)
    figures = ("mine_id", "sensing_date", "state", "reasons", "checksum")
    assert [[row[name] for name in figures] for row in found["acquisition"]] == [
        [row[name] for name in figures] for row in expected["acquisition"]
    ]
    assert {name: len(rows) for name, rows in found.items() if name != "validation"} == {
        name: len(rows) for name, rows in expected.items() if name != "validation"
    }


@pytest.mark.slow
def test_a_mine_is_processed_by_one_run_at_a_time(
    watched: Stack, minecam: Minecam, embedded_database: sql.Connection
) -> None:
    (mine,) = sql.run(embedded_database, "mine_find", slug="sim-serra-vermelha")
    sql.run(embedded_database, "mine_run_lock", mine_id=mine["mine_id"])
    said = minecam("run", "sim-serra-vermelha", status=1).stderr
    assert "sim-serra-vermelha is being processed by another run" in said


def test_the_report_shows_every_mine_and_draws_one(watched: Stack, minecam: Minecam, tmp_path: Path) -> None:
    said = minecam("report").stdout
    assert "sim-serra-vermelha" in said
    minecam("report", "sim-serra-vermelha", "--png", str(tmp_path / "mine.png"))
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")


def test_the_question_in_sql_that_the_readme_asks_has_an_answer(watched: Stack, minecam: Minecam) -> None:
    (line,) = re.findall(r"^ {4}minecam (db psql .+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert "excavation" in minecam(*shlex.split(line)).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run", "nowhere"], 2, "there is no mine 'nowhere'"),
        (["run", "--from", "2026-02-01", "--to", "2026-01-01"], 2, "ends (2026-01-01) before it starts (2026-02-01)"),
        (["mine", "show", "sim-serra-vermelh"], 2, "did you mean sim-serra-vermelha?"),
        (["archive", "serve", "/nowhere"], 2, "there is no archive /nowhere"),
    ],
)
def test_wrong_use_is_explained_in_one_line(
    watched: Stack, minecam: Minecam, arguments: list[str], status: int, words: str
) -> None:
    said = minecam(*arguments, status=status).stderr
    assert words in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.slow
def test_an_archive_that_is_down_fails_the_run_with_words_and_the_next_one_recovers(
    watched: Stack, minecam: Minecam
) -> None:
    Process(watched.home, "archive").stop()
    said = minecam("run", "sim-serra-vermelha", status=1)
    assert "does not answer" in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    assert "archive    down" in minecam("status", status=1).stdout
    minecam("up")
    minecam("run", "sim-serra-vermelha")


def test_wrong_credentials_are_named(watched: Stack, minecam: Minecam) -> None:
    said = minecam("doctor", status=1, SH_CLIENT_ID="somebody", SH_CLIENT_SECRET="wrong").stdout
    assert "refuses the credentials: check SH_CLIENT_ID" in said


@pytest.mark.slow
def test_credentials_reach_a_running_stack_and_without_them_the_archive_comes_back(
    watched: Stack, minecam: Minecam
) -> None:
    said = minecam("up", SH_CLIENT_ID="somebody", SH_CLIENT_SECRET="wrong").stdout
    assert "archive: stopped" in said and "worker: starting" in said
    worker = Process(watched.home, "worker").find()
    assert worker is not None
    assert worker.environ()["SH_CLIENT_ID"] == "somebody" and "MINECAM_SH_BASE_URL" not in worker.environ()
    assert "archive: starting" in minecam("up").stdout
    minecam("run", "sim-serra-vermelha")


@pytest.mark.slow
def test_what_is_down_is_said_in_words_and_comes_up_again(watched: Stack, minecam: Minecam) -> None:
    minecam("down")
    assert json.loads(minecam("status", "--json", status=1).stdout)["runs"] == {"last run": None, "next run": None}
    for arguments in (["run"], ["mine", "list"], ["report"]):
        said = minecam(*arguments, status=1).stderr
        assert "does not answer" in said and "minecam up" in said and len(said.strip().splitlines()) == 1
    assert "FAIL postgis" in minecam("doctor", status=1).stdout
    minecam("up")
    assert "sim-serra-vermelha" in minecam("mine", "list").stdout
