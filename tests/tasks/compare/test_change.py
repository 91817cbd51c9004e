from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.prediction import Prediction
from tasks.compare.change import changes, interior
from tasks.compare.previous import previous_observation
from tasks.rasters.grid import Grid

GRID = Grid(32642, 500_000, 3_700_000, 24, 20)
CLASSES = arrays(np.uint8, (20, 24), elements=st.sampled_from([0, 1, 2, 255]), fill=st.sampled_from([0, 1, 255]))
TIMES = [datetime(2023, month, 1, tzinfo=UTC) for month in (3, 2, 1)]


def look(classes, sure=90, mine=None):
    """What a network saw that is `sure` of every class, and of `mine` where there is one (else as sure)."""
    components = np.full_like(classes, sure if mine is None else mine)
    chance = np.where(classes == 0, 100 - sure, components).astype(np.uint8)
    return Prediction(classes, np.full_like(classes, sure), np.where(classes == 255, 255, chance).astype(np.uint8))


def found(
    before, after, *, border_px=1, min_confidence=0.5, least=0.02, sieve_hectares=0.0, sure=90, mine=None, earlier=None
):
    return changes(
        before=previous_observation(earlier=earlier or [look(before)], needed=after != 255),
        times=TIMES,
        now=look(after, sure, mine),
        grid=GRID,
        border_px=border_px,
        min_confidence=min_confidence,
        min_hectares=least,
        sieve_hectares=sieve_hectares,
    )


def square(side=6, value=1):
    raster = np.zeros((20, 24), np.uint8)
    raster[4 : 4 + side, 5 : 5 + side] = value
    return raster


@settings(max_examples=25, deadline=None)
@given(CLASSES)
def test_identical_rasters_give_no_change(classes):
    assert found(classes, classes, border_px=0, least=0.0).empty


@settings(max_examples=25, deadline=None)
@given(CLASSES, CLASSES, st.integers(0, 1))
def test_unknown_never_counts_and_areas_add_up(before, after, border_px):
    frame = found(before, after, border_px=border_px, least=0.01)
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
    assert found(square(0), square(6), least=0.37).empty
    assert found(square(0), square(6), sure=40).empty
    assert found(square(0), square(6), sure=40, min_confidence=0.4).hectares.sum() > 0


def test_new_mine_ground_counts_though_it_is_not_clear_what_it_is():
    (row,) = found(square(0), square(6), sure=40, mine=90, min_confidence=0.4).itertuples()
    assert (row.from_class, row.to_class) == (0, 1) and np.isclose(row.confidence, 0.9)
    unsure_of_background = look(square(0), sure=60)
    assert found(None, square(6), earlier=[unsure_of_background], sure=40, mine=90, min_confidence=0.7).empty


def test_a_speck_that_was_given_to_background_is_no_sure_background():
    """Its confidence is still that of the component which the network saw there."""
    sieved = look(square(0), sure=95)
    sieved.footprint[4:10, 5:11] = 98
    assert found(None, square(6), earlier=[sieved], min_confidence=0.7).empty


def test_one_component_for_another_counts_only_where_it_is_sure_which():
    dump = square(6, value=2)
    assert found(square(6), dump, sure=60, mine=99, min_confidence=0.7).empty
    (row,) = found(square(6), dump, sure=70, mine=99, min_confidence=0.7).itertuples()
    assert (row.from_class, row.to_class, round(row.confidence, 2)) == (1, 2, 0.7)


def test_the_minimum_mapping_unit_is_of_the_ground_not_of_its_parts():
    """A new pit of 18 pixels beside a new dump of 18: each below 0.2 ha, together above it."""
    after = square(6)
    after[4:10, 8:11] = 2
    frame = found(square(0), after, least=0.2)
    assert sorted(zip(frame.to_class, frame.hectares.round(2), strict=True)) == [(1, 0.18), (2, 0.18)]
    assert found(square(0), after, least=0.37).empty
    after[6, 6] = 3
    assert set(found(square(0), after, least=0.2, sieve_hectares=0.04).to_class) == {1, 2}, "a speck is its neighbour's"
    assert set(found(square(0), after, least=0.2).to_class) == {1, 2, 3}


def test_the_previous_time_is_the_latest_of_the_patch():
    latest = square(0)
    latest[:, :8] = 255
    frame = found(None, square(6), earlier=[look(latest), look(square(0))])
    assert frame.previous_time.tolist() == [TIMES[0]]


def test_unknown_neighbours_make_no_border():
    raster = square(6)
    raster[raster == 0] = 255
    assert interior(raster, 1).sum() == 36


def test_reclaimed_ground_appears_only_where_it_is_sure_to_be_that():
    nothing = np.zeros((20, 24), np.uint8)
    assert found(nothing, square(value=10), min_confidence=0.7, sure=60, mine=95).empty
    assert len(found(nothing, square(value=10), min_confidence=0.7, sure=80, mine=80)) == 1
