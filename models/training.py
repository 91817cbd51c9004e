"""Training: chips in, a model file out. Can be stopped at any time and goes on from its last checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from models import network, torch_compat, zoo
from models.augment import air, crop, recoloured, turned
from models.channels import standardised
from models.chips import Chip, read_chips, statistics
from models.errors import ModelError
from models.evaluation import evaluate, temperature
from models.labels import LABELS, NODATA
from models.sensors import sensor_set

torch_compat.ensure()
import lightning  # noqa: E402  (imports torchvision)
from lightning.pytorch.callbacks import Callback, ModelCheckpoint  # noqa: E402
from segmentation_models_pytorch.losses import DiceLoss  # noqa: E402


@dataclass(frozen=True)
class Recipe:
    """How a model is trained."""

    sensor_set: str
    encoder: str = "lite0"
    imagenet: bool = True
    steps: int = 1500
    batch: int = 8
    side: int = 256
    learning_rate: float = 6e-4
    decay: float = 1e-2
    seed: int = 1
    workers: int = 0


class Windows(IterableDataset):
    """An endless stream of augmented windows: float32 (channels, side, side) and int64 labels (side, side)."""

    def __init__(self, chips: Sequence[Chip], mean: list[float], std: list[float], recipe: Recipe) -> None:
        self.recipe = recipe
        seen = sensor_set(recipe.sensor_set)
        self.air = air([*seen.bands, *seen.indices]) / np.array(std, np.float32)
        self.planes = [standardised(c.planes, valid=c.valid, mean=mean, std=std) for c in chips]
        self.labels = [chip.labels for chip in chips]

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.recipe.seed, worker.id if worker else 0, torch.initial_seed() % 2**32])
        while True:
            for i in rng.permutation(len(self.planes)):
                planes, labels = crop(self.planes[i], self.labels[i], side=self.recipe.side, rng=rng)
                planes, labels = turned(planes, labels, rng=rng)
                planes = recoloured(planes, air=self.air, rng=rng)
                yield torch.from_numpy(planes), torch.from_numpy(labels.astype(np.int64))


class Learner(lightning.LightningModule):
    """The network with its loss, cross-entropy (rare classes weigh more) plus Dice, both without unsure pixels."""

    def __init__(self, recipe: Recipe, weights: torch.Tensor, channels: int) -> None:
        super().__init__()
        self.recipe = recipe
        built = network.build(encoder=recipe.encoder, channels=channels)
        self.network = built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.5 x on a CPU
        self.entropy = torch.nn.CrossEntropyLoss(weight=weights, ignore_index=NODATA)
        self.dice = DiceLoss("multiclass", ignore_index=NODATA)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """Return the loss of one batch."""
        planes, labels = batch
        logits = self.network(planes.contiguous(memory_format=torch.channels_last)).float()
        loss = self.entropy(logits, labels) + 0.5 * self.dice(logits, labels)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        """Return AdamW with one cycle of the learning rate."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.recipe.learning_rate, weight_decay=self.recipe.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=self.recipe.learning_rate, total_steps=self.recipe.steps, pct_start=0.15
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Progress(Callback):
    """Says the loss now and then."""

    def __init__(self, say: Callable[[str], None], every: int = 50) -> None:
        self.say, self.every = say, every

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        """Called after every step."""
        if trainer.global_step % self.every == 0:
            self.say(f"step {trainer.global_step}: loss {float(trainer.callback_metrics['loss']):.3f}")


def train(
    folder: Path, *, name: str, version: str, recipe: Recipe, trained_on: str, out: Path, say: Callable[[str], None]
) -> zoo.Card:
    """Train on split `train` of the chips in `folder`, score on `val`, write the model to `out`; return its card.

    A checkpoint beside `out` is gone on from, and removed at the end. Raises ModelError for chips that do not fit.
    """
    seen = sensor_set(recipe.sensor_set)
    chips, held_out = (read_chips(folder, seen, split=split) for split in ("train", "val"))
    lightning.seed_everything(recipe.seed, verbose=False)
    mean, std = statistics(chips)
    learner = Learner(recipe, class_weights(chips), seen.channels)
    if recipe.imagenet:
        network.start_from_imagenet(learner.network, encoder=recipe.encoder, bands=(*seen.bands, *seen.indices))
    checkpoint = out.with_suffix(".ckpt")
    keep = ModelCheckpoint(out.parent, out.stem, every_n_train_steps=100, enable_version_counter=False)
    trainer = lightning.Trainer(
        max_steps=recipe.steps,
        precision="bf16-mixed",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Progress(say), keep],
    )
    windows = DataLoader(Windows(chips, mean, std, recipe), batch_size=recipe.batch, num_workers=recipe.workers)
    trainer.fit(learner, windows, ckpt_path=str(checkpoint) if checkpoint.exists() else None)
    draft = zoo.Card(
        name=name, version=version, sensor_set=seen.name, encoder=recipe.encoder, mean=tuple(mean), std=tuple(std),
        temperature=1.0, trained_on=trained_on, settings=vars(recipe), scores={},
    )  # fmt: skip
    zoo.save(out, learner.network, draft)
    card = scored(out, held_out)
    checkpoint.unlink(missing_ok=True)
    return card


def scored(file: Path, held_out: Sequence[Chip]) -> zoo.Card:
    """Set temperature and scores of the model in `file` by the held-out chips, and return its card."""
    model = zoo.load(str(file))
    warmth = temperature(model, held_out)
    scores = evaluate(model, held_out)
    card = model.card.model_copy(update={"temperature": warmth, "scores": scores})
    zoo.save(file, model.network, card)
    file.with_suffix(".md").write_text(zoo.describe(card))
    return card


def class_weights(chips: Sequence[Chip]) -> torch.Tensor:
    """Return float32 (11,): the less of a class there is, the more it weighs; mean 1 over pixels, at most 5."""
    count = sum((np.bincount(c.labels[c.labels != NODATA], minlength=len(LABELS)) for c in chips), np.zeros(1))
    if count.sum() == 0:
        raise ModelError("the chips have no labelled pixel")
    share = np.maximum(count / count.sum(), 1e-4)
    weights = share**-0.3
    return torch.tensor(np.minimum(weights / (weights * share).sum(), 5), dtype=torch.float32)
