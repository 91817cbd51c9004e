"""What is measured of an acquisition, and what the suites say of it."""

import numpy as np
import pytest

from tasks.settings import settings
from tasks.suites.checkpoint import judge
from tasks.suites.expectations import suite
from tasks.validate.figures import figures

NAMES = ("B02", "B03", "B04")
EVERYWHERE = np.ones((40, 40), bool)


def test_figures_of_nothing_valid_are_null_and_only_the_share_fails():
    nothing = np.zeros((40, 40), bool)
    measured = figures(
        bands=np.full((3, 40, 40), 0.1, np.float32),
        names=NAMES,
        valid=nothing,
        scl=np.full((40, 40), 11),
        data_mask=np.ones((40, 40)),
        aoi=~nothing,
        tags={"harmonised": "true"},
        history=(),
        shift=None,
    )
    assert measured["present_B02"] == 1 and measured["high_B02"] is None
    judgement = judge(figures=measured, checks=suite("s2-rgb", settings()))
    assert judgement.reasons == ["0 % of the AOI was truly observed (at least 30 %): 100 % snow"]


def test_digital_numbers_and_radar():
    everywhere = np.ones((40, 40), bool)
    shared = {"valid": everywhere, "scl": None, "data_mask": everywhere, "aoi": everywhere, "history": (),
              "shift": None}  # fmt: skip
    raw = figures(bands=np.full((3, 40, 40), 900.0), names=NAMES, tags={"harmonised": "true"}, **shared)
    assert "no reflectance" in judge(figures=raw, checks=suite("s2-rgb", settings())).reasons[0]
    radar = figures(bands=np.full((2, 40, 40), 0.2), names=("VV", "VH"), tags={}, **shared)
    assert judge(figures=radar, checks=suite("s1", settings())).passed


@pytest.mark.parametrize(("dates", "gain", "stripes"), [(0, None, 0), (1, None, 0), (2, 4, 1)])
def test_two_dates_have_to_agree_on_what_a_band_looked_like(dates, gain, stripes):
    everywhere = np.ones((60, 60), bool)
    ground = (0.05 + 0.05 * np.random.default_rng(1).random((3, 60, 60))).astype(np.float32)
    bands = ground.copy()
    bands[0] *= 4
    bands[1, 30] *= 3
    measured = figures(
        bands=bands, names=NAMES, valid=everywhere, scl=None, data_mask=everywhere, aoi=everywhere,
        tags={"harmonised": "true"}, history=[(ground.__getitem__, everywhere)] * dates, shift=None,
    )  # fmt: skip
    assert measured["gain_B02"] == (gain and pytest.approx(gain)) and measured["stripes"] == stripes
    assert measured["offset_left"] == (0 if dates else None)


@pytest.mark.parametrize(("offset", "left"), [(0.0, 0), (0.1, 1)])
def test_an_offset_is_told_by_ground_that_was_seen_both_times(offset, left):
    """Grey rock around a lake that is under cloud now: what is darkest of the rest is brighter by as much."""
    everywhere, lake = np.ones((60, 60), bool), np.zeros((60, 60), bool)
    lake[:10] = True
    ground = (0.12 + 0.05 * np.random.default_rng(1).random((60, 60))).astype(np.float32)
    before = np.stack([np.where(lake, 0.02, ground)] * 3).astype(np.float32)
    measured = figures(
        bands=np.stack([ground + np.float32(offset)] * 3), names=NAMES, valid=~lake, scl=None, data_mask=everywhere,
        aoi=everywhere, tags={"harmonised": "true"}, history=[(before.__getitem__, everywhere)], shift=None,
    )  # fmt: skip
    assert measured["offset_left"] == left
