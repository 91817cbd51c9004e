"""What training minimises: how far the network is from labelled pixels, and from what is known of whole places."""

import torch
from torch import nn

from models import torch_compat
from models.labels import NODATA
from models.places import SIDE, SOMEWHERE

torch_compat.ensure()
from segmentation_models_pytorch.losses import DiceLoss  # noqa: E402  (imports torchvision)

LEAST_MINED = SIDE * SIDE * 3 // 100
"""Pixels of a mined place that should be mine: 0.7 ha."""


class Loss(nn.Module):
    """Cross-entropy (rare classes weigh more) plus Dice over the classes, and both over the footprint.

    The footprint, the union of the components, is what people trust first, and it is not hurt by a component taken
    for another. Pixels labelled 255 count nowhere. Where whole places are known to be mined, their surest pixels
    should be mine.
    """

    def __init__(self, weights: torch.Tensor, *, footprint: float) -> None:
        super().__init__()
        self.footprint = footprint
        self.entropy = nn.CrossEntropyLoss(weight=weights, ignore_index=NODATA)
        self.dice = DiceLoss("multiclass", ignore_index=NODATA)

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of `logits` float32 (N, 11, H, W) against `labels` int64 (N, H, W), 0-10, 254 and 255."""
        known = torch.where(labels == SOMEWHERE, NODATA, labels)
        if (known == NODATA).all():  # the mean over no pixel would be NaN, and every weight after it
            return 0.1 * somewhere(logits, labels) + 0 * logits.sum()
        classes = self.entropy(logits, known) + 0.5 * self.dice(logits, known)
        return classes + self.footprint * footprint(logits, known) + 0.1 * somewhere(logits, labels)


def footprint(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return cross-entropy plus Dice of mine against background."""
    background = logits.log_softmax(dim=1)[:, 0]
    mine = torch.log1p(-background.exp().clamp(max=1 - 1e-6))
    known, mined = labels != NODATA, (labels > 0) & (labels != NODATA)
    entropy = -torch.where(mined, mine, background)[known].mean()
    chance = mine.exp() * known
    dice = 1 - (2 * (chance * mined).sum() + 1) / (chance.sum() + mined.sum() + 1)
    return entropy + dice


def somewhere(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return how little mine the mined places of a batch show: the surest 3 % of a place's pixels should be mine.

    The windows hold places of 48 × 48 pixels on a centred grid, as `places.mosaic` lays them.
    """
    side = labels.shape[1]
    count = side // SIDE
    if not count or not (labels == SOMEWHERE).any():
        return logits.new_zeros(())
    margin = (side - count * SIDE) // 2
    inside = slice(margin, margin + count * SIDE)
    background = logits.log_softmax(dim=1)[:, 0, inside, inside]
    by_place = background.unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE).reshape(-1, SIDE * SIDE)
    mined = labels[:, inside, inside][:, ::SIDE, ::SIDE].reshape(-1) == SOMEWHERE
    least = by_place[mined].topk(LEAST_MINED, largest=False).values.exp().mean(dim=1)
    return -torch.log1p(-least.clamp(max=1 - 1e-4)).mean()
