"""The world of one case: a mine, the local archive behind the proxy, a database and a folder of rasters of its own."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import sql
from flows import monitor
from tasks.acquire.client import forget_tokens
from tasks.errors import EXPLAINED
from tests.final_state import State, final_state
from tests.flows.faults.proxy import Fault, Misdeed, Proxy

DAYS = (date(2026, 1, 18), date(2026, 5, 18))
"""Of the first, the catalog says that it is clear; of the second, that it is cloudy, so that it is looked at first."""
FIRST, SECOND = map(str, DAYS)
SLUG = "sim-serra-vermelha"
QUIET = "update rule set enabled = false where measure in ('unseen', 'silent')"
"""Nobody is to miss a mine whose days have long passed."""
PAGE = os.sysconf("SC_PAGE_SIZE")
ASIDE = ("acquisition.tries", "acquisition.failed_at", "acquisition.processing_units", "charge")
"""What tells how it came about, and may differ from a run without faults; charges are held against the table."""


@dataclass
class World:
    """What a fault is injected into. `archive` is the folder of the archive, `home` has the rasters."""

    archive: Path
    home: Path
    database: sql.Connection
    proxy: Proxy
    undo: list[Callable[[], None]] = field(default_factory=list)
    """What ends the fault, the latest first."""
    end: list[Callable[[], None]] = field(default_factory=list)
    """What ends the world."""

    @property
    def rasters(self) -> Path:
        """Folder of the rasters."""
        return self.home / "rasters"

    def request(self, kind: str, misdeed: Misdeed, *, times: float = float("inf"), day: str | None = None) -> None:
        """Let requests of `kind` (token, search, preview, bands, any) meet a misdeed."""
        self.proxy.faults.append(Fault(kind, misdeed, times, day))

    def statement(self, event: str, body: str, *, when: str = "true") -> None:
        """Let a statement (`insert on epoch`) do what `body` says in PL/pgSQL where `when` holds of its `new` row."""
        self.database.execute(
            f"create or replace function minecam.fault() returns trigger language plpgsql security definer as $$"
            f" begin if {when} then {body}; end if; return new; end $$;"
            f" create trigger fault before {event} for each row execute function minecam.fault()"
        )  # type: ignore[call-overload]
        self.undo.append(lambda: self._execute("drop function if exists minecam.fault() cascade"))

    def _execute(self, statement: str) -> None:
        self.database.execute(statement)  # type: ignore[call-overload]

    def setting(self, **values: Any) -> None:
        """Set MINECAM_<NAME> while the fault lasts."""
        inner = pytest.MonkeyPatch()
        for name, value in values.items():
            inner.setenv(f"MINECAM_{name}", str(value))
        self.undo.append(inner.undo)

    def move(self, address: str) -> None:
        """Go on with another database."""
        self.database.close()
        self.database = sql.connect(address)
        os.environ["MINECAM_DATABASE_URL"] = address  # the world ends with its environment

    def run(self, *, end: date | None = None, rerun: bool = False) -> str:
        """Watch the mine and return what the run says that failed, or nothing."""
        return self._said(lambda: monitor.mine(SLUG, start=DAYS[0], end=end or DAYS[1], rerun=rerun))

    def fleet(self) -> str:
        """Watch every mine, as the schedule does."""
        return self._said(lambda: monitor.fleet(start=DAYS[0]))

    def _said(self, flow: Callable[[], None]) -> str:
        forget_tokens()
        try:
            flow()
        except EXPLAINED as error:
            return str(error)
        return ""

    def repair(self) -> None:
        """End the fault."""
        self.proxy.faults.clear()
        self.proxy.open()
        while self.undo:
            self.undo.pop()()

    def acquisitions(self) -> list[sql.Row]:
        """Return the current acquisitions, in order of sensing."""
        return self.database.execute(
            "select * from acquisition where superseded_at is null order by sensing_time"
        ).fetchall()

    def raster(self, day: str, kind: str = "acquisition") -> Path:
        """Return the file of the `kind` (acquisition, class, confidence) raster of a day."""
        column = "raster" if kind == "acquisition" else f"{kind}_raster"
        (row,) = self.database.execute(
            "select a.raster, e.class_raster, e.confidence_raster from acquisition a left join epoch e using"
            " (acquisition_id) where a.sensing_date = %s and a.superseded_at is null and e.superseded_at is null", [day]
        ).fetchall()  # fmt: skip
        return Path(row[column].removeprefix("file://"))

    def paid(self) -> Counter[str]:
        """Return the number of requests charged, by kind."""
        rows = self.database.execute("select kind from charge where requests > 0").fetchall()
        return Counter(row["kind"] for row in rows)

    def given_up(self) -> list[str]:
        """Return the states of the alerts of acquisitions that were given up."""
        rows = self.database.execute(
            "select a.state from alert a join rule r using (rule_id) where r.measure = 'given_up'"
        ).fetchall()
        return [row["state"] for row in rows]

    def state(self) -> State:
        """Return what stands: rows and files, but for what tells how it came about."""
        return _once(final_state(self.database, self.rasters.as_uri(), aside=ASIDE, history=False))


def without_measured(state: State) -> State:
    """Return a state without what is measured against the acquisitions known before: they come in another order."""
    against = ("shift_", "offset_left", "gain_", "stripes")

    def less(row: Any) -> Any:
        return {name: value for name, value in row.items() if not name.startswith(against)}

    acquisitions = [less(row) for row in state["acquisition"]]
    validations = [{**row, "figures": less(row["figures"])} for row in state["validation"]]
    return _once({**state, "acquisition": acquisitions, "validation": validations})


def without_given_up(state: State) -> State:
    """Return a state without the alerts of what was given up and is made good."""
    tables = ("alert", "alert_event", "delivery")
    return {**state, **{name: [row for row in state[name] if "given-up" not in str(row)] for name in tables}}


def _once(state: State) -> State:
    """Return a state with the judgements that hold: those made again count once, those that refused are history."""
    seen: list[Any] = []
    for row in state["validation"]:
        if row["passed"] and row not in seen:
            seen.append(row)
    return {**state, "validation": seen}


@contextmanager
def small_disk(folder: Path, free: int) -> Iterator[None]:
    """Make `folder` a disk of its own, with that many bytes free; skips the test where that is not allowed."""
    kept = folder.with_name("kept")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, kept)
    used = sum(-(-file.stat().st_size // PAGE) * PAGE for file in folder.rglob("*") if file.is_file())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={used + free}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    try:
        yield
    finally:
        shutil.rmtree(kept)
        shutil.copytree(folder, kept)
        subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder)
        kept.rename(folder)
