"""Comparing: the trials of an experiment, trained and scored alike; what is trained is not trained again."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from models import network, zoo
from models.chips import checksum, read_chips, sites
from models.evaluation import evaluate
from models.experiment import Trial
from models.labels import COMPONENTS
from models.learner import Say
from models.places import read_places
from models.recipe import Recipe
from models.sensors import sensor_set
from models.training import train

ALL = "all"


@dataclass(frozen=True)
class Score:
    """How one trial did on validation sites: all of them, or those of a commodity or of a type of mine.

    `iou` is by component; `*_low` and `*_high` are the 95 % interval over sites, None where there is one site only.
    """

    sensor_set: str
    network: str
    encoder: str
    seed: int
    steps: int
    change: str
    trained_on: str
    scored_on: str
    sites: int
    mean_iou: float | None
    mean_iou_low: float | None
    mean_iou_high: float | None
    footprint_iou: float | None
    footprint_iou_low: float | None
    footprint_iou_high: float | None
    iou: dict[str, float | None]
    model_checksum: str
    chips_checksum: str


def commodities(folder: Path) -> list[str]:
    """Return the commodities with at least two training sites and one validation site, by name."""
    having = {(row["commodity_guess"], row["split"], row["site"]) for row in sites(folder) if row["commodity_guess"]}
    count = Counter((commodity, split) for commodity, split, _ in having)
    return sorted({name for name, _, _ in having if count[name, "train"] >= 2 and count[name, "val"] >= 1})


def check(trials: Sequence[Trial]) -> None:
    """Raise ModelError for a trial whose network cannot be had: better now than after hours of others."""
    for recipe in (trial.recipe for trial in trials):
        network.build(network=recipe.network, encoder=recipe.encoder, channels=sensor_set(recipe.sensor_set).channels)


def try_out(trial: Trial, *, chips: Path, pairs: Path | None, out: Path, say: Say) -> list[Score]:
    """Train what `trial` says into folder `out`, unless it is there; return its scores over all sites, and by what is
    mined and how.

    Every trial looks at the validation chips at its end only, so that none is chosen by what it is scored on.
    """
    recipe = trial.recipe.model_copy(update={"every": trial.recipe.steps})
    file = out / f"{trial.name}{zoo.SUFFIX}"
    if not _done(file, recipe, chips, pairs):
        train(chips, recipe=recipe, out=file, pairs=pairs, say=lambda said: say(f"{file.stem} {said}"))
    model = zoo.load(str(file))
    held_out = read_chips(chips, model.sensor_set, split="val")
    groups = {ALL: held_out}
    for of in (attrgetter("commodity"), attrgetter("mine_type")):
        for name in sorted({of(chip) for chip in held_out} - {""}):
            groups[name] = [chip for chip in held_out if of(chip) == name]
    return [_score(trial, model, on, evaluate(model, group)) for on, group in groups.items()]


def _done(file: Path, recipe: Recipe, folder: Path, pairs: Path | None) -> bool:
    if not file.exists() or (known := zoo.card(str(file))).settings != recipe.model_dump():
        return False
    chips = read_chips(folder, sensor_set(recipe.sensor_set), split="train", commodity=recipe.commodity)
    places = read_places(pairs, sensor_set(recipe.sensor_set)).checksum() if pairs else ""
    return (known.chips, known.pairs) == (checksum(chips), places)


def _score(trial: Trial, model: zoo.SegmentationModel, on: str, found: dict[str, Any]) -> Score:
    (mean_low, mean_high), (foot_low, foot_high) = (
        found["interval"][name] or (None, None) for name in ("mean_iou", "footprint_iou")
    )
    recipe = trial.recipe
    return Score(
        sensor_set=recipe.sensor_set, network=recipe.network, encoder=recipe.encoder, seed=recipe.seed,
        steps=recipe.steps, change=trial.change,
        trained_on=recipe.commodity or ALL, scored_on=on, sites=len(found["sites"]["each"]),
        mean_iou=found["mean_iou"], mean_iou_low=mean_low, mean_iou_high=mean_high,
        footprint_iou=found["footprint_iou"], footprint_iou_low=foot_low, footprint_iou_high=foot_high,
        iou={label.name: found["iou"][label.name] for label in COMPONENTS},
        model_checksum=model.checksum, chips_checksum=model.card.chips,
    )  # fmt: skip


def telling(scores: Sequence[Score]) -> list[Score]:
    """Return those of `scores` that answer the question: of every trial that on all sites; of every commodity that has
    a model of its own, this beside the universal one on the same sites.
    """
    own = {score.trained_on for score in scores} - {ALL}
    kept = [score for score in scores if score.trained_on in (ALL, score.scored_on) and score.scored_on in {ALL, *own}]
    return sorted(kept, key=lambda score: (score.scored_on != ALL, score.scored_on))


def names(scores: Sequence[Score]) -> list[str]:
    """Return in words what was trained and scored; seeds only where there are several."""
    seeds = len({score.seed for score in scores}) > 1
    return [_name(score) + (f" ({score.seed})" if seeds else "") for score in scores]


def _name(score: Score) -> str:
    sites = "" if score.scored_on == ALL else f"{score.scored_on}: "
    trained_on = f"trained on {score.trained_on}" if score.trained_on != score.scored_on else ""
    what = f"{sites}{score.sensor_set}, {score.network} on {score.encoder}"
    return ", ".join(part for part in (what, trained_on, score.change) if part)


def write_table(scores: Sequence[Score], path: Path) -> None:
    """Write `scores` as CSV, one column for each component's IoU."""
    rows = [asdict(score) for score in scores]
    rows = [{**row, **row.pop("iou")} for row in rows]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
