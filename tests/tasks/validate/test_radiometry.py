"""Faults put into ground that has texture, a straight road, haze and seasons of its own."""

import numpy as np
import pytest

from tasks.validate.radiometry import LEAST_LINE, gain, offset_left, stripes

GENERATOR = np.random.default_rng(7)
GROUND = (0.15 + 0.05 * GENERATOR.random((80, 90)) + 0.1 * (np.indices((80, 90)).sum(axis=0) > 90)).astype(np.float32)
EVERYWHERE = np.ones(GROUND.shape, bool)


def seen(band, valid=EVERYWHERE):
    return np.asarray(band, np.float32), valid


def with_line(factor, *, row=30, rows=1):
    band = GROUND.copy()
    band[row : row + rows] *= factor
    return band


BEFORE = [seen(GROUND)]


def test_an_offset_is_told_from_haze():
    dark = np.array([0.05, 0.06, 0.08])
    assert offset_left(dark + 0.1, dark)
    assert not offset_left(dark + np.array([0.12, 0.1, 0.07]), dark)
    assert not offset_left(dark, dark)


@pytest.mark.parametrize("by", [0.2, 0.5, 2, 10])
def test_a_gain_is_told_by_its_factor_up_or_down(by):
    assert gain(seen(GROUND * by), BEFORE) == pytest.approx(max(by, 1 / by), rel=0.02)


def test_haze_a_season_of_part_and_a_growing_pit_are_no_gain():
    haze = 0.8 * GROUND + 0.15
    grown = np.where(np.indices(GROUND.shape)[0] < 60, 3 * GROUND, GROUND)
    assert gain(seen(haze), BEFORE) == 1 and gain(seen(grown), BEFORE) == 1
    assert gain(seen(GROUND * 3), [*BEFORE, seen(GROUND * 3)]) == pytest.approx(1, abs=0.01)
    assert gain(seen(GROUND), [seen(GROUND * 3), seen(GROUND / 3)]) == 1  # brighter than one, darker than the other


def test_of_too_few_pixels_or_flat_ground_there_is_no_statement():
    corner = np.zeros_like(EVERYWHERE)
    corner[:19, :20] = True
    assert gain(seen(GROUND), []) is None and gain(seen(GROUND), [seen(GROUND, corner)]) is None
    assert gain(seen(GROUND), [seen(0 * GROUND + 0.2)]) is None


@pytest.mark.parametrize(("factor", "rows"), [(0.5, 1), (0.7, 2), (1.3, 1), (1.5, 2)])
def test_lines_that_were_not_there_before_are_stripes(factor, rows):
    band = with_line(factor, rows=rows)
    assert stripes(seen(band), BEFORE) == 1
    assert stripes(seen(band.T, EVERYWHERE.T), [seen(GROUND.T, EVERYWHERE.T)]) == 1
    band[60:62] *= factor
    assert stripes(seen(band), BEFORE) == 2


def test_a_road_that_was_there_before_is_none_and_without_a_before_only_a_dead_line_is():
    road = seen(with_line(1.5))
    assert stripes(road, [seen(with_line(1.4, row=31))]) == 0  # a pixel off
    assert stripes(road, [*BEFORE, seen(with_line(1.4))]) == 0
    assert stripes(road, []) == 0 and stripes(seen(with_line(0)), []) == 1
    unseen = EVERYWHERE.copy()
    unseen[30] = False
    assert stripes(road, [seen(GROUND, unseen)]) == 0


def test_what_covers_part_of_a_line_or_a_short_one_is_no_stripe():
    part = GROUND.copy()
    part[30, :70] *= 2
    assert stripes(seen(part), BEFORE) == 0
    narrow = EVERYWHERE.copy()
    narrow[:, LEAST_LINE - 1 :] = False
    assert stripes(seen(with_line(2), narrow), [seen(GROUND, narrow)]) == 0
    assert stripes(seen(with_line(2), ~EVERYWHERE), BEFORE) == 0
    assert stripes(seen(GROUND[:2, :2], EVERYWHERE[:2, :2]), []) == 0
