"""Shared requests: the pure rules, and mines that do share a search and a download, through the real client."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box, mapping

import sql
from models.sensors import SENSOR_SETS
from tasks import agenda
from tasks.acquire import budget
from tasks.acquire.discover import discover
from tasks.acquire.download import download
from tasks.acquire.products import shows
from tasks.acquire.sharing import MAX_SIDE, REQUEST_UNITS, Due, joined, neighbourhoods, passes
from tasks.errors import ServiceError
from tasks.mines import registry
from tasks.mines.registry import Mine
from tasks.rasters.cog import encode_cog, read_raster
from tasks.rasters.grid import Grid
from tasks.records import Acquisition, current
from tasks.segment.segment import model_for
from tests.tasks import nouns
from tests.tasks.acquire.test_download import rasters

__all__ = ["rasters"]

sides = st.integers(1, 2500)
grids = st.builds(
    Grid, st.sampled_from([32644, 32645]), st.integers(0, 9000).map(lambda n: 10.0 * n),
    st.integers(0, 9000).map(lambda n: 10.0 * n), sides, sides,
)  # fmt: skip


@given(grids, st.lists(grids, max_size=6), st.sampled_from([2, 4, 11]), st.booleans())
def test_a_shared_request_has_every_grid_in_it_and_costs_less(first, others, bands, radar):
    together, joining = joined(first, others, bands=bands, radar=radar)
    served = [first, *(others[number] for number in joining)]
    for one in served:
        rows, columns = together.slices(one)
        assert one.epsg == together.epsg and rows.start >= 0 and columns.start >= 0
        assert rows.stop <= together.height and columns.stop <= together.width
        assert together.window(column=columns.start, row=rows.start, width=one.width, height=one.height) == one
    alone, shared = (
        sum(budget.pixels_units(one.width * one.height, bands, radar=radar) for one in asked) + len(asked)
        for asked in (served, [together])
    )
    assert shared <= alone and REQUEST_UNITS == 1 and max(together.width, together.height) <= MAX_SIDE


def pit(identity: int, west: float, south: float = 21.1, *, model: str | None = None, side: float = 0.02) -> Mine:
    aoi = MultiPolygon([box(west, south, west + side, south + side)])
    return Mine(identity, f"pit-{identity}", f"Pit {identity}", aoi, None, model)


def test_mines_whose_search_costs_no_more_than_one_are_neighbours():
    near, far, other = pit(2, 81.9), pit(3, 82.2), pit(4, 81.3, model="s2-10-simulated")
    first = pit(1, 81.1)
    assert neighbourhoods([first, far, near, other, replace(near, mine_id=5)]) == [
        [first, near, replace(near, mine_id=5)], [far], [other],
    ]  # fmt: skip
    assert neighbourhoods([]) == []
    both_sides = MultiPolygon([box(179.99, 21.1, 180, 21.12), box(-180, 21.1, -179.99, 21.12)])
    across = Mine(6, "pit-6", "Pit 6", both_sides, None, None)
    assert neighbourhoods([across, first]) == [[across], [first]], "its bounds go round the globe"


def test_a_pass_is_a_day_of_a_collection_and_an_orbit():
    def row(day: int, orbit: str = "") -> Acquisition:
        on = date(2023, 1, day)
        return nouns.acquisition(sensing_date=on, orbit_direction=orbit, collection="sentinel-1-grd", sensor_set="s1")

    mine = pit(1, 81.1)
    due = [(row(2, "ascending"), mine), (row(1), mine), (row(2, "descending"), mine), (row(1), pit(2, 81.2))]
    assert [len(together) for together in passes(due)] == [2, 1, 1]


@pytest.fixture
def near(database: sql.Connection) -> list[Mine]:
    """Three mines of one search, the last beyond the reach of a shared download."""
    return [
        registry.add(database, slug=slug, name=slug, aoi=box(west, 21.1, west + 0.01, 21.11))
        for slug, west in (("first", 81.1), ("second", 81.12), ("distant", 81.6))
    ]


@pytest.fixture
def ground(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service send pixels that say where they lie: their column and row in units of 10 m, modulo 10,000."""
    answer = sentinel_hub.reply

    def reply(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if not path.endswith("/process") or sentinel_hub.failures:
            return answer(path, body)
        sentinel_hub.requests.append((path, body))
        west, _, _, north = body["input"]["bounds"]["bbox"]
        width, height = body["output"]["width"], body["output"]["height"]
        array = np.ones((5, height, width), np.uint16)
        array[0] = (west / 10 + np.arange(width)[None]) % 10_000
        array[1] = (north / 10 - np.arange(height)[:, None]) % 10_000
        tiff = encode_cog(array, Grid(32644, west, north, width, height), descriptions=["b"] * 5, nodata=None)
        return 200, {"X-ProcessingUnits-Spent": "1.0"}, tiff

    monkeypatch.setattr(sentinel_hub, "reply", reply)


def products(*outlines: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"S2A_MSIL2A_2023010{day}T060231_N0509_R091_T42RUN_{number}",
         "properties": {"datetime": f"2023-01-0{day}T06:12:31Z", "eo:cloud_cover": 0}, "geometry": mapping(outline)}
        for number, (day, outline) in enumerate(outlines)
    ]  # fmt: skip


EVERYWHERE, WEST = box(80, 20, 83, 23), box(80, 20, 81.3, 23)
JANUARY = {"start": date(2023, 1, 1), "end": date(2023, 1, 31)}


def charges(database: sql.Connection, kind: str) -> list[tuple[float, int]]:
    rows = database.execute(
        "select processing_units, requests from charge where kind = %s order by charge_id", [kind]
    ).fetchall()
    return [(round(row["processing_units"], 4), row["requests"]) for row in rows]


def due(database: sql.Connection, mines: list[Mine]) -> list[Due]:
    model = model_for(mines[0], "s2-rgb")
    return [(row, mine) for mine in mines for row in agenda.due_acquisitions(database, mine, model, **JANUARY)]


def found(database: sql.Connection, near: list[Mine]) -> int:
    return discover(database, near[0], SENSOR_SETS["s2-rgb"], **JANUARY, beside=near[1:])


def test_one_search_finds_what_each_of_the_mines_would(database, near, sentinel_hub):
    sentinel_hub.features = products((1, EVERYWHERE), (2, WEST))
    assert found(database, near) == 5 and found(database, near) == 0
    alone = sql.run(database, "acquisition_watermark", mine_id=near[2].mine_id, sensor_set="s2-rgb",
                    collection="sentinel-2-l2a")  # fmt: skip
    assert alone[0]["latest"] == date(2023, 1, 1)
    searches = [body for path, body in sentinel_hub.requests if path.endswith("/search")]
    assert len(searches) == 2 and len(searches[0]["intersects"]["coordinates"]) == 3
    assert "geometry" in searches[0]["fields"]["include"]
    assert charges(database, "search") == [(0.0033, 1), (0.0033, 0), (0.0033, 0)] * 2
    assert budget.this_month(database).requests == 2


def test_an_outline_that_is_none_is_a_service_error_and_writes_nothing(database, near, sentinel_hub):
    sentinel_hub.features = products((1, EVERYWHERE))
    sentinel_hub.features[0]["geometry"] = {"type": "Polygon", "coordinates": "here"}
    with pytest.raises(ServiceError, match="whose outline is none"):
        found(database, near)
    assert database.execute("select count(*) as n from acquisition").fetchone()["n"] == 0
    assert shows({"geometry": None}, near[0].aoi)


def test_a_download_serves_those_for_which_it_costs_less(database, near, sentinel_hub, rasters, ground):
    sentinel_hub.features = products((1, EVERYWHERE))
    found(database, near)
    (first, one), *beside = due(database, near)
    _, left = download(database, first, one, beside)
    assert [mine.slug for _, mine in left] == ["distant"]
    assert download(database, *left[0])[1] == []
    rows = [current(database, acquisition) for acquisition, _ in [(first, one), *beside]]
    assert [row.state for row in rows] == ["downloaded"] * 3
    assert charges(database, "process") == [(0.5, 1), (0.5, 0), (1.0, 1)]
    assert [round(row.processing_units, 2) for row in rows] == [0.5, 0.5, 1.0]
    for row, mine in zip(rows, near, strict=True):
        raster = read_raster(row.raster, row.checksum)
        assert raster.grid == mine.grid
        assert raster.array[0, 0, 0] == mine.grid.left / 10 % 10_000
        assert raster.array[1, -1, 0] == (mine.grid.top / 10 - mine.grid.height + 1) % 10_000


def test_a_fault_in_one_of_a_shared_download_is_no_try_of_the_others(
    database, near, sentinel_hub, rasters, ground, monkeypatch
):
    sentinel_hub.features = products((1, EVERYWHERE))
    found(database, near)
    answer, bad = sentinel_hub.reply, near[1].grid

    def refuse(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if path.endswith("/process") and body["input"]["bounds"]["bbox"][2] >= bad.bounds[2]:
            return 400, {}, b'{"error": {"message": "no"}}'
        return answer(path, body)

    monkeypatch.setattr(sentinel_hub, "reply", refuse)
    (first, one), second = due(database, near[:2])
    assert download(database, first, one, [second])[1] == [second] and download(database, *second)[1] == []
    rows = [current(database, acquisition) for acquisition in (first, second[0])]
    assert [(row.state, row.tries) for row in rows] == [("downloaded", 0), ("failed", 1)]


@pytest.mark.parametrize(("priority", "limit"), [("high", 0.07), ("low", 0.25)])
def test_who_does_not_share_waits_for_no_other_and_spends_nothing_for_one(
    database, near, sentinel_hub, rasters, ground, monkeypatch, priority, limit
):
    """The budget lacks what both cost together, or has it only from what is kept for the first."""
    registry.prioritise(database, near[0].slug, "high")
    registry.prioritise(database, near[1].slug, priority)
    mines = [registry.find(database, mine.slug) for mine in near[:2]]
    sentinel_hub.features = products((1, EVERYWHERE))
    found(database, mines)
    (first, one), second = due(database, mines)
    monkeypatch.setenv("MINECAM_PU_MONTH", str(budget.this_month(database).processing_units + limit))
    assert download(database, first, one, [second])[1] == [second] and download(database, *second)[1] == []
    states = [current(database, acquisition).state for acquisition in (first, second[0])]
    assert states == ["downloaded", "discovered"]


def test_a_mine_larger_than_a_request_comes_in_parts_without_a_seam(database, sentinel_hub, rasters, ground):
    long = registry.add(database, slug="long", name="Long", aoi=box(81.1, 21.1, 81.36, 21.104))
    sentinel_hub.features = products((1, EVERYWHERE))
    discover(database, long, SENSOR_SETS["s2-rgb"], **JANUARY)
    ((acquisition, _),) = due(database, [long])
    assert long.grid.width > MAX_SIDE and download(database, acquisition, long)[1] == []
    row = current(database, acquisition)
    raster = read_raster(row.raster, row.checksum)
    columns = (long.grid.left / 10 + np.arange(long.grid.width)) % 10_000
    assert raster.grid == long.grid and (raster.array[0] == columns[None]).all()
    assert charges(database, "process") == [(1.0, 1), (1.0, 1)] and row.processing_units == 2
