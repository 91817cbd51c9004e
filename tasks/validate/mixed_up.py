"""Bands that stand in each other's place: one that came twice, and two that were swapped. Pure.

`validate` measures with it. Swapped bands show beside the mine's history only, and where they differ by more than the
seasons do: of bands swapped in the labelled series 19 % (blue and green) to 92 % (blue and near infrared) are found.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

Earlier = tuple[Callable[[int], np.ndarray], np.ndarray]
"""Another acquisition: what gives its n-th band, float32 (H, W), and its valid pixels."""

LEAST_PIXELS = 400
"""Pixels below which nothing is told."""
SAMPLE = 5_000
"""Pixels that are looked at, spread over those that may be."""
LEAST_LEVEL = 1e-4
"""Reflectance below which differences say nothing."""


def twins(values: np.ndarray) -> tuple[float, tuple[int, int]] | None:
    """Return the largest share (0-1) of pixels of `values` (B, n) with the same value in two bands, and which two.

    None where there are too few pixels.
    """
    some = _spread(values)
    if len(values) < 2 or some.shape[1] < LEAST_PIXELS:
        return None
    return max((float((some[i] == some[j]).mean()), (i, j)) for i, j in combinations(range(len(some)), 2))


def swapped(
    bands: np.ndarray, seen: np.ndarray, there: Sequence[int], history: Sequence[Earlier]
) -> tuple[float, tuple[int, int]] | None:
    """Return by which factor two bands look more like each other's past than their own, and which two.

    `bands` (B, H, W) reflectance, of which `there` are looked at, `seen` bool (H, W). The factor is that of the date of
    `history` for which it is smallest. None where a date shows too little of the same ground.
    """
    known: list[tuple[np.ndarray, np.ndarray]] = []
    for band, valid in history:
        both = np.flatnonzero(seen & valid)
        if len(both) < LEAST_PIXELS:
            return None
        both = _spread(both)
        known.append((bands.reshape(len(bands), -1)[:, both], np.stack([band(at).reshape(-1)[both] for at in there])))
    if not known or len(there) < 2:
        return None
    told = [_factors(now[list(there)], before) for now, before in known]
    least = np.min(told, axis=0)
    pairs = list(combinations(there, 2))
    return float(least.max()), pairs[int(least.argmax())]


def _factors(now: np.ndarray, before: np.ndarray) -> list[float]:
    """Return for each two bands of (B, n) how much farther they lie from their own past than from each other's."""
    apart = np.median(np.abs(now[:, None] - before[None]), axis=2)
    return [
        float((apart[i, i] + apart[j, j]) / max(apart[i, j] + apart[j, i], LEAST_LEVEL))
        for i, j in combinations(range(len(now)), 2)
    ]


def _spread(values: np.ndarray) -> np.ndarray:
    return values[..., :: max(values.shape[-1] // SAMPLE, 1)]
