"""Augmentation: what may differ between two looks at the same ground without changing its labels. Pure."""

from collections.abc import Sequence

import numpy as np

GAIN, OFFSET = 0.15, 0.15
"""Spread of brightness in standard deviations: sun, season, haze."""

PATH_AT_490 = 0.075
"""Reflectance of the clear air at 490 nm, which top-of-atmosphere scenes (L1C) have on top of surface scenes (L2A)."""

WAVELENGTH = {
    "B02": 490, "B03": 560, "B04": 665, "B05": 705, "B06": 740, "B07": 783, "B08": 842, "B8A": 865, "B11": 1610,
    "B12": 2190,
}  # fmt: skip
"""Central wavelengths of Sentinel-2 in nanometres."""


def air(bands: Sequence[str]) -> np.ndarray:
    """Return float32 (channels,): reflectance of clear air, by Rayleigh's law (wavelength to the power of -4)."""
    return np.array([PATH_AT_490 * (490 / WAVELENGTH[b]) ** 4 if b in WAVELENGTH else 0 for b in bands], np.float32)


def crop(
    planes: np.ndarray, labels: np.ndarray, *, side: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random window of (side, side), preferring windows that show a mine component."""
    height, width = labels.shape
    side = min(side, height, width)
    for _ in range(4):
        top, left = (int(rng.integers(0, length - side + 1)) for length in (height, width))
        window = (slice(top, top + side), slice(left, left + side))
        if ((labels[window] > 0) & (labels[window] < 255)).mean() > 0.02:
            break
    return planes[:, *window], labels[window]


def turned(planes: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return one of the eight turns and mirrorings of both arrays."""
    quarter = int(rng.integers(4))
    planes, labels = np.rot90(planes, quarter, axes=(1, 2)), np.rot90(labels, quarter)
    if rng.random() < 0.5:
        planes, labels = planes[:, :, ::-1], labels[:, ::-1]
    return np.ascontiguousarray(planes), np.ascontiguousarray(labels)


def recoloured(planes: np.ndarray, *, air: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return standardised `planes` under more or less air, brighter or darker, with some noise.

    `air`, float32 (channels,), is the reflectance of clear air in standard deviations: up to all of it is put on or
    taken off, so that one model serves top-of-atmosphere and surface scenes.
    """
    common = rng.normal(0, [GAIN, OFFSET])
    own = rng.normal(0, 0.4 * np.array([GAIN, OFFSET]), (len(planes), 2))
    gain, offset = np.exp(common[0] + own[:, 0]), common[1] + own[:, 1] + rng.uniform(-1, 1) * air
    noise = rng.normal(0, 0.03, planes.shape)
    return (planes * gain[:, None, None] + offset[:, None, None] + noise).astype(np.float32)
