"""Training: chips in, a model file out. Can be stopped at any time and goes on from its last checkpoint."""

import fcntl
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from models import network, torch_compat, zoo
from models.calibration import temperature
from models.chip import Chip
from models.chips import checksum, read_chips, splits, statistics
from models.errors import ModelError
from models.evaluation import evaluate
from models.labels import LABELS, NODATA
from models.learner import Learner, Progress, Say
from models.places import read_places
from models.recipe import Recipe
from models.sensors import sensor_set
from models.windows import Whole, Windows
from models.zoo.card import Card

torch_compat.ensure()
import lightning  # noqa: E402  (imports torchvision)
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint  # noqa: E402


def train(
    folder: Path,
    *,
    recipe: Recipe,
    out: Path,
    say: Say,
    pairs: Path | None = None,
    start: str | None = None,
    version: str = "0.1.0",
    trained_on: str = "",
    limits: str = "",
) -> Card:
    """Train on split `train` of the chips in `folder`, choose and score on `val`, write the model; return its card.

    `pairs` is a folder of places of which only is known whether they are mined. `start` is a model whose weights are
    gone on from, of the same network, encoder and sensor set; else the encoder starts from ImageNet. Weights are
    averaged over the steps, and those that do best on the validation chips are kept. A checkpoint beside `out` is gone
    on from, and removed at the end. Raises ModelError for chips that do not fit, for a start that is not as the recipe
    says, for a checkpoint of another recipe or other chips, and while another training writes `out`.
    """
    with _alone(out):
        return _train(
            folder, recipe=recipe, out=out, say=say, pairs=pairs, start=start, version=version,
            trained_on=trained_on, limits=limits,
        )  # fmt: skip


def _train(
    folder: Path,
    *,
    recipe: Recipe,
    out: Path,
    say: Say,
    pairs: Path | None,
    start: str | None,
    version: str,
    trained_on: str,
    limits: str,
) -> Card:
    seen = sensor_set(recipe.sensor_set)
    chips, held_out = (read_chips(folder, seen, split=part, commodity=recipe.commodity) for part in splits(folder))
    places = read_places(pairs, seen) if pairs else None
    begun = _begun(start, recipe) if start else None
    mean, std = ([*begun.card.mean], [*begun.card.std]) if begun else statistics(chips, seen)
    of: dict[str, Any] = {
        "recipe": recipe.model_dump(),
        "chips": checksum([*chips, *held_out]),
        "pairs": places.checksum() if places else "",
        "start": begun.checksum if begun else "",
    }
    lightning.seed_everything(recipe.seed, verbose=False)
    built = begun.network.train() if begun else _network(recipe)
    learner = Learner(recipe, built, class_weights(chips, power=recipe.rarity), of)
    going_on = out.with_suffix(".ckpt")
    # Not weights alone: Lightning would write those of the last step then, not the average that was looked at.
    best = ModelCheckpoint(out.parent, f"{out.stem}-best", monitor="score", mode="max", enable_version_counter=False)
    windows = Windows(chips, places, recipe=recipe, seen=seen, mean=mean, std=std, start=_steps_done(going_on, of))
    _trainer(recipe, out, best, say).fit(
        learner,
        DataLoader(windows, batch_size=recipe.batch, num_workers=recipe.workers),
        DataLoader(Whole(held_out, seen, mean, std), batch_size=1),
        ckpt_path=str(going_on) if going_on.exists() else None,
    )
    chosen = Path(best.best_model_path)
    learner.load_state_dict(torch.load(chosen, weights_only=True)["state_dict"])
    draft = Card.of(
        recipe, name=out.stem, version=version, mean=mean, std=std, chips=checksum(chips),
        pairs=of["pairs"], limits=limits or "nobody has said yet",
        trained_on=(trained_on or f"chips of {folder.name}") + (f"; begun from {start}" if begun else ""),
    )  # fmt: skip
    unscored = out.with_suffix(f".draft{zoo.SUFFIX}")
    zoo.save(unscored, learner.network, draft)
    card = scored(unscored, out, held_out)
    for file in (unscored, going_on, chosen):
        file.unlink(missing_ok=True)
    return card


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the lock of `out`; raises ModelError while another training does."""
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = out.with_suffix(".lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"{out} is being trained already: wait for it, or name another file") from None
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _steps_done(checkpoint: Path, of: dict[str, Any]) -> int:
    if not checkpoint.exists():
        return 0
    known = torch.load(checkpoint, weights_only=True)
    for name, words in (
        ("recipe", "another recipe"), ("chips", "other chips"), ("pairs", "other pairs"), ("start", "another start"),
    ):  # fmt: skip
        if known["of"].get(name, "") != of[name]:
            raise ModelError(f"{checkpoint} is of {words}: go on with those, or remove the file to begin anew")
    return int(known["global_step"])


def _begun(start: str, recipe: Recipe) -> zoo.SegmentationModel:
    """Return model `start`; raises ModelError when it is another network, or sees other bands, than `recipe` says."""
    model = zoo.load(start, device="cpu")
    for name in ("sensor_set", "network", "encoder"):
        own, wanted = getattr(model.card, name), getattr(recipe, name)
        if own != wanted:
            raise ModelError(f"{model.name} has {name} {own}, not {wanted}: choose the same to go on from it")
    return model


def _network(recipe: Recipe) -> torch.nn.Module:
    seen = sensor_set(recipe.sensor_set)
    if recipe.imagenet:
        return network.from_imagenet(network=recipe.network, encoder=recipe.encoder, bands=(*seen.bands, *seen.indices))
    return network.build(network=recipe.network, encoder=recipe.encoder, channels=seen.channels)


def steps_between_looks(recipe: Recipe) -> int:
    """Return after how many steps the validation chips are looked at: at most `every`, and last (almost) at the end."""
    return recipe.steps // math.ceil(recipe.steps / recipe.every)


def _trainer(recipe: Recipe, out: Path, best: ModelCheckpoint, say: Say) -> lightning.Trainer:
    # After every look, so that what a look has found is in it; with the best weights before it in the list.
    keep = ModelCheckpoint(out.parent, out.stem, every_n_epochs=1, enable_version_counter=False)
    average = EMAWeightAveraging(decay=min(0.998, 1 - 10 / max(recipe.steps, 20)))  # over a tenth of the steps
    return lightning.Trainer(
        max_steps=recipe.steps,
        val_check_interval=steps_between_looks(recipe),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        devices=1,
        precision="bf16-mixed",
        gradient_clip_val=2.0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            average, Progress(say), best, keep, EarlyStopping("score", mode="max", patience=recipe.patience),
        ],
    )  # fmt: skip


def scored(unscored: Path, out: Path, held_out: Sequence[Chip]) -> Card:
    """Write model `unscored` to `out` with temperature and scores by the held-out chips, and return its card."""
    model = zoo.load(str(unscored))
    warm = replace(model, card=model.card.model_copy(update={"temperature": temperature(model, held_out)}))
    card = warm.card.model_copy(update={"scores": evaluate(warm, held_out)})
    zoo.save(out, model.network, card)
    zoo.publish(out)
    return card


def class_weights(chips: Sequence[Chip], *, power: float) -> torch.Tensor:
    """Return float32 (11,): the inverse `power` of each class's share of the pixels; mean 1 over pixels, at most 5."""
    count = sum((np.bincount(c.labels[c.labels != NODATA], minlength=len(LABELS)) for c in chips), np.zeros(1))
    if count.sum() == 0:
        raise ModelError("the chips have no labelled pixel")
    share = np.maximum(count / count.sum(), 1e-4)
    weights = share**-power
    return torch.tensor(np.minimum(weights / (weights * share).sum(), 5), dtype=torch.float32)
