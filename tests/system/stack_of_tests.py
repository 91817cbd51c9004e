"""A stack in a home folder of its own, reached as a user reaches it: by the command and by its addresses."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tasks import stackfile

PROGRAM = str(Path(sys.executable).with_name("minecam"))


@dataclass(frozen=True)
class Stack:
    """`home` is its MINECAM_HOME, `settings` are variables that it has beside those of every stack."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the command is run with: nothing that leads to another stack."""
        ours = ("MINECAM_", "SH_", "PREFECT_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        own = {"HOME": str(self.home), "PREFECT_PORT": "4700", "ARCHIVE_PORT": "4780", "SH_RETRY_SECONDS": "0.1"}
        return {**kept, **{f"MINECAM_{name}": value for name, value in own.items()}, **self.settings}

    @property
    def variables(self) -> dict[str, str]:
        """What `stack.env` says."""
        return stackfile.read(self.home / "stack.env")

    def minecam(self, *arguments: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command; it must end with `status`."""
        environment = {**self.environment, **variables}
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=1200, env=environment)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    @property
    def api(self) -> str:
        """The address of the Prefect server's API."""
        return self.variables["PREFECT_API_URL"]

    def prefect(self, path: str) -> Any:
        """Return what the Prefect server answers at `path`."""
        return httpx.get(f"{self.api}/{path}").raise_for_status().json()
