"""Prediction: a scene in, classes and confidence out, in overlapping tiles so that any size fits into memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from models.channels import channels, standardised
from models.errors import ModelError
from models.labels import LABELS, NODATA
from models.network import MULTIPLE
from models.zoo import SegmentationModel

TILE, OVERLAP = 512, 96


@dataclass(frozen=True)
class Prediction:
    """uint8 (H, W): `classes` 0 background, 1-10; `confidence` per cent of the chosen class; 255 not valid."""

    classes: np.ndarray
    confidence: np.ndarray


def predict(*, scene: np.ndarray, valid: np.ndarray, model: SegmentationModel) -> Prediction:
    """Return what `model` sees in `scene`.

    `scene` is float32 (B, H, W), reflectance (radar: linear gamma0) in the order of the model's bands; `valid` is
    bool (H, W): what is not valid is hidden from the network. Raises ModelError when the bands do not fit.
    """
    bands = model.sensor_set.bands
    if len(scene) != len(bands):
        raise ModelError(f"{model.name} sees {len(bands)} bands ({', '.join(bands)}), the scene has {len(scene)}")
    planes = standardised(channels(scene, model.sensor_set), valid=valid, mean=model.card.mean, std=model.card.std)
    chance = probabilities(planes, model)
    classes = chance.argmax(axis=0).astype(np.uint8)
    confidence = np.round(100 * chance.max(axis=0)).astype(np.uint8)
    return Prediction(np.where(valid, classes, NODATA), np.where(valid, confidence, NODATA))


def probabilities(planes: np.ndarray, model: SegmentationModel) -> np.ndarray:
    """Return float32 (11, H, W), the probabilities of the classes for standardised `planes` (channels, H, W)."""
    height, width = planes.shape[1:]
    total = np.zeros((len(LABELS), height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    for rows, columns in tiles(height, width):
        part = planes[:, rows, columns]
        share = ramp(part.shape[1:])
        total[:, rows, columns] += share * _softmax(part, model)
        weight[rows, columns] += share
    return total / weight


def tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield tiles of at most 512 pixels a side that cover the raster and overlap by 96."""
    for top in _starts(height):
        for left in _starts(width):
            yield slice(top, min(top + TILE, height)), slice(left, min(left + TILE, width))


def _starts(length: int) -> list[int]:
    if length <= TILE:
        return [0]
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    return [round(i * (length - TILE) / (count - 1)) for i in range(count)]


def ramp(shape: tuple[int, int]) -> np.ndarray:
    """Return float32 (H, W): 1 in the middle, falling towards the edges, where a tile sees least around it."""
    sides = [np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1)) / (OVERLAP / 2) for n in shape]
    return np.clip(np.minimum.outer(*sides), 0, 1).astype(np.float32)


@torch.inference_mode()
def _softmax(part: np.ndarray, model: SegmentationModel) -> np.ndarray:
    height, width = part.shape[1:]
    padding = [(0, 0), (0, -height % MULTIPLE), (0, -width % MULTIPLE)]
    batch = torch.from_numpy(np.pad(part, padding)).unsqueeze(0).to(model.device)
    logits = model.network(batch)[0, :, :height, :width].float()
    return np.asarray((logits / model.card.temperature).softmax(dim=0).cpu())
