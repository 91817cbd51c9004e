"""Atmosphere: clouds with displaced shadows, haze, swath edges, and the scene classification (SCL)."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.simulate.noise import Field, Mask, fractal, grid, smoothstep, threshold_for
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.terrain import PIXEL

_WAVELENGTH = np.array([490, 560, 665, 705, 740, 783, 842, 865, 1610, 2190], np.float32)
_CLOUD = np.array([0.62, 0.62, 0.63, 0.64, 0.64, 0.64, 0.63, 0.62, 0.42, 0.31], np.float32)
_SKY = np.array([0.105, 0.098, 0.092, 0.090, 0.088, 0.086, 0.085, 0.084, 0.070, 0.060], np.float32)

COVERS = {
    "clear": (0.0, 0.0), "cumulus": (0.10, 0.28), "overcast": (0.75, 0.95), "haze": (0.0, 0.0),
    "partial": (0.0, 0.05), "snow": (0.0, 0.0),
}  # fmt: skip
"""Least and greatest share of cloud of each kind of weather."""


@dataclass
class Sky:
    """What stands between the ground and the sensor; all (size, size)."""

    cloud: Field  # opacity 0-1
    shadow: Field  # share of direct light that is taken 0-1
    haze: Field  # opacity at 490 nm 0-1
    seen: Mask  # inside the swath


def sky(rng: np.random.Generator, *, size: int, weather: str, zenith: float, azimuth: float) -> Sky:
    """Return the sky for a kind of `weather` (a key of COVERS) and the sun's position in radians."""
    share = rng.uniform(*COVERS[weather])
    cloud, shadow = _clouds(rng, size, share, zenith, azimuth)
    level = rng.uniform(0.22, 0.38) if weather == "haze" else rng.uniform(0.0, 0.05)
    haze = np.clip(level * (1 + 0.35 * fractal(rng, size, slope=2.2)), 0, 0.6)
    seen = _swath(rng, size) if weather == "partial" else np.ones((size, size), bool)
    return Sky(cloud, shadow, haze.astype(np.float32), seen)


def _clouds(rng: np.random.Generator, size: int, share: float, zenith: float, azimuth: float) -> tuple[Field, Field]:
    """Clouds over a wider sky, so that shadows of clouds outside the scene fall into it."""
    if share < 0.004:
        return np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    pad = max(24, size // 3)
    wide = size + 2 * pad
    billow = fractal(rng, wide, slope=1.75, longest=size * (0.3 if share < 0.5 else 0.9))
    edge = threshold_for(billow[pad:-pad, pad:-pad], share)
    opacity = smoothstep(billow, edge - 0.22, edge + 0.55) * (0.95 + 0.04 * fractal(rng, wide, slope=1.0))
    height = rng.uniform(600, 1800)
    far = min(height * np.tan(zenith) / PIXEL, pad - 2)
    shift = (far * np.cos(azimuth), -far * np.sin(azimuth))  # away from the sun; rows run southwards
    cast = ndimage.shift(opacity, shift, order=1, mode="nearest")
    inner = (slice(pad, pad + size), slice(pad, pad + size))
    return np.clip(opacity[inner], 0, 1), np.clip(ndimage.gaussian_filter(cast, 1.5)[inner], 0, 1)


def _swath(rng: np.random.Generator, size: int) -> Mask:
    """Orbits are inclined: the border of a swath crosses the scene some 12 degrees off north."""
    rows, columns = grid(size)
    across = (columns + 0.2 * rows) / (1.2 * size)
    limit = rng.uniform(0.35, 0.65)
    return across > limit if rng.random() < 0.5 else across < limit


def through(image: Field, air: Sky) -> Field:
    """Return `image` (bands, size, size) as seen through `air`, in reflectance; not yet cut by the swath."""
    lit = image * (1 - np.linspace(0.62, 0.80, len(S2_BANDS), dtype=np.float32)[:, None, None] * air.shadow)
    veil = air.haze * (490 / _WAVELENGTH[:, None, None]) ** 1.3
    hazy = lit * (1 - veil) + veil * (_SKY[:, None, None] + 0.05)
    return (hazy * (1 - air.cloud) + _CLOUD[:, None, None] * air.cloud).astype(np.float32)


def classify(image: Field, air: Sky, *, snow: Field) -> np.ndarray:
    """Return an SCL (size, size) uint8 as Sen2Cor would: right but for thin cloud edges and faint shadows."""
    band = dict(zip(S2_BANDS, image, strict=True))
    total = band["B08"] + band["B04"] + 1e-4
    ndvi = (band["B08"] - band["B04"]) / total
    ndwi = (band["B03"] - band["B08"]) / (band["B03"] + band["B08"] + 1e-4)
    scl = np.where(ndvi > 0.38, 4, 5).astype(np.uint8)
    scl[(ndwi > 0.05) & (band["B11"] < 0.10)] = 6
    scl[(band["B08"] < 0.07) & (scl == 5)] = 2
    scl[snow > 0.4] = 11
    scl[(air.haze > 0.33)] = 10
    scl[ndimage.binary_opening(air.shadow > 0.35, iterations=1)] = 3
    scl[(air.cloud > 0.18)] = 7
    scl[ndimage.binary_opening(air.cloud > 0.30, iterations=1)] = 8
    scl[air.cloud > 0.65] = 9
    blocks = scl[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)[: scl.shape[0], : scl.shape[1]]
    return np.where(air.seen, blocks, 0).astype(np.uint8)
