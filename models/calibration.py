"""Whether confidence means accuracy: expected calibration error, and the temperature that mends it.

Change detection relies on confidence: a change counts only where the model was sure on both dates.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from models.channels import channels, standardised
from models.chip import Chip
from models.decision import decided
from models.labels import NODATA
from models.predict import probabilities
from models.zoo import SegmentationModel

BINS = 15
"""Equal steps of confidence."""


def chance(model: SegmentationModel, chip: Chip) -> np.ndarray:
    """Return float32 (11, H, W): the probabilities that `model` gives for `chip`."""
    planes = channels(chip.scene, model.sensor_set)
    return probabilities(standardised(planes, valid=chip.valid, mean=model.card.mean, std=model.card.std), model)


def bins(chances: np.ndarray, truth: np.ndarray, *, temperature: float) -> np.ndarray:
    """Return float64 (2, 3, BINS): pixels, hits and sum of confidence by confidence.

    First as the network gives them, without the `temperature` by which `chances` float32 (11, H, W) were made, then
    as they are. `truth` is uint8 (H, W), 255 is left out.
    """
    known = truth != NODATA
    given, labels = chances[:, known].astype(np.float64), truth[known]
    raw = given**temperature  # softmax(x / T) to the power of T is softmax(x), but for its sum
    return np.stack([_binned(raw / raw.sum(axis=0), labels), _binned(given, labels)])


def _binned(chances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    classes, confidence = (of.numpy() for of in decided(torch.from_numpy(chances)))
    at = np.minimum((confidence * BINS).astype(int), BINS - 1)
    of_each = (np.ones(len(at)), classes == labels, confidence)
    return np.stack([np.bincount(at, weights=of, minlength=BINS) for of in of_each])


def calibration_error(binned: np.ndarray) -> float | None:
    """Return the expected calibration error (Guo et al. 2017): mean distance of confidence from accuracy."""
    pixels, hits, confidence = binned
    return round(float(np.abs(hits - confidence).sum() / pixels.sum()), 4) if pixels.sum() else None


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
