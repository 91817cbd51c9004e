"""The card of a model: what it sees, how it was made, how good it is, and what it is not good for."""

from importlib.metadata import version as version_of
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.errors import ModelError
from models.labels import LABELS
from models.recipe import Recipe
from models.sensors import sensor_set


class Card(BaseModel):
    """The card of a model; it travels in the metadata of the model's file."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    sensor_set: str
    bands: tuple[str, ...]
    """The bands in the order in which the network sees them."""
    labels: tuple[str, ...]
    """Names of the classes 0-10."""
    network: str
    encoder: str
    mean: tuple[float, ...]
    """Per channel, over the training chips; reflectance, dB, or index."""
    std: tuple[float, ...]
    temperature: float
    """Divides the logits, so that confidence means accuracy (Guo et al. 2017)."""
    trained_on: str
    chips: str
    """SHA-256 over the training chips."""
    pairs: str = ""
    """SHA-256 over the training places; empty where there were none."""
    code: str
    """Version of MineCam that trained it."""
    limits: str
    """What it is not good for, in plain words."""
    settings: dict[str, Any]
    scores: dict[str, Any]
    """Of `minecam model evaluate` on the validation split."""

    @classmethod
    def of(
        cls, recipe: Recipe, *, name: str, version: str, mean: list[float], std: list[float], trained_on: str,
        chips: str, pairs: str, limits: str,
    ) -> "Card":  # fmt: skip
        """Return the card of a model that was just trained by `recipe`: not calibrated, without scores."""
        return cls(
            name=name, version=version, sensor_set=recipe.sensor_set, bands=sensor_set(recipe.sensor_set).bands,
            labels=tuple(label.name for label in LABELS), network=recipe.network, encoder=recipe.encoder,
            mean=tuple(mean), std=tuple(std), temperature=1.0, trained_on=trained_on, chips=chips, pairs=pairs,
            code=version_of("minecam"), limits=limits, settings=recipe.model_dump(), scores={},
        )  # fmt: skip

    def check(self) -> None:
        """Raise ModelError unless bands, their order and the labels are those that MineCam knows."""
        if self.bands != sensor_set(self.sensor_set).bands:
            raise ModelError(f"{self.name} sees other bands than {self.sensor_set} has now: train it again")
        if self.labels != tuple(label.name for label in LABELS):
            raise ModelError(f"{self.name} knows other labels than MineCam has now: train it again")


def describe(card: Card) -> str:
    """Return the card in words, as Markdown."""
    scores, sites = card.scores, card.scores["sites"]
    spread, error = sites["spread"], scores["calibration_error"]
    settings = ", ".join(f"{name} {value}" for name, value in sorted(card.settings.items()) if value != "")
    classes = [f"| {name} | {_number(scores['iou'][name])} | {scores['pixels'][name]:,} |" for name in card.labels]
    places = [
        f"| {site} | {_number(found['mean_iou'])} | {_number(found['footprint_iou'])} |"
        for site, found in sorted(sites["each"].items())
    ]
    return "\n".join([
        f"# {card.name} {card.version}", "",
        f"Sees {card.sensor_set} ({', '.join(card.bands)}). Network {card.network} on {card.encoder}.", "",
        f"- Trained on: {card.trained_on}. SHA-256 of the chips {card.chips[:12]}"
        f"{f', of the pairs {card.pairs[:12]}' if card.pairs else ''}, by MineCam {card.code}.",
        f"- Settings: {settings}.",
        f"- Limits: {card.limits}", "",
        "On the validation chips. Their sites took no part in training, but the temperature was chosen on them, and so "
        "was the step where training looked at them:", "",
        f"- mean IoU of the components {_number(scores['mean_iou'])}{_ends(scores, 'mean_iou')}; "
        f"over sites {_spread(spread['mean_iou'])}",
        f"- footprint IoU {_number(scores['footprint_iou'])}{_ends(scores, 'footprint_iou')}; "
        f"over sites {_spread(spread['footprint_iou'])}",
        f"- expected calibration error {_number(error['with_temperature'])} with temperature {card.temperature}, "
        f"{_number(error['without_temperature'])} without", "",
        "`minecam model evaluate` prints these figures.", "",
        "| class | IoU | labelled pixels |", "|---|---|---|", *classes, "",
        "| site | mean IoU | footprint IoU |", "|---|---|---|", *places, "",
    ])  # fmt: skip


def _ends(scores: dict[str, Any], name: str) -> str:
    ends = scores["interval"][name]
    return f" (95 % interval over sites {ends[0]:.3f} to {ends[1]:.3f})" if ends else ""


def _spread(of: dict[str, float] | None) -> str:
    return f"{of['mean']:.3f} ± {of['std']:.3f}" if of else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
