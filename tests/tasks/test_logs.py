"""Lines of logs as JSON: what they are about, in threads and flows, and by the variables that the images have."""

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tasks.logs import Json, about
from tests.deploy.containers.dockerfile import stages

FLOW = """
import logging
from prefect import flow, get_run_logger
from prefect.testing.utilities import prefect_test_harness
from tasks.logs import about

@flow(name="pit")
def watch():
    with about(mine="east-pit", acquisition=31):
        get_run_logger().info("by the run's logger")
        logging.getLogger("tasks.acquire").warning("by a module's")

with prefect_test_harness(server_startup_timeout=120):
    watch()
"""


def line(**record: object) -> dict[str, str]:
    made = logging.makeLogRecord({"name": "tasks.x", "levelname": "INFO", "msg": "said %s", "args": ("so",), **record})
    text = Json().format(made)
    assert "\n" not in text
    return dict(json.loads(text))


def test_a_line_says_what_it_is_about_as_long_as_it_is() -> None:
    with about(mine="east-pit"):
        with about(acquisition=31):
            inside = line()
        after = line()
    assert {"message": "said so", "logger": "tasks.x", "mine": "east-pit", "acquisition": 31}.items() <= inside.items()
    assert after["mine"] == "east-pit" and "acquisition" not in after
    assert set(line()) == {"time", "level", "logger", "message"}


def test_threads_do_not_mix_up_what_they_are_about() -> None:
    def work(mine: str) -> str:
        with about(mine=mine):
            return line()["mine"]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, "abcdefgh")) == list("abcdefgh")


def test_an_error_keeps_its_traceback_and_a_prefect_record_its_run() -> None:
    try:
        raise ValueError("no\nway")
    except ValueError:
        told = line(exc_info=sys.exc_info(), flow_run_id="f", flow_run_name="fleet", task_run_name="download")
    assert "ValueError: no\nway" in told["error"]
    assert (told["flow_run_id"], told["flow_run_name"], told["task_run_name"]) == ("f", "fleet", "download")


def test_a_flow_writes_them_as_the_images_are_told_to() -> None:
    told = {name: value for name, value in stages()["worker-cpu"].environment.items() if "LOGGING" in name}
    environment = {**os.environ, **told, "PREFECT_LOGGING_TO_API_ENABLED": "false"}
    done = subprocess.run([sys.executable, "-c", FLOW], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(text) for text in done.stderr.splitlines() if text.startswith("{")]
    for logger in ("prefect.flow_runs", "tasks.acquire"):
        [one] = [one for one in lines if one["logger"] == logger and "by" in one["message"].split()]
        assert one["mine"] == "east-pit" and one["acquisition"] == 31 and one["flow_run_id"] and one["flow_run_name"]


def test_dask_writes_them_too() -> None:
    told = {"DASK_LOGGING": stages()["worker-cpu"].environment["DASK_LOGGING"]}
    code = "import distributed, logging; logging.getLogger('distributed.worker').info('well')"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **told}, capture_output=True, text=True)
    [text] = [text for text in done.stderr.splitlines() if "well" in text]
    assert json.loads(text)["logger"] == "distributed.worker"
