from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.compare import changes, interior
from tasks.grid import Grid
from tasks.previous import previous_observation

GRID = Grid(32642, 500_000, 3_700_000, 24, 20)
CLASSES = arrays(np.uint8, (20, 24), elements=st.sampled_from([0, 1, 2, 255]), fill=st.sampled_from([0, 1, 255]))
TIMES = [datetime(2023, month, 1, tzinfo=UTC) for month in (3, 2, 1)]
EVERYWHERE = np.ones((20, 24), bool)
OLD = [np.full((20, 24), value, np.uint8) for value in (0, 90)]


def found(before, after, *, border_px=1, min_confidence=0.5, min_hectares=0.02, sure=90, earlier=None):
    pairs = earlier or [(before, np.full_like(before, 90))]
    return changes(
        before=previous_observation(earlier=pairs, needed=after != 255),
        times=TIMES,
        classes=after,
        confidence=np.full_like(after, sure),
        grid=GRID,
        border_px=border_px,
        min_confidence=min_confidence,
        min_hectares=min_hectares,
    )


def square(side=6, value=1):
    raster = np.zeros((20, 24), np.uint8)
    raster[4 : 4 + side, 5 : 5 + side] = value
    return raster


@settings(max_examples=25, deadline=None)
@given(CLASSES)
def test_identical_rasters_give_no_change(classes):
    assert found(classes, classes, border_px=0, min_hectares=0.0).empty


@settings(max_examples=25, deadline=None)
@given(CLASSES, CLASSES, st.integers(0, 1))
def test_unknown_never_counts_and_areas_add_up(before, after, border_px):
    frame = found(before, after, border_px=border_px, min_hectares=0.01)
    assert not frame.from_class.isin([255]).any() and not frame.to_class.isin([255]).any()
    assert (frame.from_class != frame.to_class).all()
    differ = (before != after) & (before != 255) & (after != 255)
    assert frame.hectares.sum() <= differ.sum() * 0.01 + 1e-9
    if border_px == 0:
        assert np.isclose(frame.hectares.sum(), differ.sum() * 0.01)
    assert frame.geometry.is_valid.all()


def test_a_new_square_counts_in_full():
    frame = found(square(0), square(6))
    (row,) = frame.itertuples()
    assert (row.from_class, row.to_class, row.previous_time) == (0, 1, TIMES[0])
    assert np.isclose(row.hectares, 0.36) and np.isclose(row.confidence, 0.9)


def test_rims_small_patches_and_unsure_pixels_do_not_count():
    assert found(square(6), np.roll(square(6), 1, axis=1)).empty  # a border moved by one pixel
    assert found(square(0), square(2), border_px=1).empty
    assert found(square(0), square(6), min_hectares=0.37).empty
    assert found(square(0), square(6), sure=40).empty
    assert found(square(0), square(6), sure=40, min_confidence=0.4).hectares.sum() > 0


def test_the_previous_time_is_the_latest_of_the_patch():
    latest = square(0)
    latest[:, :8] = 255
    frame = found(None, square(6), earlier=[(latest, OLD[1]), (OLD[0], OLD[1])])
    assert frame.previous_time.tolist() == [TIMES[0]]


def test_unknown_neighbours_make_no_border():
    raster = square(6)
    raster[raster == 0] = 255
    assert interior(raster, 1).sum() == 36
