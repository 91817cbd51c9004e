from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely

from tasks.mines import registry
from tasks.rasters.cog import read_raster, write_cog
from tasks.records import Acquisition, current
from tasks.validate.validate import validate

NAMES = ("B02", "B03", "B04")
AOI = shapely.box(69.0, 33.0, 69.007, 33.006)


def acquire(database, mine, home, day, **changes):
    """Write an acquisition raster and its downloaded row."""
    grid = mine.grid
    generator = np.random.default_rng(changes.get("seed", 1))
    array = generator.integers(800, changes.get("most", 3000), (5, grid.height, grid.width)).astype(np.uint16)
    array[3] = changes.get("scl", 4)
    array[4] = 1
    if changes.get("bright"):
        array[:3, 10:40, 10:40] = np.random.default_rng(7).integers(3990, 4010, (3, 30, 30))
    if "edge" in changes:
        rows, columns = np.mgrid[: grid.height, : grid.width]
        array[:3, columns - 0.4 * rows < 12] = changes["edge"]
    array[:3] = np.roll(array[:3], changes.get("roll", 0), axis=2)
    for index in changes.get("without", ()):
        array[index] = 0
    address = f"file://{home}/{day}.tif"
    tags = {"harmonised": changes.get("harmonised", "true")}
    checksum = write_cog(address, array, grid, descriptions=(*NAMES, "SCL", "dataMask"), nodata=None, tags=tags)
    time = datetime(2023, 1, day, tzinfo=UTC)
    (row,) = database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state,"
        " raster, checksum) values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}', 'downloaded', %s, %s) returning *",
        (mine.mine_id, time.date(), time, address, checksum),
    ).fetchall()
    return Acquisition(**row)


def approx(pixels):
    return pytest.approx(pixels, abs=0.05)


def state(database, row):
    return current(database, row)


@pytest.fixture
def mine(database, home):
    return registry.add(database, slug="pit", name="Pit", aoi=AOI)


def test_a_clear_acquisition_is_accepted_once(database, home, mine):
    row = acquire(database, mine, home, 1)
    assert validate(database, row, mine).accepted
    after = state(database, row)
    assert (after.state, after.reasons, after.valid_share) == ("accepted", [], 1.0)
    assert validate(database, after, mine).accepted and validate(database, row, mine).accepted
    assert database.execute("select count(*) as n from validation").fetchone()["n"] == 1


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        (
            {"without": [1]},
            [
                "0 % of the AOI was truly observed (at least 30 %): 100 % not measured, or beside clouds",
                "band B03 is missing (no values)",
            ],
        ),
        (
            {"scl": 9},
            [
                "cloud over 100 % of the AOI (at most 60 %)",
                "0 % of the AOI was truly observed (at least 30 %): 100 % cloud or shadow",
            ],
        ),
        (
            {"harmonised": "false"},
            ["the raster is not tagged harmonised: the baseline offset may be in it"],
        ),
    ],
)
def test_what_fails_is_quarantined_with_just_its_reasons(database, home, mine, changes, reasons):
    row = acquire(database, mine, home, 1, **changes)
    assert not validate(database, row, mine).accepted
    assert state(database, row).state == "quarantined"
    assert state(database, row).reasons == reasons


def shifts(database):
    rows = database.execute("select shift_rows, shift_columns, state from acquisition order by sensing_time").fetchall()
    return [(row["shift_rows"], row["shift_columns"], row["state"]) for row in rows]


def test_all_are_laid_on_the_first_in_time(database, home, mine):
    rows = [acquire(database, mine, home, day, roll=by) for day, by in ((2, 0), (3, 2), (4, -2), (1, 1))]
    assert all(validate(database, row, mine).accepted for row in rows)
    assert shifts(database) == [(approx(0), approx(by), "accepted") for by in (0, 0, 2, -2)]
    (figures,) = (
        database.execute("select figures from validation order by validation_id desc limit 1").fetchone().values()
    )
    assert figures["shift_px"] == 0


def test_without_the_first_the_next_one_in_time_tells_where_all_lie(database, home, mine):
    rows = [acquire(database, mine, home, day, roll=by) for day, by in ((1, 0), (2, 2), (3, 1))]
    assert all(validate(database, row, mine).accepted for row in rows[:2])
    Path(rows[0].raster.removeprefix("file://")).unlink()
    assert validate(database, rows[2], mine).accepted
    assert shifts(database)[2] == (approx(0), approx(1), "accepted")


def test_what_lies_too_far_off_is_quarantined(database, home, mine):
    assert validate(database, acquire(database, mine, home, 1), mine).accepted
    row = acquire(database, mine, home, 2, roll=5)
    assert not validate(database, row, mine).accepted
    assert state(database, row).reasons == ["shifted by 5.0 pixels against earlier epochs (at most 3 is undone)"]
    unlike = acquire(database, mine, home, 3, seed=9)
    assert validate(database, unlike, mine).accepted
    assert shifts(database)[2] == (None, None, "accepted")


def test_a_band_that_is_three_times_as_bright_and_lines_that_came_are_faults_of_the_sensor(database, home, mine):
    first, second = (acquire(database, mine, home, day) for day in (1, 2))
    assert validate(database, first, mine).accepted and validate(database, second, mine).accepted
    raster = read_raster(first.raster)
    array = raster.array.copy()
    array[1] *= 3
    array[2, 40:42] //= 2
    row = acquire(database, mine, home, 3)
    names, tags = raster.descriptions, raster.tags
    checksum = write_cog(row.raster, array, raster.grid, descriptions=names, nodata=None, tags=tags)
    assert not validate(database, replace(row, checksum=checksum), mine).accepted
    assert state(database, row).reasons == [
        "B03 is 3.0 times brighter or darker than ever before all over the AOI (at most 2 times)",
        "1 stripes: lines of pixels that are dead, or brighter or darker than those beside them",
    ]
