import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from models.labels import COMPONENTS
from tasks.rasters.pictures import OUTLINE, Panel, before_after, overlay, sheet, true_colour


def test_true_colour_stretches_valid_pixels_and_leaves_the_rest_black():
    ramp = np.linspace(0.1, 0.3, 100, dtype=np.float32).reshape(10, 10)
    bands = np.stack([ramp, ramp * 2, ramp + 5])
    valid = np.ones((10, 10), bool)
    valid[0] = False
    bands[:, 0] = 1e6
    picture = true_colour(bands, valid=valid)
    assert picture.shape == (10, 10, 3) and picture.dtype == np.uint8
    assert not picture[0].any() and picture[-1, -1].tolist() == [255, 255, 255] and picture[1, 0].max() == 0
    assert np.abs(np.diff(picture.astype(int), axis=2)).max() <= 1  # every band is stretched by itself


@given(arrays(np.float32, (3, 4, 5), elements=st.floats(-1, 1, width=32) | st.just(np.nan)))
def test_true_colour_takes_whatever_comes(bands):
    picture = true_colour(bands)
    assert picture.shape == (4, 5, 3) and not picture[np.isnan(bands).any(axis=0)].any()


def test_overlay_colours_components_only():
    rgb = np.full((1, 3, 3), 100, np.uint8)
    picture = overlay(np.array([[0, 1, 255]], np.uint8), rgb, strength=1.0)
    assert picture[0].tolist() == [[100] * 3, list(COMPONENTS[0].rgb), [100] * 3]


@pytest.mark.parametrize("shape", [(64, 64), (40, 400), (300, 20), (1, 1)])
def test_before_after_is_a_png_of_at_most_700_pixels(shape):
    before = np.zeros((*shape, 3), np.uint8)
    square = np.array([[0, 0], [shape[1], 0], [shape[1], shape[0]], [0, shape[0]], [0, 0]]) / 2
    png = before_after(before=before, after=before + 255, outlines=[square], captions=("2023-01-01", "2023-02-01"))
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert png.startswith(b"\x89PNG") and 2 <= picture.width <= 700
    colours = {colour for _, colour in picture.getcolors(1 << 20)}
    assert OUTLINE in colours and (0, 0, 0) in colours and (255, 255, 255) in colours


def test_a_sheet_names_the_classes_only_where_it_shows_them():
    panel = Panel(np.zeros((40, 40, 3), np.uint8), "a day")

    def drawn(legend):
        return Image.open(io.BytesIO(sheet([[panel]], title="t", words="w", legend=legend))).convert("RGB")

    with_classes, without = drawn(True), drawn(False)
    named = {label.rgb for label in COMPONENTS}
    assert with_classes.height > without.height
    assert named <= {colour for _, colour in with_classes.getcolors(10_000)}
    coloured = {rgb for rgb in named if len(set(rgb)) > 1}  # grey is what letters fade to
    assert not coloured & {colour for _, colour in without.getcolors(10_000)}
