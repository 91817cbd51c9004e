"""How numbers stand for reflectance, told from values and tags; and what is no reflectance."""

from typing import Any

import numpy as np
import pytest

from models.encoding import encoding
from models.errors import ModelError

GROUND = (0.03, 0.06, 0.05, 0.25)


def light(*medians: float, spread: float = 0.5, pixels: int = 5000) -> np.ndarray:
    """Reflectance float64 (bands, pixels) about `medians`."""
    rng = np.random.default_rng(5)
    shade = rng.lognormal(0, spread, pixels)
    return np.stack([median * shade * rng.uniform(0.9, 1.1, pixels) for median in medians])


def stretched(values: np.ndarray, most: int) -> np.ndarray:
    """`values` as a picture: per cent 2 to 98 of each band from 0 to `most`."""
    low, high = np.percentile(values, (2, 98), axis=1)[..., None]
    return np.clip((values - low) / (high - low), 0, 1) * most


ground = light(*GROUND)
water = light(0.018, 0.012, 0.006, 0.003, spread=0.1)
cloud = np.minimum(light(0.8, 0.8, 0.8, 0.9, spread=0.25), 1.8)
salt = light(0.45, 0.5, 0.55, 0.6, spread=0.03)


@pytest.mark.parametrize("scene", [ground, water, cloud, salt], ids=["ground", "water", "cloud", "salt"])
def test_fractions_and_ten_thousands_are_told_apart_in_any_scene(scene: np.ndarray) -> None:
    ten_thousand = np.round(scene * 10000)
    assert encoding(scene.astype(np.float32)).scale == 1
    for kind in ("uint16", "int16", "int32", "float32", "float64"):
        found = encoding(ten_thousand.astype(kind), baseline=301)
        assert (found.scale, found.offset) == (1e-4, 0)


def test_what_is_as_dark_as_water_only_is_said() -> None:
    assert "water and shadow" in encoding(np.round(water * 10000).astype(np.uint16)).notes[0]
    assert not encoding(np.round(ground * 10000).astype(np.uint16)).notes


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (stretched(ground, 255).astype(np.uint8), "8 bits"),
        (np.round(water * 10000).clip(0, 255).astype(np.uint8), "8 bits"),
        (stretched(ground, 255).astype(np.uint16), "8 bits"),
        (stretched(ground, 255).astype(np.float32), "8 bits"),
        (np.round(stretched(ground, 255)).astype(np.float32) / 255, "8 bits"),
        (stretched(ground, 65535).astype(np.uint16), "above 2"),
        (stretched(ground, 32767).astype(np.int16), "above 2"),
        ((ground * 100).astype(np.float32), "per cent"),
        ((light(0.01, 0.02, 0.015) * 100).astype(np.float64), "per cent"),
        ((ground * 1e-4).astype(np.float32), "scaled twice"),
        (np.round(light(0.05, 0.1) * 100).astype(np.uint16), "per cent"),
    ],
)
def test_what_cannot_be_reflectance_is_refused(numbers: np.ndarray, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        encoding(numbers)


@pytest.mark.parametrize(
    ("numbers", "tags", "expected"),
    [
        (ground * 10000 + 1000, {"scale": 1e-4, "offset": -0.1}, (1e-4, -0.1)),
        (ground * 10000 + 1000, {"offset": -1000}, (1e-4, -0.1)),
        (ground * 10000 + 1000, {"scale": 1e-4, "offset": -1000}, (1e-4, -0.1)),
        (ground * 10000 + 1000, {"offset": -0.1}, (1e-4, -0.1)),
        (ground * 100, {"scale": 0.01}, (0.01, 0)),
        (ground * 10000, {"scale": 1e-4, "stated": True}, (1e-4, 0)),
    ],
)
def test_tags_are_heeded(numbers: np.ndarray, tags: dict[str, Any], expected: tuple[float, float]) -> None:
    found = encoding(np.round(numbers).astype(np.uint16), **tags)
    assert (found.scale, found.offset) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("numbers", "tags", "words"),
    [
        (ground, {"scale": 1e-4}, "scaled twice"),
        (ground * 10000, {"scale": 1e-4, "offset": -0.5}, "offset was taken off twice"),
        (ground * 10000, {"scale": 0.01}, "by scale 0.01"),
        (ground * 10000 + 1000, {"offset": 1000}, "adds 0.1"),
    ],
)
def test_tags_that_make_nonsense_are_refused(numbers: np.ndarray, tags: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        encoding(numbers, **tags)


@pytest.mark.parametrize("fill", [-9999, 32767, 65535, 0, 1, 9999])
def test_fill_hides_nothing_from_the_decision(fill: int) -> None:
    for scene in (np.round(ground * 10000).astype(np.float64), ground.copy()):
        scene[:, :3500] = fill
        assert encoding(scene).scale == (1 if scene[0, -1] < 2 else 1e-4)


def test_the_offset_of_a_new_baseline_is_missed() -> None:
    raw = np.round(ground * 10000 + 1000).astype(np.uint16)
    with pytest.raises(ModelError, match=r"baseline 05\.10.*take 1000 off"):
        encoding(raw, baseline=510)
    assert "if so, take 1000 off" in encoding(raw[:3]).notes[0]
    assert encoding(raw, scale=1e-4, stated=True, baseline=510).notes == ()
    assert encoding(raw, baseline=301).notes == ()
    assert encoding(np.round(ground * 10000).astype(np.uint16), baseline=9999).notes == ()
