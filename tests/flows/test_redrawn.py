"""What becomes of a mine's epochs when its outline is redrawn, through the flow; the service is a stand-in."""

from datetime import date
from typing import Any

import pytest
import shapely
from shapely.geometry import box

import sql
from flows import monitor
from tasks import agenda
from tasks.errors import Busy, WrongUse
from tasks.mines import edits, registry
from tasks.report import picture, report
from tests.flows.test_monitor import Scenes, comparisons, run, scenes, states, watch
from tests.tasks.brightness import MODEL
from tests.tasks.conftest import sentinel_hub
from tests.tasks.segment.test_epochs import acquire, mine, stored

__all__ = ["mine", "run", "scenes", "sentinel_hub", "watch"]

WHO = {"who": "Ada", "why": "the pit leaves it"}


def redraw(database: sql.Connection, scenes: Scenes, aoi: shapely.Geometry) -> registry.Mine:
    with agenda.one_run_at_a_time(database, registry.find(database, "pit")) as held:
        drawn = edits.edit(database, held, aoi=aoi, **WHO)
    scenes.grid = drawn.grid
    return drawn


def epochs(database: sql.Connection) -> list[tuple[int, str | None]]:
    rows = database.execute("select sensing_time, superseded_why from epoch order by epoch_id").fetchall()
    return [(row["sensing_time"].day, row["superseded_why"]) for row in rows]


def rerun() -> None:
    monitor.mine("pit", start=date(2023, 1, 1), end=date(2023, 1, 31), rerun=True)


def test_epochs_of_another_grid_stay_and_are_held_against_nothing(
    database: sql.Connection, home: Any, mine: registry.Mine, scenes: Scenes, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINECAM_MODEL", MODEL.name)
    scenes.days = {1: (["A_N0509_"], 10, 0), 5: (["B_N0509_"], 20, 0)}
    run()
    west, south, east, north = mine.aoi.bounds
    drawn = redraw(database, scenes, box(west - 0.002, south - 0.002, east, north))
    assert drawn.grid != mine.grid
    scenes.days[9] = (["C_N0509_"], 20, 0)
    run()
    assert [state for _, state, _ in states(database)] == ["segmented"] * 3
    assert comparisons(database) == [(1, 0), (5, 3), (9, 0)], "the first on the new grid is held against nothing"
    (third,) = database.execute("select * from comparison order by comparison_id desc limit 1").fetchall()
    assert third["previous_epochs"] == [] and third["valid_hectares"] == 0
    assert report(database, drawn).columns["first"]["date"] == "2023-01-09"
    assert picture(database, drawn).startswith(b"\x89PNG")

    rerun()
    assert epochs(database) == [(1, "segmented for another AOI"), (5, "segmented for another AOI"), (9, None),
                                (1, None), (5, None)]  # fmt: skip
    run()
    assert comparisons(database) == [(1, 0), (5, 3), (9, 0)]
    (third,) = database.execute(
        "select k.* from comparison k join epoch e using (epoch_id) where k.superseded_at is null"
        " and e.sensing_time::date = '2023-01-09'").fetchall()  # fmt: skip
    assert third["previous_epochs"] and third["valid_hectares"] > 0
    before = epochs(database)
    rerun()
    assert epochs(database) == before


def test_on_the_same_grid_epochs_are_made_anew_without_downloading(
    database: sql.Connection, home: Any, mine: registry.Mine, scenes: Scenes, run: Any, sentinel_hub: Any
) -> None:
    scenes.days = {1: (["A_N0509_"], 10, 0), 5: (["B_N0509_"], 20, 0)}
    run()
    rasters = [row["class_raster"] for row in database.execute("select class_raster from epoch").fetchall()]
    west, south, east, north = mine.aoi.bounds
    hole = box(*shapely.Point((west + east) / 2, (south + north) / 2).buffer(0.0005).bounds)
    drawn = redraw(database, scenes, mine.aoi.difference(hole))
    assert drawn.grid == mine.grid
    served = sum(path.endswith("/process") for path, _ in sentinel_hub.requests)
    rerun()
    assert sum(path.endswith("/process") for path, _ in sentinel_hub.requests) == served
    assert [why for _, why in epochs(database)] == ["segmented for another AOI"] * 2 + [None] * 2
    made = database.execute("select * from epoch where superseded_at is null").fetchall()
    assert all(row["class_raster"] not in rasters for row in made), "the rasters of before are not written over"
    assert made[0]["aoi_hectares"] < grid_hectares(mine)


def grid_hectares(mine: registry.Mine) -> float:
    return float(mine.grid.mask(mine.aoi).sum()) / 100


def test_what_lies_outside_the_aoi_of_its_day_an_epoch_did_not_see(
    database: sql.Connection, home: Any, mine: registry.Mine, scenes: Scenes, run: Any
) -> None:
    scenes.days = {1: (["A_N0509_"], 10, 0), 5: (["B_N0509_"], 20, 0)}
    run()
    seen = "select sum(hectares(geom, (select aoi from mine))) as ha from mine_on('pit', '2023-01-31')"
    before = database.execute(seen).fetchone()["ha"]  # type: ignore[index]
    west, south, east, north = mine.aoi.bounds
    redraw(database, scenes, box(west - 0.01, south, east, north))
    assert database.execute(seen).fetchone()["ha"] == pytest.approx(before, rel=1e-3)  # type: ignore[index]
    for empty in ("growth('pit')", "mine_month"):
        assert database.execute(f"select * from {empty}").fetchall() == []  # type: ignore[call-overload]
    redraw(database, scenes, box(west - 0.02, south, east, north))
    assert database.execute(seen).fetchone()["ha"] == pytest.approx(before, rel=1e-3)  # type: ignore[index]
    assert len(database.execute("select * from mine_history where class = 'excavation'").fetchall()) == 2
    kept = database.execute("select edit, who, why, st_area(geom) as area from mine_edit order by at").fetchall()
    assert [(row["edit"], row["who"]) for row in kept] == [("aoi", "Ada")] * 2 and kept[0]["area"] < kept[1]["area"]


def test_what_is_segmented_of_the_grid_of_before_did_not_see_the_rest(
    database: sql.Connection, home: Any, mine: registry.Mine
) -> None:
    """As when another model is to watch the mine, and nothing was fetched anew."""
    acquisition = acquire(database, mine, home, 1, 10)
    west, south, east, north = mine.aoi.bounds
    drawn = edits.edit(database, mine, aoi=box(west - 0.007, south, east, north), **WHO)
    epoch = stored(database, drawn, acquisition)
    assert epoch.aoi_hectares == grid_hectares(drawn) and epoch.valid_hectares < 0.52 * epoch.aoi_hectares
    (row,) = database.execute("select hectares(geom, aoi) as ha from epoch_unseen, mine").fetchall()
    assert row["ha"] == pytest.approx(epoch.aoi_hectares - epoch.valid_hectares, rel=0.02), "but for pixels of the rim"


def test_a_run_takes_the_outline_as_it_is_when_it_begins(
    database: sql.Connection, database_url: str, home: Any, mine: registry.Mine, scenes: Scenes
) -> None:
    drawn = redraw(database, scenes, box(*shapely.box(*mine.aoi.bounds).buffer(0.001).bounds))
    with agenda.runs_of(database, [mine]) as (held,):
        assert held.aoi.equals(drawn.aoi)
        with sql.connect(database_url) as other, pytest.raises(Busy), agenda.one_run_at_a_time(other, mine):
            pass


def test_a_retired_mine_is_not_run(database: sql.Connection, home: Any, mine: registry.Mine, run: Any) -> None:
    edits.retire(database, mine, **WHO)
    with pytest.raises(WrongUse, match=r"'pit' is retired since .*: `minecam mine resume pit"):
        run()
    assert registry.mines(database) == []
    edits.resume(database, registry.find(database, "pit"), **WHO)
    assert [one.slug for one in registry.mines(database)] == ["pit"]
