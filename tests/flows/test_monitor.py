"""The monitoring flow on a real database and real rasters; the service is a stand-in."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prefect.artifacts import Artifact
from shapely.geometry import box

import sql
from flows import batch, monitor
from tasks import agenda
from tasks.acquire.preview import coarse
from tasks.errors import RunError
from tasks.mines import registry
from tasks.mines.registry import Mine
from tasks.rasters.cog import encode_cog
from tasks.rasters.grid import Grid
from tests.tasks.brightness import MODEL
from tests.tasks.conftest import sentinel_hub
from tests.tasks.segment.test_epochs import acquire, mine, pixels

__all__ = ["mine", "sentinel_hub"]


@pytest.fixture
def watch(mine: Mine, sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch):
    """Runs the flow over the mine with the model that sees what it is told."""
    for flow in (monitor, batch):
        monkeypatch.setattr(flow, "model_for", lambda *_: MODEL)
    return lambda: monitor.mine("pit")


def comparisons(database: sql.Connection) -> list[tuple[int, float]]:
    """Day and hectares changed of all current comparisons of current epochs."""
    rows = database.execute(
        "select e.sensing_time, k.changed_hectares from comparison k join epoch e using (epoch_id)"
        " where k.superseded_at is null and e.superseded_at is null order by 1"
    ).fetchall()
    return [(row["sensing_time"].day, round(row["changed_hectares"], 2)) for row in rows]


def raster(database: sql.Connection, day: int, kind: str = "class") -> Path:
    (row,) = database.execute(
        f"select {kind}_raster as address from epoch where superseded_at is null and sensing_time::date = %s",
        [date(2023, 1, day)],
    ).fetchall()
    return Path(row["address"].removeprefix("file://"))


def undelivered(database: sql.Connection) -> int:
    return database.execute("select count(*) as n from alert_event where delivered_at is null").fetchone()["n"]


@pytest.mark.parametrize("kind", ["class", "confidence"])
def test_a_lost_raster_is_made_again_and_blocks_nothing(database, home, mine, watch, kind):
    for day, side in ((1, 10), (2, 10)):
        acquire(database, mine, home, day, side)
    watch()
    lost = raster(database, 2, kind)
    lost.unlink()
    acquire(database, mine, home, 3, side=20)
    with pytest.raises(RunError, match=r"1 epochs of pit could not be compared, the next run tries again: .* missing"):
        watch()
    (row,) = database.execute("select superseded_why from epoch where superseded_at is not null").fetchall()
    assert row["superseded_why"].startswith("raster lost: ") and lost.name in row["superseded_why"]
    assert comparisons(database) == [(1, 0)]
    watch()
    assert lost.exists() and comparisons(database) == [(1, 0), (2, 0), (3, 3)]
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 1
    watch()
    assert database.execute("select count(*) as n from epoch").fetchone()["n"] == 4


def test_the_others_go_on_and_alerts_are_delivered(database, home, mine, watch):
    for day, side, cloud in ((1, 10, 0), (5, 10, 20)):
        acquire(database, mine, home, day, side, cloud)
    watch()
    raster(database, 1).write_bytes(b"damaged")
    acquire(database, mine, home, 3, side=10)  # needs the first: it waits
    acquire(database, mine, home, 9, side=20)  # under the cloud of the fifth, the third is the latest
    with pytest.raises(RunError, match="epochs of pit could not be compared"):
        watch()
    assert (9, 3) in comparisons(database)
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 1 and undelivered(database) == 0
    watch()
    assert comparisons(database) == [(1, 0), (3, 0), (5, 0), (9, 3)]


def test_an_epoch_that_cannot_be_made_again_is_left_out(database, home, mine, watch):
    for day in (1, 2):
        acquire(database, mine, home, day, side=10)
    watch()
    raster(database, 2).unlink()
    acquire(database, mine, home, 3, side=20)
    with pytest.raises(RunError):
        watch()
    database.execute("update acquisition set state = 'quarantined' where sensing_date = '2023-01-02'")
    watch()
    assert comparisons(database) == [(1, 0), (3, 3)]


def test_a_store_that_does_not_answer_supersedes_nothing(database, home, mine, watch):
    acquire(database, mine, home, 1, side=10)
    watch()
    path = raster(database, 1)
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()  # neither missing nor a file
    acquire(database, mine, home, 2, side=20)
    with pytest.raises(RunError, match="could not be compared"):
        watch()
    assert database.execute("select count(*) as n from epoch where superseded_at is not null").fetchone()["n"] == 0
    path.rmdir()
    path.write_bytes(kept)
    watch()
    assert comparisons(database) == [(1, 0), (2, 3)]


class Scenes:
    """What the service has of January 2023: products by day, and how large the pit is, how cloudy, in them."""

    def __init__(self, mine: Mine) -> None:
        self.grid = mine.grid
        self.days: dict[int, tuple[list[str], int, int]] = {}

    @property
    def features(self) -> list[dict[str, Any]]:
        return [
            {"id": name, "properties": {"datetime": f"2023-01-{day:02}T06:00:00Z"}}
            for day, (names, *_) in self.days.items()
            for name in names
        ]

    def tiff(self, body: dict[str, Any]) -> bytes:
        day = int(body["input"]["data"][0]["dataFilter"]["timeRange"]["from"][8:10])
        _, side, cloud = self.days[day]
        array, grid = pixels(self.grid, side, cloud), self.grid
        if body["output"]["width"] < grid.width:  # a look at 60 m: scene classes and data mask
            array, grid = array[-2:, ::6, ::6], Grid(grid.epsg, grid.left, grid.top, *coarse(grid))
        return encode_cog(array, grid, descriptions=list("12345")[: len(array)], nodata=None)


@pytest.fixture
def scenes(mine: Mine, sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Scenes:
    """Scenes that the stand-in serves."""
    scenes = Scenes(mine)
    answer = sentinel_hub.reply

    def reply(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if path.endswith("/process"):
            return 200, {"X-ProcessingUnits-Spent": "0.25"}, scenes.tiff(body)
        sentinel_hub.features = scenes.features
        return answer(path, body)

    monkeypatch.setattr(sentinel_hub, "reply", reply)
    return scenes


@pytest.fixture
def run(watch, scenes):
    return lambda: monitor.mine("pit", start=date(2023, 1, 1), end=date(2023, 1, 31))


def states(database: sql.Connection) -> list[tuple[int, str, bool]]:
    rows = database.execute("select * from acquisition order by acquisition_id").fetchall()
    return [(row["sensing_date"].day, row["state"], row["superseded_at"] is None) for row in rows]


def test_reprocessed_products_are_fetched_and_their_epoch_takes_the_place(database, home, mine, scenes, run):
    scenes.days = {1: (["A_N0400_"], 20, 0), 5: (["B_N0509_"], 20, 0)}
    run()
    assert comparisons(database) == [(1, 0), (5, 0)]
    scenes.days[1] = (["A_N0509_"], 10, 0)  # processed again, the pit is smaller than it seemed
    run()
    assert states(database) == [(1, "segmented", False), (5, "segmented", True), (1, "segmented", True)]
    assert comparisons(database) == [(1, 0), (5, 3)]
    old, new = database.execute("select * from epoch where sensing_time::date = '2023-01-01' order by 1").fetchall()
    assert old["superseded_why"] == "newer products: A_N0509_" and new["superseded_at"] is None
    assert Path(old["class_raster"].removeprefix("file://")).exists()
    before = database.execute("select count(*) as n from comparison").fetchone()
    run()
    assert database.execute("select count(*) as n from comparison").fetchone() == before and len(states(database)) == 3


def test_newer_products_that_are_refused_take_nothing_away(database, home, mine, scenes, run, monkeypatch):
    scenes.days = {1: (["A_N0400_"], 10, 0), 5: (["B_N0509_"], 20, 0)}
    run()
    scenes.days[1] = (["A_N0509_"], 20, mine.grid.width)  # cloudy all over, as processed now
    run()
    assert states(database) == [(1, "segmented", False), (5, "segmented", True), (1, "quarantined", True)]
    assert comparisons(database) == [(1, 0), (5, 3)]
    shown = Artifact.get("validation-pit")  # of the latest run that validated something of the mine
    assert shown is not None and str(shown.data).startswith("# pit: 1 acquisition validated, 1 refused")
    raster(database, 1).unlink()  # what stands is also made again when its raster is lost
    scenes.days[9] = (["C_N0509_"], 20, 0)
    run()
    with pytest.raises(RunError, match="could not be compared"):
        monitor.mine("pit", start=date(2023, 1, 1), end=date(2023, 1, 31), rerun=True)
    run()
    assert comparisons(database) == [(1, 0), (5, 3), (9, 0)]


def test_one_sensing_is_one_observation_of_an_alert(database, home, mine, scenes, run):
    scenes.days = {1: (["A_N0509_"], 10, 0), 5: (["B_N0509_"], 20, 0), 9: (["C_N0400_"], 20, 0)}
    run()
    assert database.execute("select observations from alert").fetchall() == [{"observations": [1]}]
    scenes.days[9] = (["C_N0509_"], 20, 0)
    run()
    assert database.execute("select observations, state from alert").fetchall() == [
        {"observations": [1], "state": "provisional"}
    ]


@pytest.mark.parametrize("answer", [(500, {"error": "down"}), (401, {"error": "who?"}), (200, {"a": 1})])
def test_what_is_here_is_watched_and_silence_told_where_the_service_fails(
    database, home, mine, watch, sentinel_hub, answer
):
    acquire(database, mine, home, 1, 10)
    watch()
    acquire(database, mine, home, 2, 20)
    sentinel_hub.failures = [answer] * 50
    with pytest.raises(RunError, match="1 mines were not watched to the end: pit"):
        monitor.fleet()
    rows = database.execute("select r.name, a.state from alert a join rule r using (rule_id) order by 1").fetchall()
    told = [tuple(row.values()) for row in rows if row["name"] != "new-digging"]
    assert told == [("fleet-silent", "confirmed"), ("not-seen", "confirmed")]
    assert comparisons(database) == [(1, 0), (2, 3)]
    assert undelivered(database) == 0


def test_who_looks_at_the_past_does_not_ask_what_is_missing_today(database, home, mine, watch):
    acquire(database, mine, home, 1, 10)
    monitor.fleet(start=date(2023, 1, 1), end=date(2023, 1, 2))
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 0


def test_mines_near_each_other_share_a_search_and_no_fault(database, home, mine, watch, sentinel_hub):
    west, south, *_ = mine.aoi.bounds
    registry.add(database, slug="pond", name="Pond", aoi=box(west + 0.05, south, west + 0.06, south + 0.01))
    days = {"start": date(2023, 1, 1), "end": date(2023, 1, 2)}
    monitor.fleet(**days)
    assert len(sentinel_hub.requests) == 1
    sentinel_hub.failures = [(400, {"description": "no"})] * 2  # of both together, then of the first alone
    with pytest.raises(RunError, match="1 mines were not watched to the end: pit"):
        monitor.fleet(**days)
    assert len(sentinel_hub.requests) == 4
    with sql.connect(os.environ["MINECAM_DATABASE_URL"]) as other, agenda.one_run_at_a_time(other, mine):
        monitor.fleet(**days)
    assert len(sentinel_hub.requests[-1][1]["intersects"]["coordinates"]) == 1
