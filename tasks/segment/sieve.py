"""Specks: regions of a class raster too small to mean anything, given to their neighbours. Pure.

`segment` takes them out before it writes, so that raster and polygons agree.
"""

import numpy as np
from rasterio.features import sieve

from models.labels import NODATA
from tasks.rasters import HECTARES_PER_PIXEL


def sieved(classes: np.ndarray, min_hectares: float) -> np.ndarray:
    """Return the class raster (H, W, 255 nodata) with regions below `min_hectares` given to their largest neighbour.

    Repeated until nothing moves, so that doing it twice changes nothing. A speck amid nodata has no neighbour
    and stays; nodata itself is never filled.
    """
    pixels = min(int(np.ceil(min_hectares / HECTARES_PER_PIXEL - 1e-9)), classes.size)
    valid = classes != NODATA
    if pixels < 2 or not valid.any():
        return classes
    for _ in range(10):
        sieved = np.where(valid, sieve(classes, pixels, mask=valid, connectivity=4), NODATA).astype(np.uint8)
        if np.array_equal(sieved, classes):
            break
        classes = sieved
    return classes
