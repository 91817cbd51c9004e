"""How good a model is on labelled chips: confusion matrix, intersection over union, temperature."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from models.channels import standardised
from models.chips import Chip
from models.labels import BACKGROUND, COMPONENTS, LABELS, NODATA
from models.predict import probabilities
from models.zoo import SegmentationModel

CLASSES = len(LABELS)


def confusion(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return int64 (11, 11), pixels by true class (rows) and found class (columns); 255 in `truth` is left out."""
    known = truth != NODATA
    pairs = truth[known].astype(np.int64) * CLASSES + found[known]
    return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def figures(matrix: np.ndarray) -> dict[str, Any]:
    """Return per-class IoU, mean IoU over the components that occur, footprint IoU, accuracy and pixel counts.

    IoU is true positives over true positives, false positives and false negatives (Jaccard 1912), None for a class
    that neither is there nor was found. The footprint is the union of the components.
    """
    hits, true, found = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    iou = {label.name: _ratio(hits[label.id], true[label.id] + found[label.id] - hits[label.id]) for label in LABELS}
    components = [iou[label.name] or 0.0 for label in COMPONENTS if true[label.id] > 0]
    inside = matrix[1:, 1:].sum()
    return {
        "mean_iou": round(float(np.mean(components)), 4) if components else None,
        "footprint_iou": _ratio(inside, matrix.sum() - matrix[BACKGROUND, BACKGROUND]),
        "accuracy": _ratio(hits.sum(), matrix.sum()),
        "iou": iou,
        "pixels": {label.name: int(true[label.id]) for label in LABELS},
        "confusion": matrix.tolist(),
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(float(part / whole), 4) if whole else None


def evaluate(model: SegmentationModel, chips: Sequence[Chip]) -> dict[str, Any]:
    """Return the figures of `model` over `chips` as one."""
    matrix = sum((confusion(chip.labels, chance(model, chip).argmax(axis=0)) for chip in chips), np.zeros(1, np.int64))
    return figures(matrix)


def chance(model: SegmentationModel, chip: Chip) -> np.ndarray:
    """Return float32 (11, H, W): the probabilities that `model` gives for `chip`."""
    planes = standardised(chip.planes, valid=chip.valid, mean=model.card.mean, std=model.card.std)
    return probabilities(planes, model)


def temperature(model: SegmentationModel, chips: Sequence[Chip], *, most: int = 200_000, seed: int = 0) -> float:
    """Return what to divide the logits of `model` by so that confidence means accuracy (Guo et al. 2017).

    Least negative log likelihood over at most `most` labelled pixels of `chips`; the model's card must still say 1.
    """
    logits, truth = [], []
    for chip in chips:
        known = chip.labels != NODATA
        logits.append(np.log(np.maximum(chance(model, chip)[:, known], 1e-8)))
        truth.append(chip.labels[known])
    every, labels = np.concatenate(logits, axis=1), np.concatenate(truth)
    drawn = np.random.default_rng(seed).permutation(len(labels))[:most]
    every, labels = every[:, drawn].astype(np.float64), labels[drawn]

    def loss(log_temperature: float) -> float:
        scaled = every / np.exp(log_temperature)
        peak = scaled.max(axis=0)
        total = peak + np.log(np.exp(scaled - peak).sum(axis=0))
        return float((total - scaled[labels, np.arange(len(labels))]).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(-1.5, 2.0), method="bounded").x)), 3)
