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

_IS_CLOUD, _IS_CLEAR = (np.isin(np.arange(256), classes) for classes in (CLOUD, CLEAR))


def cloud_mask(scl: np.ndarray) -> np.ndarray:
    """Return bool (H, W): pixels that SCL (H, W) calls cloud, shadow or cirrus."""
    return _IS_CLOUD[np.minimum(scl, 255).astype(np.uint8)]


def near_invalid(valid: np.ndarray, reach_px: int) -> np.ndarray:
    """Return bool (H, W): pixels of `valid` within `reach_px` of one that is not."""
    if reach_px == 0 or valid.all():
        return np.zeros_like(valid)
    return valid & (ndimage.distance_transform_edt(valid) <= reach_px)


def valid_mask(
    *, scl: np.ndarray | None, data_mask: np.ndarray, margin_px: int, measured: np.ndarray | None = None
) -> np.ndarray:
    """Return bool (H, W): inside the swath, clear, and `measured`, bool (H, W) (everywhere when None).

    `scl` (H, W) holds Sentinel-2 L2A scene classes; without it (L1C, radar) `data_mask` (H, W) alone decides.
    `margin_px` pixels around clouds and shadows do not count, for SCL misses their thin rims, nor around what was not
    measured, which resampling mixes into its neighbours. No data (0), defective (1) and snow (11) are never valid.
    """
    inside = data_mask > 0
    hidden = np.zeros_like(inside) if measured is None else inside & ~measured
    if scl is not None:
        hidden |= cloud_mask(scl)
    if margin_px > 0 and hidden.any():
        hidden = ndimage.distance_transform_edt(~hidden) <= margin_px
    clear = inside if scl is None else inside & _IS_CLEAR[np.minimum(scl, 255).astype(np.uint8)]
    return clear & ~hidden


def hidden_by(*, scl: np.ndarray | None, data_mask: np.ndarray, valid: np.ndarray, aoi: np.ndarray) -> str:
    """Return in words what hides the ground of `aoi`, bool (H, W), the most first: "52 % snow, 9 % cloud or shadow".

    `scl`, `data_mask` and `valid` are as of `valid_mask`; what is less than half a per cent is left out.
    """
    inside = data_mask > 0
    classes = np.full(inside.shape, CLEAR[0]) if scl is None else scl
    parts = {
        "outside the swath": ~inside,
        "snow": inside & (classes == 11),
        "cloud or shadow": inside & cloud_mask(classes),
        "called defective": inside & np.isin(classes, (0, 1)),
        "not measured, or beside clouds": inside & ~valid & np.isin(classes, CLEAR),
    }
    shares = sorted(((round(100 * part[aoi].mean()), what) for what, part in parts.items()), reverse=True)
    return ", ".join(f"{share} % {what}" for share, what in shares if share)
