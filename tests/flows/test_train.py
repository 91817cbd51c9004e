"""The training flow on a few small simulated chips."""

from pathlib import Path

import pytest
from prefect.artifacts import Artifact

from deploy.simulate import make_chips
from flows import train
from models import zoo
from models.recipe import Recipe


def test_a_model_is_trained_and_its_card_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_HOME", str(tmp_path))
    make_chips(tmp_path / "chips", chips=20, size=64, seed=3)
    train.model("tiny", str(tmp_path / "chips"), recipe=Recipe(imagenet=False, steps=2, batch=2, side=64))
    card = zoo.card(str(tmp_path / "models" / "tiny.safetensors"))
    assert (card.name, card.sensor_set, card.settings["steps"]) == ("tiny", "s2-rgb", 2)
    shown = Artifact.get("model-card")
    assert shown is not None and shown.data == zoo.describe(card)
