"""Which pixels were truly observed, from the scene classification (SCL) and the swath (dataMask).

Used by `validate` (shares of the AOI) and by `segment` (what the network may judge).
"""

import numpy as np
from scipy import ndimage

CLEAR = (2, 4, 5, 6, 7)
"""SCL: dark ground, vegetation, bare ground, water, unclassified.

Dark (2) and unclassified (7) are what it calls pits, coal and turbid water: without them three fifths of the clear
looks at dark ground of a real mine would be lost, with them 7 % (`tests/bench/RESULTS.md`, which also says why no rule
overrules SCL where it takes such ground for shadow).
"""

CLOUD = (3, 8, 9, 10)
"""SCL: cloud shadow, cloud of medium and high probability, thin cirrus."""


def cloud_mask(scl: np.ndarray) -> np.ndarray:
    """Return bool (H, W): pixels that SCL (H, W) calls cloud, shadow or cirrus."""
    return np.isin(scl, CLOUD)


def near_invalid(valid: np.ndarray, reach_px: int) -> np.ndarray:
    """Return bool (H, W): pixels of `valid` within `reach_px` of one that is not."""
    if reach_px == 0 or valid.all():
        return np.zeros_like(valid)
    return valid & (ndimage.distance_transform_edt(valid) <= reach_px)


def valid_mask(*, scl: np.ndarray | None, data_mask: np.ndarray, margin_px: int) -> np.ndarray:
    """Return bool (H, W): inside the swath and clear.

    `scl` (H, W) holds Sentinel-2 L2A scene classes; without it (L1C, radar) `data_mask` (H, W) alone decides.
    `margin_px` pixels around clouds and shadows do not count: SCL misses their thin rims. No data (0),
    defective (1) and snow (11) are never valid.
    """
    inside = data_mask > 0
    if scl is None:
        return inside
    cloud = cloud_mask(scl)
    if margin_px > 0 and cloud.any():
        cloud = ndimage.distance_transform_edt(~cloud) <= margin_px
    return inside & np.isin(scl, CLEAR) & ~cloud
