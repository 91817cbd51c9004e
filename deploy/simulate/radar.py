"""Radar: Sentinel-1 gamma0 (VV, VH) of a simulated site, with the roughness of surfaces and speckle."""

import numpy as np
from scipy import ndimage

from deploy.simulate.landcover import Ground
from deploy.simulate.mine import State
from deploy.simulate.noise import Field
from deploy.simulate.reflectance import Season
from deploy.simulate.surfaces import Surface
from deploy.simulate.terrain import PIXEL

LOOKS = 4.4
"""Equivalent number of looks of an IW GRD product in high resolution."""


# mean gamma0 in dB, VV and VH, typical values of each surface at C band
_GAMMA = {
    Surface.FOREST: (-7.2, -12.6),
    Surface.GRASS: (-11.0, -17.5),
    Surface.CROP: (-10.5, -16.5),
    Surface.BARE: (-12.5, -20.5),
    Surface.ROCK: (-10.0, -17.5),
    Surface.RIVER: (-19.0, -26.5),
    Surface.LAKE: (-21.0, -28.0),
    Surface.ASPHALT: (-15.0, -23.0),
    Surface.TRACK: (-13.5, -21.0),
    Surface.ROOF: (-3.5, -10.0),
    Surface.TILE: (-4.5, -11.5),
    Surface.GARDEN: (-9.0, -15.0),
    Surface.PIT: (-9.5, -16.5),
    Surface.PIT_FLOOR: (-12.0, -19.5),
    Surface.DUMP: (-10.5, -17.5),
    Surface.STOCKPILE: (-9.0, -17.0),
    Surface.FINES: (-11.0, -19.5),
    Surface.TAILINGS: (-15.5, -24.0),
    Surface.DAM: (-10.5, -17.5),
    Surface.CREST: (-12.5, -20.0),
    Surface.POND: (-20.5, -27.5),
    Surface.PIT_LAKE: (-21.0, -28.0),
    Surface.PROCESS_POND: (-20.0, -27.0),
    Surface.SHED: (-2.5, -9.5),
    Surface.YARD: (-9.5, -16.5),
    Surface.HAUL_ROAD: (-14.0, -22.0),
    Surface.CLEARED: (-13.0, -21.0),
    Surface.RECLAIMED: (-11.5, -18.5),
}
_DECIBEL = np.array([_GAMMA[surface] for surface in Surface], np.float32)


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
    planes = [_plane(table[code] + rough, rng) for table in _DECIBEL.T]
    return np.stack(planes).astype(np.float32)


def _plane(decibel: Field, rng: np.random.Generator) -> Field:
    """Blur to the sensor's resolution and multiply by speckle that neighbouring pixels share in part."""
    linear = ndimage.gaussian_filter(10 ** (decibel / 10), 0.7)
    speckle = ndimage.gaussian_filter(rng.gamma(LOOKS * 0.45, 1 / (LOOKS * 0.45), decibel.shape), 0.5)
    return np.maximum(linear * speckle, 1e-5)
