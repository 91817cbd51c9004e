"""Background processes of the embedded stack: started detached, remembered in a file, stopped by it.

A file holds the process id and its start time, so that a reused id is never mistaken for ours, and what the process
was started with, so that new settings reach it.
"""

import hashlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tasks.errors import StackError


@dataclass(frozen=True)
class Process:
    """One background process called `name`, remembered in `folder/run`, logging to `folder/logs`."""

    folder: Path
    name: str

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def _file(self) -> Path:
        return self.folder / "run" / f"{self.name}.json"

    def find(self) -> psutil.Process | None:
        """Return the running process, or None."""
        try:
            known = self._known()
            process = psutil.Process(known["pid"])
            alive = process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - known["started"]) < 2
            return process if alive else None
        except (KeyError, psutil.NoSuchProcess):
            return None

    def port(self, wanted: int) -> int:
        """Return the port that the running process listens at, else a free one from `wanted` on."""
        known = self._known().get("port") if self.find() else None
        return int(known) if known else free_port(wanted)

    def runs(self, command: Sequence[str], environment: dict[str, str]) -> bool:
        """Return whether the process runs, and was started with just these."""
        return self.find() is not None and self._known().get("given") == _fingerprint(command, environment)

    def start(self, command: Sequence[str], environment: dict[str, str], *, port: int | None = None) -> bool:
        """Start `command` unless it runs already with this `environment`; return whether it was started.

        One that was started with another command or environment is stopped first.
        """
        if self.runs(command, environment):
            return False
        self.stop()
        for file in (self.log, self._file):
            file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **environment}, start_new_session=True,
            )  # fmt: skip
        started, given = psutil.Process(child.pid).create_time(), _fingerprint(command, environment)
        known = {"pid": child.pid, "started": started, "port": port, "given": given}
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._file)
        return True

    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def stop(self, patience: float = 15, *, children_too: bool = False) -> bool:
        """Tell the process to end, kill it and its children if they do not, and return whether it ran.

        `children_too`: its children are told as well, for one that would wait for them.
        """
        process = self.find()
        if process:
            family = [process, *process.children(recursive=True)]
            for told in family if children_too else [process]:
                with suppress(psutil.NoSuchProcess):
                    told.terminate()
            _, alive = psutil.wait_procs(family, timeout=patience)
            for survivor in alive:
                with suppress(psutil.NoSuchProcess):
                    survivor.kill()
        self._file.unlink(missing_ok=True)
        return process is not None

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`; raises StackError with the last line of the log when the process dies first."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ready():
                return
            if not self.find():
                break
            time.sleep(0.2)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        raise StackError(f"{self.name} does not start ({lines[-1] if lines else 'no output'}): see {self.log}")


def _fingerprint(command: Sequence[str], environment: dict[str, str]) -> str:
    """A hash, for the environment holds secrets."""
    return hashlib.sha256(json.dumps([*command, sorted(environment.items())]).encode()).hexdigest()


def free_port(wanted: int) -> int:
    """Return `wanted`, or the next port that nobody on loopback listens at."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StackError(f"no free port from {wanted} on: set MINECAM_PREFECT_PORT and MINECAM_ARCHIVE_PORT")
