"""The network in training: what a step and a look at the validation chips do, and what is said of both."""

import logging
import warnings
from collections.abc import Callable
from typing import Any

import torch

from models import torch_compat
from models.decision import decided
from models.evaluation import figures
from models.labels import LABELS, NODATA
from models.losses import Loss
from models.recipe import Recipe
from models.windows import Sample

torch_compat.ensure()
import lightning  # noqa: E402  (imports torchvision)
from lightning.pytorch.callbacks import Callback  # noqa: E402
from torchmetrics.classification import MulticlassConfusionMatrix  # noqa: E402

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # its advice is not about mines
warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")  # it holds the chips, say
warnings.filterwarnings("ignore", message=".*LeafSpec")

Say = Callable[[str], None]


class Learner(lightning.LightningModule):
    """The network in training."""

    def __init__(self, recipe: Recipe, built: torch.nn.Module, weights: torch.Tensor, of: dict[str, Any]) -> None:
        super().__init__()
        self.recipe, self.of = recipe, of
        self.network = built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.5 x on a CPU
        self.loss = Loss(weights, footprint=recipe.footprint)
        self.confusion = MulticlassConfusionMatrix(len(LABELS), ignore_index=NODATA)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Return float32 logits (N, 11, H, W) of standardised `planes` (N, channels, H, W)."""
        logits: torch.Tensor = self.network(planes.contiguous(memory_format=torch.channels_last)).float()
        return logits

    def on_train_batch_start(self, *_: Any) -> None:
        """Seed what the network itself draws (dropout) by the step, so that a resumed training draws the same."""
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Sample, _: int) -> torch.Tensor:
        """Return the loss of one batch."""
        planes, labels = batch
        loss: torch.Tensor = self.loss(self(planes), labels)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Sample, _: int) -> None:
        """Count hits and misses on one chip."""
        planes, labels = batch
        chance = self(planes).softmax(dim=1).movedim(1, 0)
        self.confusion.update(decided(chance)[0], labels)

    def on_validation_epoch_end(self) -> None:
        """Log mean IoU and footprint IoU over all chips, and their mean, by which the best weights are chosen."""
        scores = figures(self.confusion.compute().cpu().numpy())
        self.confusion.reset()
        mean_iou, footprint_iou = scores["mean_iou"] or 0.0, scores["footprint_iou"] or 0.0
        self.log_dict({"mean_iou": mean_iou, "footprint_iou": footprint_iou, "score": (mean_iou + footprint_iou) / 2})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write into the checkpoint what it is of."""
        checkpoint["of"] = self.of

    def configure_optimizers(self) -> Any:
        """Return AdamW with one cycle of the learning rate, slower for the encoder, which knows something."""
        encoder = {id(parameter) for parameter in self.network.encoder.parameters()}
        parts = [[one for one in self.parameters() if (id(one) in encoder) is inside] for inside in (True, False)]
        peak = [self.recipe.learning_rate * self.recipe.encoder_rate, self.recipe.learning_rate]
        optimizer = torch.optim.AdamW([{"params": part} for part in parts], weight_decay=self.recipe.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=peak, total_steps=self.recipe.steps, pct_start=0.15
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Progress(Callback):
    """Says the loss now and then, and how good the network is whenever that was looked at."""

    def __init__(self, say: Say, every: int = 50) -> None:
        self.say, self.every = say, every

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        """Called after every step."""
        if trainer.global_step % self.every == 0:
            self.say(f"step {trainer.global_step}: loss {float(trainer.callback_metrics['loss']):.3f}")

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Called after the validation chips were looked at."""
        mean, footprint = (float(trainer.callback_metrics[name]) for name in ("mean_iou", "footprint_iou"))
        self.say(f"step {trainer.global_step}: mean IoU {mean:.3f}, footprint IoU {footprint:.3f}")
