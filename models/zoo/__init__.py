"""The zoo: models that ship, and files of models that users trained.

A model is one safetensors file; its card travels in the file's metadata. `<name>.md` says it in words.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from models import network
from models.errors import ModelError
from models.sensors import SensorSet, sensor_set

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"


class Card(BaseModel):
    """What a model is: what it sees, how it was made, how good it is."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    sensor_set: str
    encoder: str
    mean: tuple[float, ...]
    """Per channel, over the training chips; reflectance, dB, or index."""
    std: tuple[float, ...]
    temperature: float
    """Divides the logits, so that confidence means accuracy (Guo et al. 2017)."""
    trained_on: str
    settings: dict[str, Any]
    scores: dict[str, Any]
    """Of `minecam model evaluate` on the validation split."""


@dataclass(frozen=True)
class SegmentationModel:
    """A loaded model, in evaluation mode on `device`; `checksum` is the SHA-256 of its file."""

    card: Card
    checksum: str
    network: nn.Module
    device: torch.device

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.card.name

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.card.version

    @property
    def sensor_set(self) -> SensorSet:
        """The bands that the model sees."""
        return sensor_set(self.card.sensor_set)


def shipped() -> list[Card]:
    """Return the cards of the models that ship, by name."""
    return [card(file.stem) for file in sorted(FOLDER.glob(f"*{SUFFIX}"))]


def for_sensor_set(name: str) -> str:
    """Return the name of the shipped model that sees sensor set `name`; raises ModelError when none does."""
    for one in shipped():
        if one.sensor_set == sensor_set(name).name:
            return one.name
    known = ", ".join(sorted({one.sensor_set for one in shipped()}))
    raise ModelError(f"no model ships for sensor set '{name}': choose one of {known}, or train one")


def card(model: str) -> Card:
    """Return the card of a shipped model by name, or of a model file by path; raises ModelError."""
    file = _file(model)
    try:
        with safe_open(file, "pt") as opened:
            return Card.model_validate_json((opened.metadata() or {})["minecam"])
    except (SafetensorError, OSError, KeyError, ValidationError) as error:
        raise ModelError(f"{file} is no model of MineCam: make one with `minecam model train`") from error


def load(model: str, *, device: str = "auto") -> SegmentationModel:
    """Return a shipped model by name, or a model file by path, on `device` (auto: the GPU where there is one)."""
    file, about = _file(model), card(model)
    built = network.build(encoder=about.encoder, channels=sensor_set(about.sensor_set).channels)
    try:
        built.load_state_dict({name: value.float() for name, value in load_file(file).items()})
    except (RuntimeError, SafetensorError) as error:
        raise ModelError(f"{file} does not hold the weights that its card speaks of: train it again") from error
    place = torch.device(_device(device))
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    return SegmentationModel(about, checksum, built.eval().to(place), place)


def save(file: Path, built: nn.Module, about: Card) -> None:
    """Write `built` with its card; floats are stored as 16 bits. The file appears whole or not at all."""
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in built.state_dict().items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    save_file(weights, unfinished, metadata={"minecam": json.dumps(about.model_dump(), sort_keys=True)})
    unfinished.chmod(0o644)  # safetensors makes it private
    unfinished.replace(file)


def describe(about: Card) -> str:
    """Return the card in words, as Markdown."""
    scores = about.scores
    rows = [f"| {name} | {_number(value)} | {scores['pixels'][name]:,} |" for name, value in scores["iou"].items()]
    settings = ", ".join(f"{name} {value}" for name, value in about.settings.items() if name != "sensor_set")
    return "\n".join([
        f"# {about.name} {about.version}", "",
        f"Sees {about.sensor_set} ({', '.join(sensor_set(about.sensor_set).bands)}). U-Net on {about.encoder}.", "",
        f"- Trained on: {about.trained_on}.", f"- Settings: {settings}.",
        f"- Confidence is calibrated with temperature {about.temperature} on the validation chips.", "",
        f"On the validation chips, which took no part in training: mean IoU of the components "
        f"{_number(scores['mean_iou'])}, footprint IoU {_number(scores['footprint_iou'])}, "
        f"accuracy {_number(scores['accuracy'])}.", "",
        f"`minecam model evaluate {about.name} --chips DIR --split val` prints these figures.", "",
        "| class | IoU | labelled pixels |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _file(model: str) -> Path:
    path = Path(model)
    if path.suffix or path.parent != Path():
        if not path.is_file():
            raise ModelError(f"there is no model file {path}")
        return path
    file = FOLDER / f"{model}{SUFFIX}"
    if not file.exists():
        names = ", ".join(sorted(known.stem for known in FOLDER.glob(f"*{SUFFIX}")))
        raise ModelError(f"no model '{model}' ships: choose one of {names}, or give a file")
    return file


def _device(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("there is no GPU here: set MINECAM_DEVICE to auto or cpu")
    return wanted
