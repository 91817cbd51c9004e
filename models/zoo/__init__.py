"""The zoo: models that ship, and files of models that users trained.

A model is one safetensors file; its card travels in the file's metadata. `<name>.json` is the card with the file's
checksum, `<name>.md` says it in words.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from models import network
from models.errors import ModelError
from models.sensors import SensorSet, sensor_set
from models.zoo.card import Card, describe

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"


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


def lasting(model: str) -> str:
    """Return what `model` is known by wherever it is asked for: its name, or the absolute path of its file.

    Raises ModelError when there is no such model.
    """
    card(model)
    return str(Path(model).absolute()) if _is_path(model) else model


def load(model: str, *, device: str = "auto") -> SegmentationModel:
    """Return a shipped model by name, or a model file by path, on `device` (auto: the GPU where there is one)."""
    file, about = _file(model), card(model)
    about.check()
    built = network.build(network=about.network, encoder=about.encoder, channels=sensor_set(about.sensor_set).channels)
    try:
        built.load_state_dict({name: value.float() for name, value in load_file(file).items()})
    except (RuntimeError, SafetensorError) as error:
        raise ModelError(f"{file} does not hold the weights that its card speaks of: train it again") from error
    place = torch.device(_device(device))
    return SegmentationModel(about, checksum(file), built.eval().to(place), place)


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


def publish(file: Path) -> None:
    """Write the card of the model in `file` beside it: `.json` with the file's checksum, `.md` in words."""
    about = card(str(file))
    whole = {"checksum": checksum(file), **about.model_dump()}
    file.with_suffix(".json").write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    file.with_suffix(".md").write_text(describe(about))


def checksum(file: Path) -> str:
    """Return the SHA-256 of `file`."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_path(model: str) -> bool:
    return bool(Path(model).suffix) or Path(model).parent != Path()


def _file(model: str) -> Path:
    if _is_path(model):
        if not Path(model).is_file():
            raise ModelError(f"there is no model file {model}")
        return Path(model)
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
