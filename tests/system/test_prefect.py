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
from deploy.stack.cluster import Cluster
from deploy.stack.processes import Process
from flows.steps import SERVICE
from tests.system.stack_of_tests import PROGRAM, Stack

DAYS = {"start": "2026-01-01", "end": "2026-03-31"}
LIMIT = f"v2/concurrency_limits/{SERVICE}"
PATIENCE = 300
"""Seconds for what takes some on a quiet machine."""


@pytest.fixture(scope="module")
def stack(short_folder: Path) -> Iterator[Stack]:
    """A stack with one mine, two days of it, and one slot for requests to the service."""
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


def slots(stack: Stack) -> int:
    return int(stack.prefect(LIMIT)["active_slots"])


@contextmanager
def asking(stack: Stack) -> Iterator[str]:
    """A run of the fleet that has asked a service which does not answer, and holds the slot."""
    archive = Process(stack.home, "archive").find()
    assert archive is not None
    processes = [archive, *archive.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        run = start(stack, **DAYS)
        until(lambda: slots(stack) == 1)
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
    httpx.patch(f"{stack.api}/{LIMIT}", json={"limit": 3}).raise_for_status()
    stack.minecam("up")
    now = stack.prefect("deployments/name/monitor/fleet")
    assert {name: now[name] for name in edited} == edited
    assert [(one["active"], one["schedule"]["cron"]) for one in now["schedules"]] == [(False, "0 6 * * *")]
    assert stack.prefect(LIMIT)["limit"] == 3
    stack.minecam("up", MINECAM_SCHEDULE="30 5 * * 1-5", MINECAM_SH_CONCURRENCY="2")
    now = stack.prefect("deployments/name/monitor/fleet")
    assert {name: now[name] for name in edited} == edited
    assert [(one["active"], one["schedule"]["cron"]) for one in now["schedules"]] == [(False, "30 5 * * 1-5")]
    assert stack.prefect(LIMIT)["limit"] == 2
    httpx.delete(f"{address}/schedules/{now['schedules'][0]['id']}").raise_for_status()
    stack.minecam("up", MINECAM_SCHEDULE="30 5 * * 1-5", MINECAM_SH_CONCURRENCY="2")
    assert stack.prefect("deployments/name/monitor/fleet")["schedules"] == []
    httpx.patch(address, json={"paused": False, "parameters": {}, "tags": []}).raise_for_status()
    stack.minecam("up")  # the setting says so again, and is heard
    (made,) = stack.prefect("deployments/name/monitor/fleet")["schedules"]
    assert made["active"] and made["schedule"]["cron"] == "0 6 * * *" and stack.prefect(LIMIT)["limit"] == 1


@pytest.mark.parametrize("cron", ["0 24 * * *", "0 0 30 2 *"])
def test_a_schedule_that_never_comes_is_refused(stack: Stack, cron: str) -> None:
    said = stack.minecam("up", status=2, MINECAM_SCHEDULE=cron).stderr
    assert f"MINECAM_SCHEDULE={cron} is no cron expression, or never comes" in said
    stack.minecam("up")


def test_slots_that_nobody_holds_are_seen_and_freed_and_those_that_somebody_holds_are_not(stack: Stack) -> None:
    httpx.patch(f"{stack.api}/{LIMIT}", json={"limit": 3}).raise_for_status()
    held = {"names": [SERVICE], "slots": 1, "lease_duration": 600}
    lease = httpx.post(f"{stack.api}/v2/concurrency_limits/increment-with-lease", json=held).raise_for_status().json()
    httpx.post(f"{stack.api}/v2/concurrency_limits/increment", json={"names": [SERVICE], "slots": 2}).raise_for_status()
    said = stack.minecam("doctor", status=1).stdout
    assert "FAIL" in said and "2 of 3 slots of requests to the service are held by nobody: run `minecam up`" in said
    assert "2 slots of requests to the service were held by nobody" in stack.minecam("up").stdout
    assert slots(stack) == 1
    assert "held by nobody" not in stack.minecam("doctor", status=1).stdout  # what else it finds is no matter here
    done = {"lease_id": lease["lease_id"]}
    httpx.post(f"{stack.api}/v2/concurrency_limits/decrement-with-lease", json=done).raise_for_status()
    httpx.patch(f"{stack.api}/{LIMIT}", json={"limit": 1}).raise_for_status()
    assert slots(stack) == 0


def test_runs_that_ended_long_ago_are_forgotten(stack: Stack) -> None:
    old, recent = (start(stack, **DAYS) for _ in range(2))
    for run in (old, recent):
        ended(stack, run)
    time.sleep(3)  # the last of their logs and task runs are written
    database = psycopg.connect(Cluster(stack.home / "postgres").url("prefect"), autocommit=True)
    tables = ("flow_run", "task_run", "log", "artifact")

    def kept(run: str) -> set[str]:
        of = {"flow_run": "id"}
        asked = {table: f"select 1 from {table} where {of.get(table, 'flow_run_id')} = %s limit 1" for table in tables}
        return {table for table in tables if database.execute(asked[table], [run]).fetchone()}  # type: ignore[call-overload]

    before = kept(recent)
    assert {"flow_run", "task_run", "log"} <= kept(old) & before
    database.execute("update flow_run set end_time = now() - interval '6 days' where id = %s", [old])
    stack.minecam("up", MINECAM_PREFECT_DAYS="5")
    until(lambda: not kept(old))
    assert kept(recent) == before
    database.close()
    stack.minecam("up")


def automations(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return by the last word of its name each automation."""
    found = httpx.post(f"{stack.api}/automations/filter", json={}).raise_for_status().json()
    assert len(found) == len({one["name"] for one in found})
    return {one["name"].split()[-1]: one for one in found}


def edit(stack: Stack, automation: dict[str, Any], **words: Any) -> None:
    body = {name: automation[name] for name in ("name", "description", "enabled", "trigger", "actions")} | words
    httpx.put(f"{stack.api}/automations/{automation['id']}", json=body).raise_for_status()


@contextmanager
def impatient(stack: Stack, name: str) -> Iterator[None]:
    """The automation waits for seconds, as a person may want it; it is as before afterwards."""
    before = automations(stack)[name]
    edit(stack, before, trigger={**before["trigger"], "within": 10})
    try:
        yield
    finally:
        edit(stack, before)


def test_automations_are_there_once_and_stay_as_a_person_made_them(stack: Stack) -> None:
    before = automations(stack)
    assert set(before) == {"crashed", "cancelled"}
    with impatient(stack, "crashed"):
        httpx.delete(f"{stack.api}/automations/{before['cancelled']['id']}").raise_for_status()
        stack.minecam("up")
        assert set(automations(stack)) == {"crashed"}
        assert automations(stack)["crashed"]["trigger"]["within"] == 10
    httpx.delete(f"{stack.api}/variables/name/minecam_registered").raise_for_status()
    stack.minecam("up")
    now = automations(stack)
    assert set(now) == set(before) and now["crashed"]["id"] == before["crashed"]["id"]


@pytest.mark.slow
def test_a_run_that_falls_silent_crashes_and_one_that_is_a_day_late_is_cancelled(stack: Stack) -> None:
    identity = stack.prefect("deployments/name/monitor/fleet")["id"]
    with impatient(stack, "crashed"), impatient(stack, "cancelled"):
        with asking(stack) as silent:
            time.sleep(5)  # its first heartbeat reaches the server
            kill(stack, "worker")
        runs = []
        for tags in (["auto-scheduled"], ["by hand"]):
            due = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:00:00Z"}}
            body = {"parameters": DAYS, "state": due, "tags": tags}
            made = (
                httpx.post(f"{stack.api}/deployments/{identity}/create_flow_run", json=body).raise_for_status().json()
            )
            runs.append(made["id"])
        assert ended(stack, silent)["message"] == "nothing was heard of it any more: its worker is gone, or cut off"
        assert ended(stack, runs[0])["type"] == "CANCELLED"
    assert state(stack, runs[1])["type"] == "SCHEDULED"
    stack.minecam("up")
    assert ended(stack, runs[1])["type"] == "COMPLETED"


@pytest.mark.slow
@pytest.mark.parametrize("order", [("prefect", "worker"), ("worker", "prefect")])
def test_a_slot_comes_free_when_server_and_run_are_killed_together(stack: Stack, order: tuple[str, str]) -> None:
    with asking(stack) as run:
        for name in order:
            kill(stack, name)
    assert "was left unfinished" in stack.minecam("up").stdout
    assert state(stack, run)["type"] == "CRASHED" and slots(stack) == 0
    assert ended(stack, start(stack, **DAYS))["type"] == "COMPLETED"


@pytest.mark.slow
def test_a_slot_of_a_killed_run_comes_free_at_a_server_that_lives(stack: Stack) -> None:
    with asking(stack):
        worker = Process(stack.home, "worker").find()
        assert worker is not None
        for child in worker.children(recursive=True):
            child.kill()
        started = time.monotonic()
        until(lambda: slots(stack) == 0)
    print(f"free after {time.monotonic() - started:.0f} s")
    assert ended(stack, start(stack, **DAYS))["type"] == "COMPLETED"


@pytest.mark.slow
def test_a_run_outlives_its_server(stack: Stack) -> None:
    with asking(stack) as run:
        assert state(stack, run)["state_details"]["deployment_concurrency_lease_id"] is None  # nothing it must renew
        kill(stack, "prefect")
        assert "worker" not in stack.minecam("up").stdout
        assert slots(stack) == 1
    assert ended(stack, run)["type"] == "COMPLETED"
    assert slots(stack) == 0


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
    assert slots(stack) == 0
    assert ended(stack, run)["type"] == "COMPLETED"
    assert stack.prefect(f"flow_runs/{run}")["run_count"] == 2
