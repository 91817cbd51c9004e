"""Prefect as it really behaves: killed, restarted, stopped, edited in its UI, given what does not exist."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import shapely

import sql
from deploy import simulate
from deploy.stack.processes import Process
from tests.system.stack_of_tests import PROGRAM, Stack

DAYS = {"start": "2026-01-01", "end": "2026-03-31"}
PATIENCE = 300
"""Seconds for what takes some on a quiet machine."""


@pytest.fixture(scope="module")
def stack(short_folder: Path) -> Iterator[Stack]:
    """A stack with one mine, two days of it, and one place to ask the service from."""
    stack = Stack(short_folder / "prefect", {"MINECAM_SH_CONCURRENCY": "1"})
    simulate.make(stack.home / "archive", mines=1, dates=2, size=96, sentinel1=False)
    try:
        stack.minecam("up")
        stack.minecam("mine", "import", str(stack.home / "archive" / "places.geojson"))
        yield stack
    finally:
        stack.minecam("down")


def start(stack: Stack, deployment: str = "monitor/fleet", **parameters: Any) -> str:
    """Create a run as the UI does, and return its id."""
    answer = create(stack, deployment, parameters)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def create(stack: Stack, deployment: str, parameters: dict[str, Any]) -> httpx.Response:
    identity = stack.prefect(f"deployments/name/{deployment}")["id"]
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    return httpx.post(f"{stack.api}/deployments/{identity}/create_flow_run", json=body)


def state(stack: Stack, run: str) -> dict[str, Any]:
    return dict(stack.prefect(f"flow_runs/{run}")["state"])


def until(found: Any) -> None:
    """Wait until `found()`."""
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def ended(stack: Stack, run: str) -> dict[str, Any]:
    final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    until(lambda: state(stack, run)["type"] in final)
    return state(stack, run)


def log(stack: Stack, run: str) -> str:
    time.sleep(2)  # the last lines arrive after the state
    found = httpx.post(f"{stack.api}/logs/filter", json={"logs": {"flow_run_id": {"any_": [run]}}}).json()
    return "\n".join(line["message"] for line in found)


def places(stack: Stack) -> int:
    """Return how many places to ask the service from are taken."""
    with psycopg.connect(stack.variables["MINECAM_DATABASE_URL"]) as connection:
        (count,) = connection.execute("select count(*) from pg_locks where classid = 78 and granted").fetchone() or (0,)
    return int(count)


@contextmanager
def asking(stack: Stack) -> Iterator[str]:
    """A run of the fleet that has asked a service which does not answer, and has the only place."""
    archive = Process(stack.home, "archive").find()
    assert archive is not None
    processes = [archive, *archive.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        run = start(stack, **DAYS)
        until(lambda: places(stack) == 1)
        yield run
    finally:
        for process in processes:
            if process.is_running():
                process.resume()


def kill(stack: Stack, name: str) -> None:
    found = Process(stack.home, name).find()
    assert found is not None
    for process in (*found.children(recursive=True), found):
        process.kill()
    psutil.wait_procs([found])


@pytest.mark.parametrize(
    ("deployment", "parameters", "words"),
    [
        ("monitor/mine", {"mine": "{mine}", "start": "2026-02-30"}, "start=2026-02-30: it is no day of the calendar"),
        ("monitor/fleet", {"start": "lastweek"}, "start=lastweek: it is no day of the calendar: give it as year"),
        ("monitor/fleet", {"start": "2026-02-01", "end": "2026-01-01"}, "ends (2026-01-01) before it starts (2026-02-"),
        ("train/model", {"name": "tiny", "chips": "/nowhere"}, "/nowhere has no sites.csv: it is no folder of chips"),
        ("evaluate/experiment", {"name": "nothing", "chips": "/nowhere"}, "there is no experiment nothing"),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence(
    stack: Stack, deployment: str, parameters: dict[str, str], words: str
) -> None:
    given = {name: value.replace("{mine}", slug(stack)) for name, value in parameters.items()}
    run = start(stack, deployment, **given)
    said = ended(stack, run)
    assert said["type"] == "FAILED" and words in said["message"] and "\n" not in said["message"]
    lines = log(stack, run)
    assert words in lines and "Traceback" not in lines


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"mine": "nowhere"}, "'nowhere' is not one of ["),
        ({"mine": "{mine}", "from": "2026-01-01"}, "'from' was unexpected"),
        ({"mine": "{mine}", "sensor_set": "s9"}, "'s9' is not one of ["),
    ],
)
def test_the_server_refuses_what_is_not_in_the_form(stack: Stack, parameters: dict[str, str], words: str) -> None:
    given = {name: value.replace("{mine}", slug(stack)) for name, value in parameters.items()}
    refused = create(stack, "monitor/mine", given)
    assert refused.status_code == 409 and words in refused.text


def slug(stack: Stack) -> str:
    with sql.connect(stack.variables["MINECAM_DATABASE_URL"]) as database:
        return str(database.execute("select slug from mine order by mine_id limit 1").fetchall()[0]["slug"])


def test_the_form_lists_the_mines_and_one_that_is_added_is_there_at_once(stack: Stack, tmp_path: Path) -> None:
    def listed() -> list[str]:
        form = stack.prefect("deployments/name/monitor/mine")["parameter_openapi_schema"]
        return list(form["properties"]["mine"]["enum"])

    assert listed() == [slug(stack)]
    outline = tmp_path / "far-pit.geojson"
    outline.write_text(shapely.to_geojson(shapely.box(81.1, 21.1, 81.12, 21.12)))
    stack.minecam("mine", "add", str(outline), "--name", "A far pit")
    assert "a-far-pit" in listed()
    with sql.connect(stack.variables["MINECAM_DATABASE_URL"]) as database:
        database.execute("delete from mine where slug = 'a-far-pit'")
    stack.minecam("up")
    assert listed() == [slug(stack)]


def test_what_a_person_decided_stays_and_a_setting_changes_only_what_it_says(stack: Stack) -> None:
    fleet = stack.prefect("deployments/name/monitor/fleet")
    address, (schedule,) = f"{stack.api}/deployments/{fleet['id']}", fleet["schedules"]
    edited = {"paused": True, "parameters": {"end": "2026-02-01"}, "tags": ["ours"], "description": "By night"}
    httpx.patch(address, json=edited).raise_for_status()
    httpx.patch(f"{address}/schedules/{schedule['id']}", json={"active": False}).raise_for_status()
    stack.minecam("up")
    now = stack.prefect("deployments/name/monitor/fleet")
    assert {name: now[name] for name in edited} == edited
    assert [(one["active"], one["schedule"]["cron"]) for one in now["schedules"]] == [(False, "0 6 * * *")]
    stack.minecam("up", MINECAM_SCHEDULE="30 5 * * 1-5")
    now = stack.prefect("deployments/name/monitor/fleet")
    assert {name: now[name] for name in edited} == edited
    assert [(one["active"], one["schedule"]["cron"]) for one in now["schedules"]] == [(False, "30 5 * * 1-5")]
    httpx.delete(f"{address}/schedules/{now['schedules'][0]['id']}").raise_for_status()
    stack.minecam("up", MINECAM_SCHEDULE="30 5 * * 1-5")
    assert stack.prefect("deployments/name/monitor/fleet")["schedules"] == []
    httpx.patch(address, json={"paused": False, "parameters": {}, "tags": []}).raise_for_status()
    stack.minecam("up")  # the setting says so again, and is heard
    (made,) = stack.prefect("deployments/name/monitor/fleet")["schedules"]
    assert made["active"] and made["schedule"]["cron"] == "0 6 * * *"


@pytest.mark.parametrize("cron", ["0 24 * * *", "0 0 30 2 *"])
def test_a_schedule_that_never_comes_is_refused(stack: Stack, cron: str) -> None:
    said = stack.minecam("up", status=2, MINECAM_SCHEDULE=cron).stderr
    assert f"MINECAM_SCHEDULE={cron} is no cron expression, or never comes" in said
    stack.minecam("up")


@pytest.mark.slow
@pytest.mark.parametrize("order", [("prefect", "worker"), ("worker", "prefect")])
def test_a_place_comes_free_when_server_and_run_are_killed_together(stack: Stack, order: tuple[str, str]) -> None:
    with asking(stack) as run:
        for name in order:
            kill(stack, name)
    assert "was left unfinished" in stack.minecam("up").stdout
    assert state(stack, run)["type"] == "CRASHED" and places(stack) == 0
    assert ended(stack, start(stack, **DAYS))["type"] == "COMPLETED"


@pytest.mark.slow
def test_the_place_of_a_killed_run_comes_free_at_a_server_that_lives(stack: Stack) -> None:
    with asking(stack):
        worker = Process(stack.home, "worker").find()
        assert worker is not None
        for child in worker.children(recursive=True):
            child.kill()
        started = time.monotonic()
        until(lambda: places(stack) == 0)
    print(f"free after {time.monotonic() - started:.0f} s")
    assert ended(stack, start(stack, **DAYS))["type"] == "COMPLETED"


@pytest.mark.slow
def test_a_run_outlives_its_server(stack: Stack) -> None:
    with asking(stack) as run:
        assert state(stack, run)["state_details"]["deployment_concurrency_lease_id"] is None  # nothing it must renew
        kill(stack, "prefect")
        assert "worker" not in stack.minecam("up").stdout
        assert places(stack) == 1
    assert ended(stack, run)["type"] == "COMPLETED"
    assert places(stack) == 0


@pytest.mark.slow
def test_a_run_that_down_has_stopped_goes_on_at_the_next_up(stack: Stack) -> None:
    with asking(stack) as run:
        following = subprocess.Popen(
            [PROGRAM, "run", "--from", "2026-01-01", "--to", "2026-03-31"], env=stack.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert following.stdout is not None
        until(lambda: "another run of the fleet is at work: this one waits" in following.stdout.readline())
        said = stack.minecam("down").stdout
    assert said.count("worker: the run fleet was stopped, and goes on with the next `minecam up`") == 2
    assert following.wait() == 1
    assert "left unfinished" not in stack.minecam("up").stdout
    assert places(stack) == 0
    assert ended(stack, run)["type"] == "COMPLETED"
    assert stack.prefect(f"flow_runs/{run}")["run_count"] == 2
