"""Augmentation: what may differ between two looks at the same ground without changing its labels. Pure."""

import numpy as np

GAIN, OFFSET = 0.15, 0.15
"""Spread of brightness per channel in standard deviations: haze, sun, and top of atmosphere against surface."""


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


def recoloured(planes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return standardised `planes` brighter or darker as a whole and a little per channel, with some noise."""
    common = rng.normal(0, [GAIN, OFFSET])
    own = rng.normal(0, 0.4 * np.array([GAIN, OFFSET]), (len(planes), 2))
    gain, offset = np.exp(common[0] + own[:, 0]), common[1] + own[:, 1]
    noise = rng.normal(0, 0.03, planes.shape)
    return (planes * gain[:, None, None] + offset[:, None, None] + noise).astype(np.float32)
