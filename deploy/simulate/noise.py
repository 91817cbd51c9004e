"""Fractal fields: the one source of irregularity in simulated scenes.

Terrain, borders, textures and clouds are all thresholds or mixtures of these fields.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


def fractal(rng: np.random.Generator, size: int, *, slope: float = 1.8, longest: float = 0.0) -> Field:
    """Return a (size, size) field of zero mean and unit deviation whose amplitude falls as frequency^-slope.

    `longest` is the longest wave in pixels (0: a wave across the field). Made on a larger canvas,
    so that opposite edges do not match.
    """
    canvas = size + size // 4
    rows = np.fft.fftfreq(canvas)[:, None]
    columns = np.fft.rfftfreq(canvas)[None, :]
    frequency = np.hypot(rows, columns)
    lowest = 1.0 / (longest or canvas)
    amplitude = np.maximum(frequency, lowest) ** -slope
    amplitude[0, 0] = 0.0
    white = np.fft.rfft2(rng.standard_normal((canvas, canvas)))
    field = np.fft.irfft2(white * amplitude, s=(canvas, canvas))[:size, :size]
    field -= field.mean()
    return (field / field.std()).astype(np.float32)


def grid(size: int) -> tuple[Field, Field]:
    """Return row and column coordinates in pixels, each (size, size)."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    return rows, columns


def smoothstep(values: Field, low: float, high: float) -> Field:
    """Rise smoothly from 0 below `low` to 1 above `high`."""
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return (share * share * (3.0 - 2.0 * share)).astype(np.float32)


def distance(mask: Mask) -> Field:
    """Return the distance in pixels to the nearest True pixel (a large value where there is none)."""
    if not mask.any():
        return np.full(mask.shape, 1e6, np.float32)
    return ndimage.distance_transform_edt(~mask).astype(np.float32)


def threshold_for(values: Field, share: float) -> float:
    """Return the threshold that leaves `share` of the pixels above it."""
    return float(np.quantile(values, 1.0 - np.clip(share, 0.0, 1.0)))
