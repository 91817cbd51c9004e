"""Processes that run the monitoring flow as a worker does, and kill themselves where a test says.

Started once, this program forks a process for each run, since importing what a flow needs takes seconds. It reads a run
as a line of JSON from standard input, {"mine": slug or null, "home": ..., "kill": [what, occurrence], "trail": file},
and writes the id of its process. To {"wait": process} it answers with the status, null while the run goes on.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio._backends._asyncio  # noqa: F401  what takes long to import is there before the first fork
import fastapi  # noqa: F401
import great_expectations  # noqa: F401
import prefect.artifacts
import prefect.events
import prefect.utilities.visualization
import psycopg
from fsspec.implementations.local import LocalFileSystem

import sql
from flows import batch, monitor, steps
from tasks.acquire.client import Client
from tasks.records import Acquisition, Epoch
from tests.tasks.brightness import MODEL, engine

notices = import_module("tasks.notify.notify")
vectorise = import_module("tasks.segment.vectorise")

STEPS = (
    "discover", "preview", "download", "validate", "revalidate", "segment", "vectorise", "store", "withdraw",
    "summarise", "compare", "alert", "notify",
)  # fmt: skip


class Trail:
    """Where a run has come: every step, and in it every statement, answer, file, row that is copied and message.

    A run that is to be killed at a place kills itself as soon as it comes there.
    """

    def __init__(self, file: Path | None, kill: str | None) -> None:
        self._file, self._kill = file, kill
        self._step, self._day = "", ""
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reach(self, what: str) -> None:
        if not self._step:
            return
        with self._lock:
            place = f"{self._step} {self._day}: {what}"
            self._seen[place] += 1
            place = f"{place} {self._seen[place]}"
            if self._file:
                with self._file.open("a") as file:
                    file.write(f"{place}\n")
            if place == self._kill:
                os.kill(os.getpid(), signal.SIGKILL)

    def follow(self, step: Any) -> None:
        """Let the places within `step`, a Prefect task, be known by its name and the day that it works on."""
        function = step.fn

        @wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            self._day = next((day for one in args if (day := _day_of(one))), self._day)
            self._step = step.name
            self.reach("begins")
            try:
                return function(*args, **kwargs)
            finally:
                self.reach("ends")
                self._step = ""

        step.fn = within

    def after(self, owner: Any, name: str, what: Callable[..., str] | str) -> None:
        """Let what `owner.name` has done be a place."""
        function = getattr(owner, name)

        @wraps(function)
        def followed(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self.reach(what if isinstance(what, str) else what(*args, **kwargs))
            return result

        setattr(owner, name, followed)


def _day_of(argument: Any) -> str:
    if isinstance(argument, list) and argument:  # of what goes through the network together, the first
        argument = argument[0][0]
    return str(argument.sensing_time.date()) if isinstance(argument, Acquisition | Epoch) else ""


def follow(trail: Trail) -> None:
    """Lay `trail` through the flow: the product has no place for it, so its parts are wrapped."""
    for name in STEPS:
        trail.follow(getattr(steps, name))
    trail.after(sql.database, "_run", lambda _, query, __: f"{query} done")
    trail.after(psycopg.Copy, "write_row", "row copied")
    trail.after(psycopg.Transaction, "__exit__", "transaction over")
    trail.after(Client, "_do_download", "answered")
    write = LocalFileSystem.pipe_file

    def in_halves(files: LocalFileSystem, path: str, value: bytes, **kwargs: Any) -> None:
        write(files, path, value[: len(value) // 2], **kwargs)
        trail.reach("half written")
        write(files, path, value, **kwargs)
        trail.reach("written")

    LocalFileSystem.pipe_file = in_halves
    trail.after(LocalFileSystem, "mv", "moved")
    trail.after(prefect.artifacts, "create_markdown_artifact", "artifact made")
    trail.after(prefect.events, "emit_event", "event emitted")
    trail.after(notices, "_send", "told")
    trail.after(vectorise, "outlines", "outlined")


def run(given: dict[str, Any]) -> None:
    """Run the flow over one mine, or over the fleet."""
    os.environ.update(given["environment"], PGAPPNAME=str(os.getpid()))
    follow(Trail(Path(given["trail"]) if given["trail"] else None, given["kill"]))
    monitor.model_for = batch.model_for = lambda *_: MODEL  # type: ignore[assignment]
    sys.modules["models.predict"] = engine()
    days = {name: date.fromisoformat(given[name]) for name in ("start", "end")}
    if given["mine"]:
        monitor.mine(given["mine"], **days)
    else:
        monitor.fleet(**days)


def serve() -> None:
    """Fork a process for each line of standard input; say what became of it."""
    for line in sys.stdin:
        given = json.loads(line)
        if "wait" in given:
            ended, status = os.waitpid(given["wait"], os.WNOHANG)
            print(json.dumps({"status": os.waitstatus_to_exitcode(status) if ended else None}), flush=True)
        elif process := os.fork():
            print(json.dumps({"process": process}), flush=True)
        else:
            with Path(given["log"]).open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            run(given)
            break


if __name__ == "__main__":
    serve()
