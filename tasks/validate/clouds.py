"""Scene classes of an acquisition: SCL as the service sends it, or with the clouds and shadows that csmask finds.

Used by `validate` and `segment`, which take from them what is valid; MINECAM_CLOUD_MASK chooses.
"""

import hashlib
from importlib.metadata import version
from threading import Lock

import numpy as np
from scipy import ndimage

from tasks.rasters import CLOUD, Raster
from tasks.settings import settings

BANDS = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir", "B11": "swir16", "B12": "swir22"}
"""The bands that csmask needs, and what it calls them."""
COARSER = 3
"""Pixels of the grid in a pixel of csmask: it learned from Landsat, in 30 m."""
TILE = 256
"""Pixels that csmask sees at once; what is smaller is mirrored to that size."""
REMEMBERED = 16
"""Rasters whose clouds are kept in memory: as many bytes as pixels each."""
SHADOW, UNCLASSIFIED, CLOUDY = 3, 7, 9
"""SCL: cloud shadow, unclassified (which is valid), cloud of high probability."""
_FOUND: dict[str, np.ndarray] = {}
_LOCK = Lock()


def scene_classes(raster: Raster) -> np.ndarray | None:
    """Return the scene classes, uint8 (H, W), of an acquisition raster; None where nothing tells clouds."""
    scl = raster.band("SCL") if "SCL" in raster.descriptions else None
    return merged(scl, _found(raster)) if _by_csmask(raster) else scl


def cloud_source(raster: Raster) -> str:
    """Return what tells clouds in an acquisition raster: `csmask` with its version, `scl`, or `nothing`."""
    if _by_csmask(raster):
        return f"csmask {version('ukis-csmask')}"
    return "scl" if "SCL" in raster.descriptions else "nothing"


def merged(scl: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    """Return scene classes, uint8 (H, W): clouds (1) and shadows (2) of `found`, everything else of `scl`.

    What SCL alone calls cloud or shadow becomes unclassified, which is valid; snow and defects stay. Without SCL
    everything else is unclassified.
    """
    classes = np.full(found.shape, UNCLASSIFIED, np.uint8)
    if scl is not None:
        np.copyto(classes, scl.astype(np.uint8), where=~np.isin(scl, CLOUD))
    there = classes != 0
    classes[there & (found == 1)] = CLOUDY
    classes[there & (found == 2)] = SHADOW
    return classes


def csmask(planes: np.ndarray, seen: np.ndarray, level: str) -> np.ndarray:
    """Return uint8 (H, W) of `planes` float32 (6, H, W), reflectance in the order of BANDS: 1 cloud, 2 shadow, else 0.

    `seen` bool (H, W): where there is data, elsewhere it is made up from what is nearest. `level` is l1c or l2a.
    Network by Wieland et al. 2019 (doi 10.1016/j.rse.2019.05.022), two seconds for 8 km × 8 km on a core.
    """
    from ukis_csmask.mask import CSmask  # an extra

    if not seen.any():
        return np.zeros(seen.shape, np.uint8)
    if not seen.all():
        nearest = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
        planes = planes[:, nearest[0], nearest[1]]
    height, width = seen.shape
    small = coarse(planes)
    pads = [(0, max(0, TILE - side)) for side in small.shape[1:]]
    whole = np.pad(small, [(0, 0), *pads], mode="symmetric")
    found = CSmask(
        np.ascontiguousarray(whole.transpose(1, 2, 0)), list(BANDS.values()), product_level=level, invalid_buffer=0,
        providers=["CPUExecutionProvider"],
    ).csm[: small.shape[1], : small.shape[2], 0]  # fmt: skip
    return found.repeat(COARSER, axis=0).repeat(COARSER, axis=1)[:height, :width]


def coarse(planes: np.ndarray) -> np.ndarray:
    """Return the means, float32 (B, h, w), of blocks of COARSER pixels of `planes` (B, H, W)."""
    height, width = planes.shape[1:]
    whole = np.pad(planes, [(0, 0), (0, -height % COARSER), (0, -width % COARSER)], mode="edge")
    blocks = whole.reshape(len(planes), whole.shape[1] // COARSER, COARSER, whole.shape[2] // COARSER, COARSER)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


def _found(raster: Raster) -> np.ndarray:
    """Return what `csmask` finds in an acquisition raster; remembered: later ones are compared with it."""
    stored, seen = np.stack([raster.band(name) for name in BANDS]), raster.band("dataMask") > 0
    level = "l1c" if raster.tags.get("collection") == "sentinel-2-l1c" else "l2a"
    key = f"{level} {hashlib.sha256(stored.tobytes() + seen.tobytes()).hexdigest()}"
    with _LOCK:
        if key not in _FOUND:
            _FOUND[key] = csmask(stored.astype(np.float32) / 10_000, seen, level)
            if len(_FOUND) > REMEMBERED:
                del _FOUND[next(iter(_FOUND))]
        return _FOUND[key]


def _by_csmask(raster: Raster) -> bool:
    return settings().cloud_mask == "csmask" and set(BANDS) <= set(raster.descriptions)
