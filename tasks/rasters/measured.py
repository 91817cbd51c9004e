"""Which pixels hold a measurement: towards the edge of a detector or a swath bands may hold a constant instead.

The masks of a product do not always say so. Real ground is never the same to the last digit: on 198,000 hectares in
182 dates of two mines, two dates of 634 places and 83 chips, no band holds one value in a square of 7 × 7 pixels
(`tests/bench/constants.py` measures it). Pure.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from models.sensors import WAVELENGTHS

SIDE = 7
"""Pixels a side of the least square that holds a constant where nothing was measured."""
LEAST = 1.5e-4
"""Reflectance below which a constant may be dark water: harmonisation clamps to 0, products begin at 1 (0.0001)."""
DARK = {"visible": 1.0, "near": 0.08, "short": 0.03}
"""Reflectance that water with a band of zeros has at most: visible (any), near and shortwave infrared."""
DARKEST_BLUE = 0.06
"""Reflectance that clear water has at most in the blue; with the air above it every ground has more."""
BEYOND = 0.03
"""The same in wavelengths longer than that of the band of zeros: water takes up the more, the longer they are."""


def measured_mask(bands: np.ndarray, names: Sequence[str], inside: np.ndarray, *, scale: float = 1e-4) -> np.ndarray:
    """Return bool (H, W): pixels of `inside`, bool (H, W), in which every band was measured.

    `bands` (B, H, W) as they came (integers times `scale` are reflectance; radar is linear), in the order of `names`.
    A band that holds one value in 7 × 7 pixels of `inside`, and all that hangs together with them, was not, unless it
    is 0 (or 1) and the others are as dark as water.
    """
    whole = inside.copy()
    if min(inside.shape, default=0) < SIDE:
        return whole
    room = ndimage.minimum_filter(inside, SIDE, mode="constant", cval=0)
    constants = {index: found for index, band in enumerate(bands) if (found := _constant(band, inside, room)).any()}
    for index, found in constants.items():
        regions, count = ndimage.label(found)
        for number, at in enumerate(ndimage.find_objects(regions, count), start=1):
            region = regions[at] == number
            values = bands[(slice(None), *at)][:, region]
            if not _dark_water(index, values, names, scale):
                whole[at] &= ~region
    return whole


def _constant(band: np.ndarray, inside: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return bool (H, W): where `band` holds a constant; `room` are the middles of squares that lie in `inside`."""
    found = np.zeros(band.shape, bool)
    step = SIDE // 2  # every square holds four points of a lattice as wide as this
    lattice = band[::step, ::step]
    same = (lattice[:-1, :-1] == lattice[1:, 1:]) & (lattice[:-1, 1:] == lattice[1:, :-1])
    if not (same & (lattice[:-1, :-1] == lattice[:-1, 1:])).any():
        return found
    highest = ndimage.maximum_filter(band, SIDE, mode="nearest")
    middles = room & (highest == ndimage.minimum_filter(band, SIDE, mode="nearest"))
    if middles.any():
        for value in np.unique(band[middles]):
            found |= ndimage.binary_propagation(middles & (band == value), mask=inside & (band == value))
    return found


def _dark_water(index: int, values: np.ndarray, names: Sequence[str], scale: float) -> bool:
    """Say whether a constant in band `index` of `values` (B, n) may be what harmonisation leaves of dark water."""
    if names[index] not in WAVELENGTHS or values[index, 0] * scale > LEAST or (values == values[:, :1]).all():
        return False
    levels = dict(zip(names, np.median(values, axis=1) * scale, strict=True))
    waves = sorted((WAVELENGTHS[name], level) for name, level in levels.items() if name in WAVELENGTHS)
    here = WAVELENGTHS[names[index]]
    if any(level > DARK[_part(wave)] or (wave > here and level > BEYOND) for wave, level in waves):
        return False
    visible = [level for wave, level in waves if _part(wave) == "visible"]
    if len(visible) < len(waves):
        return True
    # Without infrared, ground is told from water by its colour, and the air over ground (L1C) by its brightness.
    return visible == sorted(visible, reverse=True) and max(visible) <= DARKEST_BLUE


def _part(wave: float) -> str:
    return "visible" if wave < 700 else "near" if wave < 1300 else "short"
