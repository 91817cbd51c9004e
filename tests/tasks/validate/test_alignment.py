"""Shifts of a fraction of a pixel: measured, and undone through the real steps with the shipped model."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy import ndimage

from deploy.simulate.scenes import digital_numbers
from deploy.simulate.sites import DEMO
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.world import world
from models import zoo
from tasks.compare.compare import compare
from tasks.mines import registry
from tasks.rasters.cog import Raster, read_raster, write_cog
from tasks.rasters.grid import Grid, to_wgs84
from tasks.records import Acquisition
from tasks.segment.segment import segment
from tasks.segment.store import store
from tasks.segment.vectorise import vectorise
from tasks.validate.alignment import aligned, measured_shift
from tasks.validate.validate import validate

GROUND = ndimage.gaussian_filter(np.random.default_rng(4).random((120, 110)), 1.2)
EVERYWHERE = np.ones(GROUND.shape, bool)
FRACTIONS = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


def lying(image, shift, spline=5):
    return ndimage.shift(image, shift, order=spline, mode="mirror")


@given(FRACTIONS)
@examples(max_examples=6, deadline=None)
def test_a_fraction_of_a_pixel_is_found(shift):
    assert measured_shift(GROUND, EVERYWHERE, lying(GROUND, shift), EVERYWHERE) == pytest.approx(shift, abs=0.05)


@given(FRACTIONS)
@examples(max_examples=6, deadline=None)
def test_clouds_do_not_draw_a_shift_towards_none(shift):
    cloud = np.zeros_like(EVERYWHERE)
    cloud[20:60, 30:70] = True
    after = np.where(cloud, 5.0, lying(GROUND, shift))
    assert measured_shift(GROUND, EVERYWHERE, after, ~cloud) == pytest.approx(shift, abs=0.1)


@pytest.mark.parametrize("shift", [(0, 0), (9, -14), (-1, 0)])
def test_a_shift_of_whole_pixels_is_found(shift):
    moved = np.roll(GROUND, shift, (0, 1))
    assert measured_shift(GROUND, EVERYWHERE, moved, EVERYWHERE) == pytest.approx(shift, abs=0.05)


def test_ground_that_changed_is_no_shift():
    before, after = GROUND.copy(), GROUND.copy()
    before[10:40, 10:40] += 20 * GROUND[80:110, 20:50]
    after[16:46, 14:44] += before[10:40, 10:40]  # a pattern that lies elsewhere now, on ground that stayed
    assert measured_shift(before, EVERYWHERE, after, EVERYWHERE) in (None, pytest.approx((0, 0), abs=0.05))


def test_a_pit_that_grows_on_even_ground_is_no_shift():
    before, after = np.full((2, 70, 70), 1000.0)
    before[10:20, 10:20], after[10:30, 10:30] = 3000, 3000  # the far corners look alike
    everywhere = np.ones(before.shape, bool)
    assert measured_shift(before, everywhere, after, everywhere) in (None, pytest.approx((0, 0), abs=0.5))


def test_unlike_scenes_and_too_little_ground_say_nothing():
    other = np.random.default_rng(3).random(GROUND.shape)
    few = np.zeros_like(EVERYWHERE)
    few[:30, :30] = True
    assert measured_shift(GROUND, EVERYWHERE, other, EVERYWHERE) is None
    assert measured_shift(GROUND, EVERYWHERE, GROUND, few) is None
    assert measured_shift(np.ones_like(GROUND), EVERYWHERE, np.ones_like(GROUND), EVERYWHERE) is None


@pytest.mark.shared_data
@pytest.mark.parametrize("chip", ["chip_005", "chip_064", "chip_107"])
def test_on_real_ground_a_tenth_of_a_pixel_is_told(shared_data, chip):
    with rasterio.open(shared_data / "chips" / "images" / f"{chip}.tif") as dataset:
        image = dataset.read(3).astype(float)[60:-60, 60:-60]
    noise = np.random.default_rng(8).normal(0, 0.02 * image.std(), (2, *image.shape))
    everywhere = np.ones(image.shape, bool)
    for shift in ((0.1, -0.3), (0.8, 0.5), (-2.4, 1.1)):
        after = ndimage.gaussian_filter(lying(image, shift), 0.4) * 1.1 + 30 + noise[0]  # hazier, duller, noisy
        measured = measured_shift(image + noise[1], everywhere, after, everywhere)
        assert np.hypot(*np.subtract(measured, shift)) < 0.1


@given(FRACTIONS)
@examples(max_examples=6, deadline=None)
def test_what_is_undone_lies_in_place(shift):
    grid = Grid(32633, 500_000, 5_000_000, GROUND.shape[1], GROUND.shape[0])
    scl = np.where(np.median(GROUND) < GROUND, 4, 9)
    planes = [1000 + 2000 * lying(GROUND, shift), lying(scl, shift, spline=0), EVERYWHERE]
    raster = Raster(np.stack(planes).astype(np.uint16), ("B04", "SCL", "dataMask"), grid, {"of": "a tag"})
    back = aligned(raster, shift)
    inside = (slice(5, -5), slice(5, -5))
    off = np.abs(back.band("B04")[inside].astype(float) - (1000 + 2000 * GROUND[inside]))
    assert off.mean() < 12 and (back.tags, back.grid) == (raster.tags, grid)
    assert set(np.unique(back.band("SCL"))) <= {0, 4, 9}
    assert (back.band("SCL")[inside] == scl[inside]).mean() > 0.8
    outside = round(abs(shift[0])) * GROUND.shape[1]  # rows that came from outside
    assert (back.band("dataMask") == 0).sum() >= outside


@pytest.fixture
def acquired(database, home):
    """A simulated mine that stands still, and a function that writes its acquisition of a day with a shift."""
    registry.publish_labels(database)
    here = world(DEMO[1], size=160, seed=7, years=1.0)
    grid = Grid(32722, 600_000, 9_300_000, 160, 160)
    mine = registry.add(database, slug="pit", name="Pit", aoi=to_wgs84(shapely.box(*grid.bounds).buffer(-5), grid.epsg))
    still = here.state(years=0.5, day=100)
    assert mine.grid == grid

    def acquire(day, shift):
        moment = datetime(2026, 4, 1, 10, tzinfo=UTC) + timedelta(days=day)
        planes = digital_numbers(here.optical(still, moment=moment, weather="clear"))
        lie = [np.clip(np.round(lying(plane.astype(float), shift)), 1, None) for plane in planes[:-1]]
        array = np.stack([*lie, planes[-1], np.ones((160, 160))])
        address = f"file://{home}/{day}.tif"
        names = (*S2_BANDS, "SCL", "dataMask")
        tags = {"harmonised": "true"}
        checksum = write_cog(address, array.astype(np.uint16), grid, descriptions=names, nodata=None, tags=tags)
        row = database.execute(
            "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state,"
            " raster, checksum) values (%s, 's2-10', 'sentinel-2-l2a', %s, %s, '{X}', 'downloaded', %s, %s)"
            " returning *", (mine.mine_id, moment.date(), moment, address, checksum),
        ).fetchone()  # fmt: skip
        return Acquisition(**row)

    return mine, acquire


def false_hectares(database, mine, model, acquisition):
    """Carry an acquisition of ground that stands still through the steps; return how much change is found."""
    judged = validate(database, acquisition, mine)
    assert judged.accepted
    [seen] = segment([(judged, mine)], model)
    _, epoch = store(database, judged, mine, model, seen, vectorise(seen), None)
    return compare(database, epoch, mine).changed_hectares


def test_a_shift_that_is_undone_leaves_less_false_change(database, acquired, monkeypatch):
    mine, acquire = acquired
    model = zoo.load("s2-10-simulated", device="cpu")
    first, shifted, left_in = (acquire(*of) for of in ((0, (0, 0)), (5, (0.6, -0.55)), (10, (0.6, -0.55))))
    false_hectares(database, mine, model, first)
    undone = false_hectares(database, mine, model, shifted)
    monkeypatch.setenv("MINECAM_MIN_SHIFT_PX", "3")
    assert undone < false_hectares(database, mine, model, left_in) / 2
    rows = database.execute("select shift_rows, shift_columns from acquisition order by acquisition_id").fetchall()
    assert (rows[0]["shift_rows"], rows[0]["shift_columns"]) == (0, 0)
    for row in rows[1:]:
        # 0.2: the simulator shifts each scene a little itself
        assert (row["shift_rows"], row["shift_columns"]) == pytest.approx((0.6, -0.55), abs=0.2)
    assert read_raster(shifted.raster, shifted.checksum)  # it stays as it came
