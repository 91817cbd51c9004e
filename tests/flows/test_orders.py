"""What comes late, twice at once, after a month, or with the clock set back: the end is as if all had come in order."""

import random
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sql
from tasks import agenda
from tasks.alert.alert import alert
from tasks.alert.withdraw import withdraw
from tasks.compare.compare import compare
from tasks.mines.registry import Mine
from tasks.rasters.cog import encode_cog, write_cog
from tasks.rasters.grid import Grid
from tasks.suites.checkpoint import Figures, Judgement
from tasks.suites.expectations import Check
from tests.final_state import State, final_state
from tests.flows.world import Scene
from tests.tasks.brightness import MODEL
from tests.tasks.conftest import sentinel_hub
from tests.tasks.grain import grained
from tests.tasks.segment.test_epochs import mine, stored

discover = import_module("tasks.acquire.discover")
download = import_module("tasks.acquire.download")
preview = import_module("tasks.acquire.preview")
store = import_module("tasks.segment.store")
revalidate = import_module("tasks.validate.revalidate")
validate = import_module("tasks.validate.validate")

__all__ = ["mine", "sentinel_hub"]

FIRST = datetime(2023, 1, 1, 6, tzinfo=UTC)
NAMES = ["B02", "B03", "B04", "SCL", "dataMask"]
EVERY = {"start": None, "end": None}
TABLES = (
    "delivery", "alert_event", "alert", "change", "class_change", "comparison", "segment", "class_area", "unseen",
    "epoch", "mine_month", "validation", "charge", "acquisition_decision", "acquisition",
)  # fmt: skip


def pixels(grid: Grid, day: int, *, noise: int = 0) -> np.ndarray:
    """Return B02, B03, B04, SCL, dataMask of a day: two pits, opened after 12 and 20 days, under clouds that pass.

    One day in `noise` shows nothing of the second pit.
    """
    array = np.full((5, grid.height, grid.width), 1000, np.uint16)
    array[:3, 5:13, 5:13] = 3000
    if day >= 12:
        array[:3, 5:21, 5:21] = 3000
    if day >= 20 and not (noise and day % noise == noise - 1):
        array[:3, 35:50, 30:50] = 3000
    array[:3] = grained(array[:3])
    array[3], array[4] = 4, 1
    if cloud := random.Random(day).choice([0, 0, 0, 10, 30, 60]):
        array[3, :, -cloud:] = 9
    return array


def weathered(grid: Grid, day: int) -> np.ndarray:
    """Return `pixels` on ground with a texture: every day lies a little elsewhere, some far off, or one band is bright.

    What is refused of these depends on what they are held against.
    """
    array = pixels(grid, day)
    array[:3] += np.random.default_rng(1).integers(0, 400, array[:3].shape, np.uint16)
    dice = random.Random(day)
    array = np.roll(array, (dice.choice([-2, 0, 0, 1]), dice.choice([-2, 0, 0, 2])), axis=(1, 2))
    if dice.random() < 0.4:
        array[1] = array[1] * dice.choice([0.5, 1.7, 2.5])
    return array


def arrive(
    database: sql.Connection,
    mine: Mine,
    home: Path,
    days: Sequence[int],
    *,
    state: str = "accepted",
    seen: Callable[[Grid, int], np.ndarray] = pixels,
) -> None:
    """Let the acquisitions of `days` become known."""
    for day in days:
        time = FIRST + timedelta(days=day)
        address = f"file://{home}/rasters/{time:%Y-%m-%d}.tif"
        tags = {"harmonised": "true"}
        checksum = write_cog(address, seen(mine.grid, day), mine.grid, descriptions=NAMES, nodata=None, tags=tags)
        database.execute(
            "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state,"
            " raster, checksum) values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}', %s, %s, %s)",
            (mine.mine_id, time.date(), time, state, address, checksum),
        )


def watch(database: sql.Connection, mine: Mine) -> None:
    """Do what the flow does with what is due, without Prefect, which takes longer than the work on rasters so small."""
    for acquisition in agenda.due_acquisitions(database, mine, MODEL, **EVERY):  # type: ignore[arg-type]
        judged = validate.validate(database, acquisition, mine)
        if judged.accepted:
            stored(database, mine, judged)
    for acquisition in revalidate.unsettled(database, mine, MODEL.sensor_set.name):
        judged, anew = revalidate.revalidate(database, acquisition, mine)
        if anew:
            stored(database, mine, judged)
    withdraw(database, mine)
    for epoch in agenda.due_epochs(database, mine, MODEL, **EVERY):  # type: ignore[arg-type]
        with database.transaction():
            alert(database, compare(database, epoch, mine), mine)


def verdict(*, figures: Figures, checks: Sequence[Check]) -> Judgement:
    """Judge as great-expectations does, which takes longer than all the rest."""
    reasons = []
    for check in checks:
        value = figures.get(check.figure)
        if check.same_as:
            held = value == figures.get(check.same_as)
        else:
            held = value is None or (
                (check.least is None or value >= check.least) and (check.most is None or value <= check.most)
            )
        reasons += [] if held else [check.worded(figures)]
    return Judgement(not reasons, reasons)


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (store, validate, preview):
        monkeypatch.setattr(module, "judge", verdict)


def state(database: sql.Connection, home: Path, *aside: str) -> State:
    """Return what has become of the mine.

    Without alerts that became part of another: for ground of which single parts were seen first, there are such.
    """
    found = final_state(database, f"file://{home}/rasters", aside=aside, history=False)
    return {**found, "alert": [row for row in found["alert"] if row["state"] != "resolved"]}


def anew(database: sql.Connection, home: Path) -> None:
    """Forget all but the mine."""
    database.execute(f"truncate {', '.join(TABLES)}")  # type: ignore[call-overload]
    shutil.rmtree(home / "rasters")


TOLD = ("alert_event", "delivery")
"""What people are told, they are told when it is known: it stays as it was when more becomes known."""


@pytest.mark.parametrize(
    ("days", "runs", "noise"),
    [
        pytest.param(range(10, 40), 3, 4, id="thirty, and one look in four is bad"),
        pytest.param(range(1000), 10, 0, id="a thousand", marks=pytest.mark.slow),
        pytest.param(range(1000), 10, 4, id="a thousand, and one look in four is bad", marks=pytest.mark.slow),
    ],
)
def test_late_arrivals_in_random_order(database, home, mine, days: Sequence[int], runs: int, noise: int) -> None:
    seen = partial(pixels, noise=noise)
    arrive(database, mine, home, days, seen=seen)
    watch(database, mine)
    wanted = state(database, home, *TOLD)
    assert [row["state"] for row in wanted["alert"]] == ["confirmed"]
    anew(database, home)
    shuffled = random.Random(1).sample(days, len(days))
    for run in range(runs):
        arrive(database, mine, home, shuffled[run::runs], seen=seen)
        watch(database, mine)
    ends = state(database, home, *TOLD)
    assert ends == wanted


@pytest.mark.parametrize(
    ("days", "runs"),
    [
        pytest.param(range(10, 40), 5, id="thirty"),
        pytest.param(range(1000), 5, id="a thousand", marks=pytest.mark.slow),
    ],
)
def test_late_arrivals_are_judged_as_if_they_had_come_in_order(database, home, mine, days, runs) -> None:
    def end() -> State:
        # Ground that refused days have shown stays part of an alert that others have confirmed: it was told.
        found = state(database, home, *TOLD, "acquisition.segmented_at")
        segmented = {row["acquisition_id"] for row in found["epoch"]}
        judged = [
            row for row in found["validation"] if row["suite"] != "segments" or row["acquisition_id"] in segmented
        ]
        return {**found, "validation": judged, "alert": [row["state"] for row in found["alert"]]}

    bad = {"state": "downloaded", "seen": weathered}
    arrive(database, mine, home, days, **bad)
    watch(database, mine)
    wanted = end()
    states = [row["state"] for row in wanted["acquisition"]]
    assert states.count("segmented") > len(days) / 3 and states.count("quarantined") > len(days) / 6
    anew(database, home)
    shuffled = [*random.Random(1).sample(days[1:], len(days) - 1), days[0]]  # what all are laid on comes last
    for run in range(runs):
        arrive(database, mine, home, shuffled[run::runs], **bad)
        watch(database, mine)
    refused = database.execute("select from epoch where superseded_why = 'judged again, and refused'").fetchall()
    assert refused  # what came of the order
    ends = end()
    assert ends == wanted


def set_back(database: sql.Connection, hours: int) -> None:
    """Set the clock back: put all that was recorded so much later."""
    columns = database.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'minecam'"
        " and data_type = 'timestamp with time zone' and (column_name = 'at' or column_name like '%_at')"
        " and table_name in (select relname from pg_class where relkind in ('r', 'p'))"
    ).fetchall()
    for row in columns:
        table, column = row["table_name"], row["column_name"]
        database.execute(f"update {table} set {column} = {column} + make_interval(hours => %s)", [hours])  # type: ignore[call-overload]


def test_the_clock_goes_back_an_hour(database, home, mine) -> None:
    days = [0, 4, 8, 13, 18, 27, 28, 29]
    arrive(database, mine, home, days)
    watch(database, mine)
    wanted = state(database, home, *TOLD)
    anew(database, home)
    for part in (days[1::2], days[0::4], days[2::4]):
        arrive(database, mine, home, part)
        watch(database, mine)
        set_back(database, 1)
    assert state(database, home, *TOLD) == wanted
    assert agenda.due_epochs(database, mine, MODEL, **EVERY) == []  # type: ignore[arg-type]
    before = database.execute("select max(superseded_at) as at from comparison").fetchone()
    watch(database, mine)
    assert database.execute("select max(superseded_at) as at from comparison").fetchone() == before


class Passes:
    """A service with a pass every five days from FIRST on, of which the products come a day later."""

    def __init__(self, mine: Mine, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grid, self.today = mine.grid, FIRST
        answer = service.reply

        def reply(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
            if path.endswith("/process"):
                day = date.fromisoformat(body["input"]["data"][0]["dataFilter"]["timeRange"]["from"][:10])
                tiff = encode_cog(pixels(self.grid, (day - FIRST.date()).days), self.grid,
                                  descriptions=NAMES, nodata=None)  # fmt: skip
                return 200, {"X-ProcessingUnits-Spent": "0.25"}, tiff
            service.features = self.features(body["datetime"][:10], body["datetime"][21:31])
            return answer(path, body)

        monkeypatch.setattr(service, "reply", reply)
        clock = type("clock", (datetime,), {"now": classmethod(lambda cls, zone: self.today)})
        monkeypatch.setattr(discover, "datetime", clock)

    def features(self, first: str, last: str) -> list[dict[str, Any]]:
        known = [FIRST + timedelta(days=day) for day in range(0, (self.today - FIRST).days, 5)]
        return [
            {"id": f"S2A_{time:%Y%m%d}", "properties": {"datetime": f"{time:%Y-%m-%dT%H:%M:%SZ}", "eo:cloud_cover": 0}}
            for time in known
            if first <= f"{time:%Y-%m-%d}" <= last
        ]

    def run(self, database: sql.Connection, mine: Mine, day: int) -> None:
        """Do what a scheduled run does on a day."""
        self.today = FIRST + timedelta(days=day)
        discover.discover(database, mine, MODEL.sensor_set)
        for row in agenda.due_acquisitions(database, mine, MODEL, **EVERY):  # type: ignore[arg-type]
            previewed, worth = preview.preview(database, row, mine)
            if worth:
                download.download(database, previewed, mine)
        watch(database, mine)


def test_a_month_of_downtime(database, home, mine, sentinel_hub, monkeypatch) -> None:
    passes = Passes(mine, sentinel_hub, monkeypatch)
    for day in range(1, 56, 5):
        passes.run(database, mine, day)
    wanted = state(database, home, "charge")
    assert len(wanted["acquisition"]) == 11 and [row["state"] for row in wanted["alert"]] == ["confirmed"]
    anew(database, home)
    for day in (*range(1, 18, 5), 55):
        passes.run(database, mine, day)
    assert state(database, home, "charge") == wanted


DAYS = {"start": date(2026, 3, 1), "end": date(2026, 3, 31)}
SCENES = (Scene(date(2026, 3, 3), side=4), Scene(date(2026, 3, 8), side=20))


def test_two_workers_on_one_mine(sites, world) -> None:
    world.publish(*SCENES)
    alone, together = sites(), sites()
    assert alone.run(**DAYS) == 0
    begun = [together.start(**DAYS) for _ in range(2)]
    statuses = [together.ended(process) for process in begun]
    assert together.state("charge") == alone.state("charge")
    assert statuses == [0, 0] or "pit is being processed by another run" in together.workers.log.read_text()


@pytest.mark.slow
def test_two_fleets_on_many_mines(sites, world) -> None:
    world.publish(*SCENES)
    mines = {"pit": None, "quarry": None, "hollow": "s2-10-simulated"}  # two share requests, one does not
    alone, together = sites(mines), sites(mines)
    assert alone.run(**DAYS, mine=None) == 0
    begun = [together.start(**DAYS, mine=None) for _ in range(2)]
    assert [together.ended(process) for process in begun] == [0, 0]
    assert together.state("charge") == alone.state("charge")
