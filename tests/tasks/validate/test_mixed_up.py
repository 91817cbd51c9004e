"""Bands in each other's place; how often real ones are found is in the module, measured on the labelled series."""

import numpy as np
import pytest

from tasks.validate.mixed_up import swapped, twins

LEVELS = np.array([0.08, 0.11, 0.14, 0.3])[:, None, None]
SHAPE = (40, 40)
EVERYWHERE = np.ones(SHAPE, bool)


def ground(season=1.0, seed=1):
    """Four bands over the same relief on a date."""
    relief = 1 + 0.2 * np.random.default_rng(9).random(SHAPE)
    return (LEVELS * relief * season + np.random.default_rng(seed).normal(0, 0.003, (4, *SHAPE))).astype(np.float32)


def history(*dates):
    return [(date.__getitem__, EVERYWHERE) for date in dates]


def test_a_band_that_came_twice():
    values = (ground() * 10_000).round().reshape(4, -1)
    share, _ = twins(values)
    assert share < 0.05
    values[2] = values[1]
    assert twins(values) == (1.0, (1, 2))
    assert twins(values[:, :300]) is None and twins(values[:1]) is None


@pytest.mark.parametrize(("one", "other"), [(0, 3), (1, 3), (2, 3)])
def test_swapped_bands_show_beside_two_dates(one, other):
    now = ground(1.1, seed=3)
    factor, _ = swapped(now, EVERYWHERE, range(4), history(ground(), ground(0.95, seed=2)))
    assert factor < 1.5
    now[[one, other]] = now[[other, one]]
    factor, pair = swapped(now, EVERYWHERE, range(4), history(ground(), ground(0.95, seed=2)))
    assert factor > 2.5 and pair == (one, other)


def test_one_date_that_was_alike_clears_them():
    now = ground(seed=3)
    now[[0, 3]] = now[[3, 0]]
    factor, pair = swapped(now, EVERYWHERE, range(4), history(ground(), now))
    assert factor < 2.5 or pair != (0, 3)


def test_too_little_ground_says_nothing():
    few = np.zeros(SHAPE, bool)
    few[:5] = True
    assert swapped(ground(), few, range(4), history(ground())) is None
    assert (
        swapped(ground(), EVERYWHERE, range(4), []) is None
        and swapped(ground(), EVERYWHERE, [0], history(ground())) is None
    )
