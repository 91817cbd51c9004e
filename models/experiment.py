"""Experiments: grids of trainings whose scores answer a question, such as whether radar helps.

Loads without torch, as `recipe` does.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from models.errors import ModelError
from models.recipe import NETWORKS, Recipe
from models.sensors import SENSOR_SETS

SHIPPED = files("models").joinpath("experiments")
SUFFIX = ".toml"


@dataclass(frozen=True)
class Trial:
    """One training: its recipe, and what of it was changed besides sensor set, network, encoder and seed."""

    recipe: Recipe
    change: str = ""

    @property
    def name(self) -> str:
        """The name of the model that the trial makes, as good for a file."""
        recipe = self.recipe
        parts = [recipe.sensor_set, recipe.network, recipe.encoder, recipe.commodity or "all", str(recipe.seed)]
        return re.sub(r"[^\w.+=-]+", "-", "_".join([*parts, self.change] if self.change else parts))


class Experiment(BaseModel):
    """Every sensor set with every network, encoder and seed, all else equal: one trial each.

    `changes` adds trials that differ in some setting of the recipe, each for itself: what is that setting worth?
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(description="What is to be found out")
    sensor_sets: tuple[str, ...] = Field(default=(Recipe().sensor_set,), min_length=1)
    networks: tuple[str, ...] = Field(default=(Recipe().network,), min_length=1)
    encoders: tuple[str, ...] = Field(default=(Recipe().encoder,), min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    per_commodity: bool = Field(default=False, description="Also train a model on each commodity alone")
    changes: tuple[dict[str, Any], ...] = Field(default=(), description="Settings changed, one trial for each")
    recipe: Recipe = Field(default=Recipe(), description="What all trials share")

    @field_validator("sensor_sets", "networks")
    @classmethod
    def _known(cls, names: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
        known = SENSOR_SETS if field.field_name == "sensor_sets" else NETWORKS
        for name in names:
            if name not in known:
                raise ValueError(f"there is no '{name}': choose of {', '.join(known)}")
        return names

    @field_validator("changes")
    @classmethod
    def _settings(cls, changes: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for change in changes:
            Recipe.model_validate(change)
        return changes

    def trials(self, commodities: Sequence[str]) -> list[Trial]:
        """Return every trial; `commodities` are those that could have a model of their own."""
        taught_on = ("", *commodities) if self.per_commodity else ("",)
        grid = product(self.sensor_sets, self.networks, self.encoders, taught_on, self.seeds, ({}, *self.changes))
        names = ("sensor_set", "network", "encoder", "commodity", "seed")
        trials = []
        for *chosen, change in grid:
            settings = {**self.recipe.model_dump(), **dict(zip(names, chosen, strict=True)), **change}
            words = ", ".join(f"{name}={json.dumps(value)}" for name, value in change.items())
            trials.append(Trial(Recipe.model_validate(settings), words))
        return trials


def read_experiment(config: str) -> tuple[str, Experiment]:
    """Return name and grid of a shipped experiment by its name, or of a TOML file; raises ModelError that says why not.

    The name is that of the file.
    """
    path = Path(config)
    source: Any = path if path.suffix or path.parent != Path() else SHIPPED.joinpath(f"{config}{SUFFIX}")
    if not source.is_file():
        names = ", ".join(sorted(entry.name.removesuffix(SUFFIX) for entry in SHIPPED.iterdir()))
        raise ModelError(f"there is no experiment {config}: give a TOML file, or choose one of {names}")
    try:
        return path.stem, Experiment.model_validate(tomllib.loads(source.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{config} is no TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(f"{config}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
