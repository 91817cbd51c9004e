"""Labelled pairs as chips: what two dates say of pixels where only the place has a label."""

import csv
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from models import zoo
from models.chips import read_chips
from models.errors import ModelError
from models.evaluation import evaluate
from models.pairs import drawn, read_pairs
from models.recipe import Recipe
from models.sensors import sensor_set
from models.training import train

FOREST, SOIL, POND, NOTHING = (0.03, 0.03, 0.35, 0.15), (0.1, 0.2, 0.25, 0.35), (0.1, 0.12, 0.05, 0.02), (0, 0, 0, 0)
"""Reflectance of B02, B04, B08, B11."""

BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")


def look(*ground: tuple[float, ...]) -> np.ndarray:
    """One row of pixels."""
    return np.array(ground, np.float32).T[:, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty places of the train split, two of val: forest, and soil in a corner of it later where mining emerged."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "images").mkdir()
    rows = []
    for number in range(42):
        name, emerged = f"place_{number}", number % 2
        split = "val" if number >= 40 else "train"
        rows.append({"id": name, "split": split, "label": emerged, "mined_before": 0,
                     "longitude": -60 + number, "latitude": -3.5})  # fmt: skip
        for date in ("t0", "t1"):
            image = np.empty((6, 48, 48), np.uint16)
            image[:] = np.reshape([300, 500, 300, 3500, 1500, 700], (6, 1, 1))
            if emerged and date == "t1":
                image[:, :12, :12] = np.reshape([1000, 1500, 2000, 2500, 3500, 3000], (6, 1, 1))
            form = {"driver": "GTiff", "count": 6, "height": 48, "width": 48, "dtype": "uint16", "crs": "EPSG:32720"}
            transform = rasterio.transform.from_origin(500000, 9600000, 10, 10)
            with rasterio.open(folder / "images" / f"{name}_{date}.tif", "w", transform=transform, **form) as dataset:
                dataset.write(image)
                dataset.descriptions = BANDS
    with (folder / "pairs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_overgrown_ground_that_became_bare_or_water_was_dug_where_mining_emerged() -> None:
    before = look(FOREST, FOREST, FOREST, SOIL, POND, NOTHING, FOREST)
    after = look(FOREST, SOIL, POND, SOIL, POND, SOIL, NOTHING)
    cases = {  # emerged, doubtful: labels before, after
        (True, False): ([0, 0, 0, 0, 0, 255, 0], [0, 1, 1, 255, 255, 255, 255]),
        (True, True): ([0, 0, 0, 255, 255, 255, 0], [0, 1, 1, 255, 255, 255, 255]),
        (False, False): ([0, 0, 0, 0, 0, 255, 0], [0, 0, 0, 0, 0, 0, 255]),
        (False, True): ([0, 0, 0, 255, 255, 255, 0], [0, 255, 255, 255, 255, 255, 255]),
    }
    for (emerged, doubtful), expected in cases.items():
        labels = drawn(before, after, emerged=emerged, doubtful=doubtful)
        assert tuple(label[0].tolist() for label in labels) == expected


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_nothing_was_dug_before_nor_where_no_mining_emerged(seed: int, emerged: bool, doubtful: bool) -> None:
    rng = np.random.default_rng(seed)
    scenes = rng.uniform(0, 0.5, (2, 4, 8, 8)).astype(np.float32) * (rng.random((2, 1, 8, 8)) < 0.9)
    before, after = drawn(*scenes, emerged=emerged, doubtful=doubtful)
    assert not (before == 1).any()
    assert emerged or not (after == 1).any()
    for labels, scene in zip((before, after), scenes, strict=True):
        assert (labels[(scene == 0).all(axis=0)] == 255).all()


def test_a_fifth_of_the_training_places_is_held_out_and_val_teaches_nothing(folder: Path) -> None:
    seen = sensor_set("s2-6")
    parts = {split: read_pairs(folder, seen, split=split) for split in ("taught", "held-out", "train", "val")}
    sites = {split: {chip.site for chip in chips} for split, chips in parts.items()}
    assert not sites["taught"] & sites["held-out"]
    assert not sites["train"] & sites["val"]
    assert {chip.name for chip in parts["taught"] + parts["held-out"]} == {chip.name for chip in parts["train"]}
    assert 0 < len(sites["held-out"]) < len(sites["taught"])
    later = next(chip for chip in parts["val"] if chip.name == "place_41_t1")
    assert later.scene.shape == (6, 64, 64) and later.labels.shape == later.valid.shape == (64, 64)
    assert (later.labels == 1).sum() == 12 * 12
    assert (later.labels[48:] == 255).all() and not later.valid[:, 48:].any()
    with pytest.raises(ModelError, match="no pairs of split 'test'"):
        read_pairs(folder, seen, split="test")
    with pytest.raises(ModelError, match="name no commodity"):
        read_chips(folder, seen, split="train", commodity="gold")
    with pytest.raises(ModelError, match=r"lacks B05, B06, B07, B8A"):
        read_pairs(folder, sensor_set("s2-10"), split="train")


@pytest.mark.slow
def test_a_model_is_trained_on_pairs_alone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "diggings.safetensors"
    recipe = Recipe(sensor_set="s2-6", imagenet=False, steps=2, batch=2, side=64)
    card = train(folder, recipe=recipe, out=out, say=lambda _: None)
    held_out = read_chips(folder, sensor_set("s2-6"), split="held-out")
    assert card.scores["pixels"]["excavation"] == sum(int((chip.labels == 1).sum()) for chip in held_out) > 0
    assert evaluate(zoo.load(str(out)), held_out)["footprint_iou"] == card.scores["footprint_iou"]
