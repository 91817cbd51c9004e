"""Where bands hold a constant instead of ground: truth table over edge, bands and value, and ground that is even."""

import numpy as np
import pytest

from tasks.rasters.measured import measured_mask

NAMES = ("B02", "B03", "B04", "B08", "B11", "B12")
LAND = (600, 800, 900, 2500, 2200, 1500)
WATER = (500, 450, 300, 120, 60, 40)
SHAPE = (90, 110)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]
EDGES = {
    "oblique": COLUMNS - 0.35 * ROWS < 25,
    "the other way": COLUMNS + 2.1 * ROWS > 200,
    "upright": COLUMNS < 9,
    "a corner": (COLUMNS < 20) & (ROWS > 70),
}


def ground(levels=LAND, names=NAMES, noise=60, seed=1):
    rng = np.random.default_rng(seed)
    bands = np.array(levels)[:, None, None] + rng.normal(0, noise, (len(levels), *SHAPE))
    return np.clip(bands, 0, 65535).round().astype(np.uint16), names


def inside():
    return np.ones(SHAPE, bool)


def test_ground_is_measured_everywhere():
    assert measured_mask(*ground(), inside()).all()


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("which", ["all", *NAMES])
@pytest.mark.parametrize("value", [0, 1, 37, 1234, 10_000, 65_535])
def test_towards_an_edge_a_constant_is_no_ground(edge, which, value):
    bands, names = ground()
    for band in range(len(names)) if which == "all" else [names.index(which)]:
        bands[band][EDGES[edge]] = value
    found = measured_mask(bands, names, inside())
    assert not found[EDGES[edge]].any()
    assert found[~EDGES[edge]].mean() > 0.999  # a pixel may have the value by chance, and hang together with it


@pytest.mark.parametrize("lost", ["B02", "B03", "B04"])
@pytest.mark.parametrize(
    "levels", [LAND[:3], (250, 420, 300), (1150, 1000, 950)], ids=["soil", "forest", "under the air"]
)
def test_a_set_of_visible_bands_is_told_by_them_alone(lost, levels):
    bands, names = ground(levels, NAMES[:3], noise=15)
    bands[names.index(lost)][EDGES["oblique"]] = 0
    assert not measured_mask(bands, names, inside())[EDGES["oblique"]].any()


@pytest.mark.parametrize(("clamped", "levels"), [
    (("B11", "B12"), WATER), (("B08", "B11", "B12"), WATER), (("B12",), WATER),
    (("B11", "B12"), (900, 1100, 1300, 600, 0, 0)),  # turbid
])  # fmt: skip
@pytest.mark.parametrize("value", [0, 1])
def test_dark_water_that_is_clamped_was_measured(clamped, levels, value):
    bands, names = ground(levels, noise=8)
    for name in clamped:
        bands[names.index(name)][EDGES["a corner"]] = value
    assert measured_mask(bands, names, inside()).all()


def test_clear_water_without_infrared_may_be_black_in_the_red():
    bands, names = ground(WATER[:3], NAMES[:3], noise=8)
    bands[2][EDGES["oblique"]] = 0
    assert measured_mask(bands, names, inside()).all()


@pytest.mark.parametrize(
    "levels",
    [
        (9000,) * 6,
        (4000, 4200, 4300, 4400, 300, 200),
        (200, 180, 150, 200, 260, 240),
        (1800, 2000, 2200, 2400, 2600, 2500),
    ],
    ids=["salt", "snow", "coal", "tailings"],
)
def test_even_ground_was_measured(levels):
    """Noise of three digital numbers is less than any sensor's; blocks of 2 × 2 are bands of 20 m."""
    bands, names = ground(levels, noise=3)
    bands[4:] = bands[4:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)[:, : SHAPE[0], : SHAPE[1]]
    assert measured_mask(bands, names, inside()).all()


def test_outside_the_swath_nothing_is_said_and_its_rim_stays():
    bands, names = ground(WATER, noise=8)
    swath = ~EDGES["oblique"]
    bands[:, ~swath] = 0
    assert (measured_mask(bands, names, swath) == swath).all()


def test_radar_is_never_constant():
    rng = np.random.default_rng(2)
    bands = rng.gamma(4, 0.02, (2, *SHAPE)).astype(np.float32)
    assert measured_mask(bands, ("VV", "VH"), inside(), scale=1.0).all()
    bands[1][EDGES["upright"]] = 0
    assert (measured_mask(bands, ("VV", "VH"), inside(), scale=1.0) == ~EDGES["upright"]).all()


def test_what_is_smaller_than_a_square_is_left():
    bands, names = ground()
    bands[:, :6, :6] = 0
    assert measured_mask(bands, names, inside()).all()
    assert measured_mask(bands[:, :5, :5], names, np.ones((5, 5), bool)).all()
