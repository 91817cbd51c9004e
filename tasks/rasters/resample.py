"""Rasters on other pixels: how large the pixels of a file are on the ground, and how they come onto 10 m in UTM.

Used for GeoTIFFs of one's own: the models know ground in pixels of 10 m.
"""

import math

import numpy as np
import shapely
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.crs import CRS
from rasterio.warp import Resampling, reproject
from shapely import affinity
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from tasks.errors import RasterError
from tasks.rasters.grid import PIXEL

LIKE, COARSEST = 1.25, 25.0
"""Pixels of 8 to 12.5 m are as good as 10 m; the coarsest that tell of 10 m are those of Sentinel-2's 20 m bands."""

_EARTH = Geod(ellps="WGS84")


def pixel_metres(crs: CRS, transform: Affine, shape: tuple[int, int]) -> tuple[float, float]:
    """Return width and height on the ground of the pixel in the middle of a raster of `shape` (rows, columns)."""
    row, column = shape[0] / 2, shape[1] / 2
    corners = [transform @ at for at in ((column, row), (column + 1, row), (column, row + 1))]
    (x, xr, xd), (y, yr, yd) = Transformer.from_crs(crs.to_wkt(), 4326, always_xy=True).transform(
        *np.transpose(corners)
    )
    sides = _EARTH.inv([x, x], [y, y], [xr, xd], [yr, yd])[2]
    if not all(math.isfinite(side) and side > 0 for side in sides):
        raise RasterError("its pixels have no size on the ground: correct its CRS and its transform")
    return float(sides[0]), float(sides[1])


def like_ten_metres(sides: tuple[float, float]) -> bool:
    """Say whether pixels of such `sides` serve as 10 m; raises RasterError where they are too coarse to become that."""
    if max(sides) > COARSEST:
        raise RasterError(
            f"its pixels are {_metres(sides)}, too coarse for models of 10 m: give pixels of 10 m, of 20 m at most"
        )
    return all(PIXEL / LIKE <= side <= PIXEL * LIKE for side in sides)


def resampled(sides: tuple[float, float]) -> str:
    """Return the words for pixels of such `sides` that became 10 m."""
    return f"its pixels, {_metres(sides)}, were resampled to 10 m"


def _metres(sides: tuple[float, float]) -> str:
    width, height = (f"{side:.3g}" for side in sides)
    return f"{width} m" if width == height else f"{width} × {height} m"


def moved(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """Return `geometry` in another CRS, longitude or east first."""
    transformer = Transformer.from_crs(source.to_wkt(), target.to_wkt(), always_xy=True)
    return shapely.transform(geometry, lambda points: np.column_stack(transformer.transform(*points.T)))


def outline_of(crs: CRS, transform: Affine, shape: tuple[int, int], target: CRS) -> BaseGeometry:
    """Return what a raster of `shape` (rows, columns) covers, in the CRS `target`."""
    inside = shapely.segmentize(box(0, 0, shape[1], shape[0]), max(*shape) / 8)
    placed = affinity.affine_transform(inside, (transform.a, transform.b, transform.d, transform.e, *transform[2:6:3]))
    return moved(placed, crs, target)


def snapped(bounds: tuple[float, float, float, float], lattice: Affine) -> tuple[Affine, tuple[int, int]]:
    """Return transform and shape (rows, columns) of the pixels of `lattice`, a north-up transform, over `bounds`."""
    west, south, east, north = bounds
    columns = [(at - lattice.c) / lattice.a for at in (west, east)]
    rows = [(at - lattice.f) / lattice.e for at in (north, south)]
    # A thousandth of a pixel is what the way between two CRS leaves.
    (left, right), (top, bottom) = ((math.floor(a + 1e-3), math.ceil(b - 1e-3)) for a, b in (columns, rows))
    return lattice @ Affine.translation(left, top), (max(bottom - top, 1), max(right - left, 1))


def warped(
    plane: np.ndarray,
    source: tuple[CRS, Affine],
    target: tuple[CRS, Affine],
    shape: tuple[int, int],
    *,
    nodata: float = 0,
    codes: bool = False,
) -> np.ndarray:
    """Return `plane` (H, W) on the pixels of `target`, in `shape`: weighed means, or the nearest where it is `codes`.

    `nodata` is where there is nothing, before and after.
    """
    result = np.full(shape, nodata, plane.dtype)
    reproject(
        plane, result, src_crs=source[0], src_transform=source[1], dst_crs=target[0], dst_transform=target[1],
        src_nodata=nodata, dst_nodata=nodata, init_dest_nodata=True,
        resampling=Resampling.nearest if codes else Resampling.bilinear,
    )  # fmt: skip
    return result
