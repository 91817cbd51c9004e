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
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import ModelError
from models.recipe import Recipe

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

    What is not listed is as the recipe says. `changes` adds trials that differ in some setting of the recipe, each for
    itself: what is that setting worth?
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(description="What is to be found out")
    sensor_sets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    per_commodity: bool = Field(default=False, description="Also train a model on each commodity alone")
    changes: tuple[dict[str, Any], ...] = Field(default=(), description="Settings changed, one trial for each")
    recipe: Recipe = Field(default=Recipe(), description="What all trials share")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for change in self.changes:
            if {"every", "patience"} & set(change):
                raise ValueError("every and patience change nothing: a trial looks at the validation chips at its end")
        try:
            self.trials([])
        except ValidationError as error:
            raise ValueError(_first(error)) from error
        return self

    def trials(self, commodities: Sequence[str]) -> list[Trial]:
        """Return every trial; `commodities` are those that could have a model of their own."""
        varied: dict[str, Sequence[Any]] = {
            "sensor_set": self.sensor_sets, "network": self.networks, "encoder": self.encoders, "seed": self.seeds,
            "commodity": ("", *commodities) if self.per_commodity else (),
        }  # fmt: skip
        names = [name for name, values in varied.items() if values]
        trials = []
        for *chosen, change in product(*(varied[name] for name in names), ({}, *self.changes)):
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
        raise ModelError(f"{config}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return ": ".join([part for part in [".".join(map(str, first["loc"]))] if part] + [first["msg"]])
