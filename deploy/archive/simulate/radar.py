"""Radar: Sentinel-1 gamma0 (VV, VH) of a simulated site, with the roughness of surfaces and speckle."""

import numpy as np
from scipy import ndimage

from deploy.archive.simulate.landcover import Ground
from deploy.archive.simulate.mine import State
from deploy.archive.simulate.noise import Field
from deploy.archive.simulate.reflectance import Season
from deploy.archive.simulate.surfaces import BACKSCATTER_VH, BACKSCATTER_VV, Surface
from deploy.archive.simulate.terrain import PIXEL

LOOKS = 4.4
"""Equivalent number of looks of an IW GRD product in high resolution."""


def backscatter(rng: np.random.Generator, *, ground: Ground, now: State, on: Season) -> Field:
    """Return linear gamma0 (2, size, size) of an ascending pass (it looks east), VV then VH.

    Terrain correction leaves a residue: slopes that face the sensor stay a little brighter.
    """
    code = now.surface
    _, east = np.gradient(now.dem, PIXEL)
    facing = np.clip(east, -0.8, 0.8) * 3.0
    built = np.isin(code, (Surface.ROOF, Surface.TILE, Surface.SHED)) * rng.normal(0, 3.0, code.shape)
    damp = np.where(code == Surface.FOREST, 0.2, 1.0) * on.wet
    rough = 0.5 * ground.texture + 0.3 * ground.grain + facing + built + damp
    planes = [_plane(table[code] + rough, rng) for table in (BACKSCATTER_VV, BACKSCATTER_VH)]
    return np.stack(planes).astype(np.float32)


def _plane(decibel: Field, rng: np.random.Generator) -> Field:
    """Blur to the sensor's resolution and multiply by speckle that neighbouring pixels share in part."""
    linear = ndimage.gaussian_filter(10 ** (decibel / 10), 0.7)
    speckle = ndimage.gaussian_filter(rng.gamma(LOOKS * 0.45, 1 / (LOOKS * 0.45), decibel.shape), 0.5)
    return np.maximum(linear * speckle, 1e-5)
