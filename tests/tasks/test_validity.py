import numpy as np
import pytest

from tasks.validity import beside, cloud_mask, valid_mask


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


def test_without_scl_the_swath_decides():
    data_mask = np.array([[1, 0]], np.uint8)
    assert valid_mask(scl=None, data_mask=data_mask, margin_px=2).tolist() == [[True, False]]


def test_what_lies_beside_hidden_ground():
    valid = np.ones((9, 20), bool)
    assert not beside(valid, 3).any()
    valid[4, 4] = False
    near = beside(valid, 3)
    assert near[4, 7] and near[1, 4] and not near[4, 8] and not near[4, 4] and not beside(valid, 0).any()
