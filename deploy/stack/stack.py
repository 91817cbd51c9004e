"""Brings the embedded stack up and down: cluster, Prefect server, local archive, deployments, worker.

What runs where is written to `stack.env` in the home folder, which the settings and the command read.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import sql
from deploy.stack.cluster import Cluster
from deploy.stack.processes import Process
from tasks import stackfile
from tasks.mines import registry
from tasks.settings import Settings, chosen, home

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks,flows",
    "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_LOGGING_TO_API_ENABLED": "true",
    "HF_HUB_OFFLINE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Nothing phones home; the log of a run holds what our steps say, and holds it soon. Products of matrices as small as
ours take 30 times as long where several threads share them; and threads of the network that spin until there is more to
do slow down whatever runs beside them, tenfold on two cores."""
EVENT_DAYS, HEARTBEAT_DAYS = 7, 1
"""Days that the Prefect server keeps events at most: most of its rows, and of use to automations only."""
PARTS = ("prefect", "archive", "worker")
TOKEN_PATH = "/auth/realms/CDSE/protocol/openid-connect/token"

Say = Callable[[str], None]


def cluster() -> Cluster:
    """The embedded cluster of this home folder."""
    return Cluster(home() / "postgres")


def environment() -> dict[str, str]:
    """What `stack.env` says: the variables that lead to the running stack."""
    return stackfile.read(home() / "stack.env")


def up(say: Say) -> None:
    """Start what is not running and register the deployments. Doing it again starts nothing twice."""
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    given = Settings(home=folder)  # type: ignore[call-arg]
    variables = {**QUIET, "MINECAM_HOME": str(folder), "MINECAM_DATABASE_URL": _database(given, say)}
    with sql.connect(variables["MINECAM_DATABASE_URL"]) as connection:
        for name in sql.migrate(connection):
            say(f"postgis: applied {name}")
        registry.publish_labels(connection)
    variables |= _start_prefect(given, say)
    if given.sh_client_id is None:
        variables |= _start_archive(given, say)
    elif Process(folder, "archive").stop():
        say("archive: stopped, Copernicus Data Space takes its place")
    stackfile.write(folder / "stack.env", variables)
    os.environ.update({name: value for name, value in variables.items() if name.startswith("PREFECT_")})
    _wait(variables)
    from deploy import deployments  # reads the address of the Prefect server when it is imported
    from deploy.stack import worker

    deployments.register()
    command = [_program("prefect"), "worker", "start", "--pool", worker.POOL, "--name", worker.NAME]
    given_to_it = {**chosen(), **variables}
    anew = not worker.process().runs(command, given_to_it)
    if anew:
        worker.stop(say)
        for name in worker.end_orphans():
            say(f"worker: the run {name} was left unfinished; the next one goes on with it")
    if anew:
        say("worker: starting")
        worker.process().start(command, given_to_it)


def down(say: Say) -> None:
    """Stop what `up` started, in the reverse order, and nothing else; runs that have begun go on at the next `up`."""
    from deploy.stack import worker  # reads the address of the Prefect server when it is imported

    for name in reversed(PARTS):
        if worker.stop(say) if name == "worker" else Process(home(), name).stop():
            say(f"{name}: stopped")
    if cluster().folder.exists() and cluster().running:
        cluster().stop()
        say("postgis: stopped")


def status() -> dict[str, str]:
    """Return `running`, `down` or `elsewhere` for every part."""
    given = Settings(home=home())  # type: ignore[call-arg]
    parts = {name: "running" if Process(home(), name).find() else "down" for name in PARTS}
    if not environment() and "PREFECT_API_URL" in os.environ:  # `up` was never called here, and need not be
        parts |= {"prefect": "elsewhere", "worker": "elsewhere"}
    if given.sh_client_id is not None:
        parts["archive"] = "elsewhere"
    running = cluster().folder.exists() and cluster().running
    return {"postgis": "elsewhere" if given.database_url else "running" if running else "down", **parts}


def addresses() -> dict[str, str]:
    """Return where a person can look; no password is in it."""
    known = environment()
    ours = known["MINECAM_DATABASE_URL"] == cluster().url()
    of = conninfo_to_dict(cluster().url(user="minecam_read") if ours else known["MINECAM_DATABASE_URL"])
    database = make_conninfo(**{name: str(value) for name, value in of.items() if name != "password"})
    return {
        "prefect": known["PREFECT_API_URL"].removesuffix("/api"),
        "database": f"psql {shlex.quote(database)}",
        "rasters": str(home() / "rasters"),
    }


def _database(given: Settings, say: Say) -> str:
    if given.database_url:
        return given.database_url
    if not (cluster().folder.exists() and cluster().running):
        say("postgis: starting")
        cluster().start()
    return cluster().url()


def _start_prefect(given: Settings, say: Say) -> dict[str, str]:
    process = Process(home(), "prefect")
    port = process.port(given.prefect_port)
    url = f"http://127.0.0.1:{port}/api"
    variables = {
        **QUIET,
        **forgetting(given.prefect_days),
        "PREFECT_HOME": str(home() / "prefect"),
        "PREFECT_UI_API_URL": url,
        "PREFECT_API_URL": url,
    }
    if not given.database_url:
        variables["PREFECT_API_DATABASE_CONNECTION_URL"] = cluster().prefect_url()
    serve = [_program("prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    if process.start(serve, variables, port=port):
        say(f"prefect: starting at http://127.0.0.1:{port}")
    return {"PREFECT_API_URL": url, "PREFECT_HOME": str(home() / "prefect")}


def forgetting(days: int) -> dict[str, str]:
    """What the Prefect server is told to forget of runs that ended so many days ago; it looks once an hour."""
    beats = {"prefect.flow-run.heartbeat": min(days, HEARTBEAT_DAYS) * 86400}
    return {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(days * 86400),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": json.dumps(beats),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{min(days, EVENT_DAYS)}D",
    }


def _start_archive(given: Settings, say: Say) -> dict[str, str]:
    process = Process(home(), "archive")
    port = process.port(given.archive_port)
    url = f"http://127.0.0.1:{port}"
    given.archive_folder.mkdir(parents=True, exist_ok=True)
    serve = [_program("minecam"), "archive", "serve", str(given.archive_folder), "--port", str(port)]
    if process.start(serve, QUIET, port=port):
        say(f"archive: starting at {url}, for want of SH_CLIENT_ID")
    return {
        "MINECAM_SH_BASE_URL": url,
        "MINECAM_SH_TOKEN_URL": url + TOKEN_PATH,
        "SH_CLIENT_ID": "minecam-local",
        "SH_CLIENT_SECRET": "minecam-local",
    }


def _wait(variables: dict[str, str]) -> None:
    """Wait until the servers answer."""
    Process(home(), "prefect").wait(lambda: _answers(f"{variables['PREFECT_API_URL']}/health"), 120)
    if "MINECAM_SH_BASE_URL" in variables:
        Process(home(), "archive").wait(lambda: _answers(f"{variables['MINECAM_SH_BASE_URL']}/health"), 60)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code < 500
    except httpx.HTTPError:
        return False
