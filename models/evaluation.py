"""How good a model is on labelled chips: intersection over union over all, per label and site, and calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from models.calibration import BINS, bins, calibration_error, chance
from models.chip import Chip
from models.decision import decided
from models.labels import BACKGROUND, COMPONENTS, LABELS, NODATA
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
    """Return the figures of `model` over `chips` as one, per site, with intervals over sites, and its calibration."""
    by_site: dict[str, np.ndarray] = {}
    reliability = np.zeros((2, 3, BINS))
    for chip in chips:
        found = chance(model, chip)
        classes = decided(torch.from_numpy(found))[0].numpy()
        by_site[chip.site] = by_site.get(chip.site, 0) + confusion(chip.labels, classes)
        reliability += bins(found, chip.labels, temperature=model.card.temperature)
    matrices = np.stack(list(by_site.values()))
    return {
        **figures(matrices.sum(axis=0)),
        "interval": interval(matrices),
        "sites": sites(by_site),
        "calibration_error": {
            "without_temperature": calibration_error(reliability[0]),
            "with_temperature": calibration_error(reliability[1]),
        },
    }


def sites(by_site: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return mean IoU and footprint IoU of every site, and mean and standard deviation of each over the sites."""
    each = {site: figures(matrix) for site, matrix in sorted(by_site.items())}
    kept = {site: {name: found[name] for name in ("mean_iou", "footprint_iou")} for site, found in each.items()}
    spread = {}
    for name in ("mean_iou", "footprint_iou"):
        values = [found[name] for found in kept.values() if found[name] is not None]
        spread[name] = (
            {"mean": round(float(np.mean(values)), 4), "std": round(float(np.std(values)), 4)} if values else None
        )
    return {"each": kept, "spread": spread}


def interval(matrices: np.ndarray, *, draws: int = 1000, seed: int = 0) -> dict[str, list[float]]:
    """Return the 95 % interval of mean IoU and footprint IoU, by drawing whole sites anew (Efron 1979).

    `matrices` is int64 (sites, 11, 11); pixels of one site are not independent of each other. Empty where there are
    fewer than two sites.
    """
    if len(matrices) < 2:
        return {"mean_iou": [], "footprint_iou": []}
    rng = np.random.default_rng(seed)
    drawn = [figures(matrices[rng.integers(len(matrices), size=len(matrices))].sum(axis=0)) for _ in range(draws)]
    ends = {}
    for name in ("mean_iou", "footprint_iou"):
        values = [found[name] for found in drawn if found[name] is not None]
        ends[name] = [round(float(end), 4) for end in np.percentile(values, [2.5, 97.5])] if values else []
    return ends
