"""The models of real mines on real labelled looks that they were not trained on."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import zoo
from models.augment import surface
from models.chips import read_chips
from models.evaluation import evaluate

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


def test_it_is_as_good_as_its_card_says_and_as_good_on_surface_reflectance(shared_data: Path) -> None:
    model = zoo.load("s2-rgb-mines", device="cpu")
    chips = read_chips(shared_data / "chips", model.sensor_set, split="val")
    seen = [replace(chip, scene=surface(chip.scene, bands=model.sensor_set.bands)) for chip in chips]
    top, ground = evaluate(model, chips), evaluate(model, seen)
    for name in ("mean_iou", "footprint_iou"):
        assert top[name] == pytest.approx(model.card.scores[name], abs=0.005)
        assert ground[name] == pytest.approx(top[name], abs=0.03)


def test_the_model_of_diggings_is_as_good_as_its_card_says(shared_data: Path) -> None:
    model = zoo.load("s2-6-diggings", device="cpu")
    held_out = read_chips(shared_data / "pairs", model.sensor_set, split="held-out")
    assert evaluate(model, held_out)["footprint_iou"] == pytest.approx(model.card.scores["footprint_iou"], abs=0.005)
    judged = evaluate(model, read_chips(shared_data / "pairs", model.sensor_set, split="val"))
    assert judged["footprint_iou"] > 0.4
