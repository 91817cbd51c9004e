"""How a model is trained: one typed configuration, kept in the card of the model that it made.

Loads without torch, for the run form and the command's defaults are made from it.
"""

import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.sensors import SENSOR_SETS

NETWORKS: dict[str, dict[str, Any]] = json.loads(files("models").joinpath("networks.json").read_text())
"""Networks by our names: `kind` in segmentation-models-pytorch, and a `decoder` slim enough for a CPU."""


class Recipe(BaseModel):
    """How a model is trained. The same recipe on the same chips makes the same model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensor_set: str = Field(
        default="s2-rgb", description="Bands that the model sees", json_schema_extra={"enum": [*SENSOR_SETS]}
    )
    network: str = Field(default="unet", description="The network", json_schema_extra={"enum": [*NETWORKS]})
    encoder: str = Field(default="lite0", description="lite0, lite2, or any encoder of segmentation-models-pytorch")
    imagenet: bool = Field(default=True, description="Start the encoder from ImageNet weights")
    commodity: str = Field(default="", description="Train on the chips of this commodity only; empty: on all")
    steps: int = Field(default=1500, ge=2, description="Training steps at most")
    batch: int = Field(default=8, ge=2, description="Windows per step")
    side: int = Field(default=256, ge=32, multiple_of=32, description="Pixels a side of a window")
    learning_rate: float = Field(default=2e-3, gt=0, description="Peak learning rate")
    encoder_rate: float = Field(default=0.5, gt=0, description="Learning rate of the encoder, as a share of the peak")
    weather: float = Field(default=0.5, ge=0, le=1, description="Share of windows seen on another day: air, sun, cloud")
    cutmix: float = Field(default=0.5, ge=0, le=1, description="Share of windows with a part of another in them")
    cloud: float = Field(default=0.25, ge=0, le=1, description="Share of windows with a cloud, or a hole, over a part")
    rarity: float = Field(default=0.3, ge=0, le=1, description="How much more rare classes weigh; 0: as much as any")
    places: float = Field(default=0.1, ge=0, lt=1, description="Share of places among the windows, where there are any")
    footprint: float = Field(default=0.5, ge=0, description="Weight of the loss over the footprint")
    decay: float = Field(default=1e-2, ge=0, description="Weight decay of AdamW")
    every: int = Field(
        default=250,
        ge=1,
        description="Steps between two looks at the validation chips; a killed training goes on from the latest",
    )
    patience: int = Field(default=6, ge=1, description="Looks without a better score after which training stops")
    seed: int = Field(default=1, ge=0, le=2**31 - 1, description="Seed of weights and windows")
    workers: int = Field(default=0, ge=0, description="Processes that make windows beside the training")

    @field_validator("sensor_set")
    @classmethod
    def _known_sensor_set(cls, name: str) -> str:
        return _one_of(SENSOR_SETS, name)

    @field_validator("network")
    @classmethod
    def _known_network(cls, name: str) -> str:
        return _one_of(NETWORKS, name)


def _one_of(known: Iterable[str], name: str) -> str:
    if name not in known:
        raise ValueError(f"there is no '{name}': choose of {', '.join(known)}")
    return name
