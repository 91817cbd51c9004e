import numpy as np
import pytest

from tasks.rasters.validity import cloud_mask, near_invalid, valid_mask
from tests.bench.looks import read_series


@pytest.mark.parametrize("scene_class", range(12))
def test_every_scene_class(scene_class):
    scl = np.full((3, 3), scene_class, np.uint8)
    valid = valid_mask(scl=scl, data_mask=np.ones((3, 3), np.uint8), margin_px=0)
    assert valid.all() == (scene_class in (2, 4, 5, 6, 7))
    assert valid.all() == valid.any()
    assert cloud_mask(scl).all() == (scene_class in (3, 8, 9, 10))


def test_the_margin_surrounds_clouds_but_not_snow():
    scl = np.full((9, 20), 4, np.uint8)
    scl[4, 4] = 9
    scl[4, 15] = 11
    valid = valid_mask(scl=scl, data_mask=np.ones_like(scl), margin_px=2)
    assert not valid[4, 2:7].any() and valid[4, 1] and valid[4, 7]
    assert not valid[4, 15] and valid[4, 14]


def test_dark_pits_and_bright_tailings_are_seen_and_snow_and_defects_are_not():
    scl = np.array([[2, 7, 5, 6, 11, 1, 0]], np.uint8)
    valid = valid_mask(scl=scl, data_mask=np.ones_like(scl), margin_px=2)
    assert valid.tolist() == [[True, True, True, True, False, False, False]]


def test_what_lies_outside_the_swath_is_not_seen_whatever_scl_says():
    scl = np.full((1, 3), 5, np.uint8)
    assert valid_mask(scl=scl, data_mask=np.array([[1, 0, 1]], np.uint8), margin_px=0).tolist() == [[True, False, True]]


def test_without_scl_the_swath_decides():
    data_mask = np.array([[1, 0]], np.uint8)
    assert valid_mask(scl=None, data_mask=data_mask, margin_px=2).tolist() == [[True, False]]


def test_what_lies_beside_hidden_ground():
    valid = np.ones((9, 20), bool)
    assert not near_invalid(valid, 3).any()
    valid[4, 4] = False
    near = near_invalid(valid, 3)
    assert near[4, 7] and near[1, 4] and not near[4, 8] and not near[4, 4] and not near_invalid(valid, 0).any()


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["mine_0", "mine_1"])
def test_real_mines_are_seen_when_the_sky_is_clear(name, shared_data):
    (series,) = (one for one in read_series(shared_data / "series") if one.name == name)
    seen, _, _ = series.truth
    valid = np.stack([valid_mask(scl=scl, data_mask=series.aoi, margin_px=2) for scl in series.scl])
    median = np.nan_to_num(series.expected[0])
    dark = seen & (median[:, 2] < 0.13) & (median[:, 3] < 0.15)
    bright = seen & (median[:, 0] > np.percentile(median[:, 0][seen], 95))
    assert valid[seen].mean() > 0.96
    assert valid[bright].mean() > 0.94
    assert not dark.any() or valid[dark].mean() > 0.92
    looks = seen.sum(axis=0)
    assert ((valid & seen).sum(axis=0)[looks > 5] / looks[looks > 5]).min() > 0.65, "no ground is lost for good"
