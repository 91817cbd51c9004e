"""Segment, store and compare on a real database, with a model that sees what it is told."""

import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from tasks.compare.compare import compare
from tasks.errors import RasterLost
from tasks.mines import registry
from tasks.rasters.cog import read_raster, write_cog
from tasks.records import Acquisition, current
from tasks.segment.segment import doubted, portions, segment
from tasks.segment.store import class_areas, store
from tasks.segment.vectorise import polygons
from tasks.settings import settings
from tests.tasks.brightness import MODEL, engine
from tests.tasks.grain import grained

AOI = shapely.box(69.0, 33.0, 69.007, 33.006)


@pytest.fixture
def mine(database, home, monkeypatch):
    """A mine, and a network that calls pixels brighter than 0.2 an excavation."""
    monkeypatch.setitem(sys.modules, "models.predict", engine())
    registry.publish_labels(database)
    return registry.add(database, slug="pit", name="Pit", aoi=AOI)


def pixels(grid, side, cloud=0):
    """Return B02, B03, B04, SCL, dataMask: bright over `side` pixels in the upper left, cloud in the right columns."""
    array = np.full((5, grid.height, grid.width), 1000, np.uint16)
    array[:3, 10 : 10 + side, 10 : 10 + side] = 3000
    array[:3] = grained(array[:3])
    array[3], array[4] = 4, 1
    if cloud:
        array[3, :, -cloud:] = 9
    return array


def acquire(database, mine, home, day, side, cloud=0):
    """Write an accepted acquisition of `pixels`."""
    grid = mine.grid
    array = pixels(grid, side, cloud)
    address = f"file://{home}/{day}.tif"
    names = ["B02", "B03", "B04", "SCL", "dataMask"]
    checksum = write_cog(address, array, grid, descriptions=names, nodata=None)
    time = datetime(2023, 1, day, tzinfo=UTC)
    row = database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state,"
        " raster, checksum) values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}', 'accepted', %s, %s) returning *",
        (mine.mine_id, time.date(), time, address, checksum),
    ).fetchone()
    return Acquisition(**row)


def stored(database, mine, acquisition, model=MODEL):
    [seen] = segment([(acquisition, mine)], model)
    least = settings().min_segment_hectares
    frame = polygons(classes=seen.classes, confidence=seen.confidence, grid=seen.grid, min_hectares=least)
    now, epoch = store(database, acquisition, mine, model, seen, frame, None)
    assert now == current(database, acquisition)
    return epoch


def test_beside_a_cloud_the_network_counts_as_less_sure(database, home, mine):
    side = mine.grid.width - 40  # the cloud's margin begins right of the pit's middle
    both = [(acquire(database, mine, home, day, 20, cloud), mine) for day, cloud in ((1, 0), (2, side))]
    clear, cloudy = segment(both, MODEL)
    seen = cloudy.classes != 255
    assert (clear.confidence[clear.classes != 255] == 90).all() and (cloudy.classes[seen] == clear.classes[seen]).all()
    assert sorted(np.unique(cloudy.confidence[seen])) == [73, 90] and cloudy.confidence[15, 37] == 73


def test_what_cannot_be_read_stops_itself_alone(database, home, mine):
    due = [(acquire(database, mine, home, day, 20), mine) for day in (1, 2, 3)]
    (home / "2.tif").unlink()
    before, lost, after = segment(due, MODEL)
    assert isinstance(lost, RasterLost) and (before.classes == after.classes).all()
    assert before.addresses != after.addresses


def test_rasters_go_together_as_far_as_memory_allows(database, home, mine, monkeypatch):
    due = [(acquire(database, mine, home, day, 20), mine) for day in (1, 2, 3)]
    megapixels = mine.grid.width * mine.grid.height / 1e6
    for most, sizes in ((megapixels / 2, [1, 1, 1]), (2.01 * megapixels, [2, 1]), (16, [3])):
        monkeypatch.setenv("MINECAM_TOGETHER_MPX", str(most))
        parts = list(portions(due))
        assert [len(part) for part in parts] == sizes and [one for part in parts for one in part] == due
    assert list(portions([])) == []


def test_doubt_brings_chances_nearer_to_even():
    chance = np.array([[0, 15, 50, 85, 100]], np.uint8)
    assert doubted(chance, np.ones((1, 5), bool)).tolist() == [[21, 30, 50, 70, 79]]
    assert (doubted(chance, np.zeros((1, 5), bool)) == chance).all()


def count(database, table):
    return database.execute(f"select count(*) as n from {table}").fetchone()["n"]


def test_an_epoch_is_stored_whole_and_once(database, home, mine):
    acquisition = acquire(database, mine, home, 1, side=20)
    epoch = stored(database, mine, acquisition)
    assert stored(database, mine, acquisition) == epoch
    segment_row = database.execute(
        "select class_id, hectares, st_srid(geom) srid, st_isvalid(geom) valid,"
        " st_area(geom::geography) / 10000 as ground from segment"
    ).fetchone()
    assert (segment_row["class_id"], segment_row["srid"], segment_row["valid"]) == (1, 4326, True)
    assert segment_row["hectares"] == pytest.approx(4.0) == pytest.approx(segment_row["ground"], rel=0.01)
    areas = database.execute("select class_id, hectares from class_area order by class_id").fetchall()
    assert len(areas) == 11 and areas[1]["hectares"] == pytest.approx(4.0)
    assert sum(row["hectares"] for row in areas) == pytest.approx(epoch.valid_hectares)
    assert database.execute("select state from acquisition").fetchone()["state"] == "segmented"
    tags = read_raster(epoch.class_raster, epoch.class_checksum).tags
    assert (tags["class_1"], tags["cloud_mask"], tags["cloud_margin_px"]) == ("excavation", "scl", "2")


def test_an_epoch_without_any_component_is_fine(database, home, mine):
    epoch = stored(database, mine, acquire(database, mine, home, 1, side=0))
    assert count(database, "segment") == 0
    assert epoch.valid_hectares == pytest.approx(epoch.aoi_hectares)


def test_polygons_that_disagree_with_the_raster_quarantine(database, home, mine):
    acquisition = acquire(database, mine, home, 1, side=20)
    [seen] = segment([(acquisition, mine)], MODEL)
    frame = polygons(classes=seen.classes, confidence=seen.confidence, grid=seen.grid, min_hectares=0)
    frame["hectares"] *= 2
    now, epoch = store(database, acquisition, mine, MODEL, seen, frame, None)
    assert epoch is None and now == current(database, acquisition)
    assert now.state == "quarantined"
    assert now.reasons == ["hectares of polygons and of the class raster differ by 50 %"]
    assert count(database, "epoch") == 0


def test_other_weights_supersede(database, home, mine):
    acquisition = acquire(database, mine, home, 1, side=20)
    first = stored(database, mine, acquisition)
    compare(database, first, mine)
    second = stored(database, mine, acquisition, SimpleNamespace(**{**vars(MODEL), "checksum": "b" * 64}))
    assert second.epoch_id != first.epoch_id
    assert count(database, "epoch where superseded_at is null") == 1
    assert count(database, "comparison where superseded_at is null") == 0


def test_growth_is_compared_and_a_late_epoch_makes_it_again(database, home, mine):
    first, third = (
        stored(database, mine, acquire(database, mine, home, day, side)) for day, side in ((1, 10), (9, 20))
    )
    opening = compare(database, first, mine)
    assert opening.previous_epochs == [] and opening.valid_hectares == 0
    grown = compare(database, third, mine)
    assert grown.previous_epochs == [first.epoch_id]
    assert grown.changed_hectares == pytest.approx(3.0)
    assert compare(database, third, mine) == grown
    change = database.execute("select * from change").fetchone()
    assert (change["from_class"], change["to_class"], change["previous_time"]) == (0, 1, first.sensing_time)

    late = stored(database, mine, acquire(database, mine, home, 5, side=20, cloud=20))
    again = compare(database, third, mine)
    assert again.previous_epochs == [late.epoch_id, first.epoch_id]  # under the cloud, the first one counts
    assert again.changed_hectares == 0
    assert count(database, "comparison where superseded_at is null") == 2


def test_class_areas_of_nothing():
    nothing = np.full((4, 4), 255, np.uint8)
    assert {(row["hectares"], row["confidence"]) for row in class_areas(nothing, nothing)} == {(0.0, None)}
