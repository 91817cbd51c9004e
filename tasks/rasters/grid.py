"""The fixed 10 m UTM grid of a mine, and the way between degrees and that grid.

Everything that is downloaded, segmented or compared for one mine lies on its one grid.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.geometry.base import BaseGeometry

from tasks.rasters.meridian import in_one_piece

PIXEL = 10.0
"""Side of a pixel in metres."""
HECTARES_PER_PIXEL = 0.01


@dataclass(frozen=True)
class Grid:
    """A north-up raster of 10 m pixels in UTM zone `epsg`; `left`, `top` in metres, sizes in pixels."""

    epsg: int
    left: float
    top: float
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.crs} {self.width} × {self.height} from {self.left:.0f} {self.top:.0f}"

    @property
    def crs(self) -> str:
        """`EPSG:n`."""
        return f"EPSG:{self.epsg}"

    @property
    def transform(self) -> Affine:
        """Pixel (column, row) to UTM (east, north)."""
        return Affine(PIXEL, 0.0, self.left, 0.0, -PIXEL, self.top)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in metres."""
        return (self.left, self.top - PIXEL * self.height, self.left + PIXEL * self.width, self.top)

    def mask(self, geometry: BaseGeometry) -> np.ndarray:
        """Return bool (H, W): pixels whose centre lies in `geometry` (EPSG:4326)."""
        outline = to_utm(geometry, self.epsg)
        return geometry_mask([outline], out_shape=(self.height, self.width), transform=self.transform, invert=True)

    def window(self, *, column: int, row: int, width: int, height: int) -> "Grid":
        """Return the part that starts at pixel (`column`, `row`), cut off at the edges of the grid."""
        return Grid(
            self.epsg,
            self.left + PIXEL * column,
            self.top - PIXEL * row,
            min(width, self.width - column),
            min(height, self.height - row),
        )

    def slices(self, part: "Grid") -> tuple[slice, slice]:
        """Return the rows and columns at which `part`, a grid that lies in this one, does so."""
        row, column = round((self.top - part.top) / PIXEL), round((part.left - self.left) / PIXEL)
        return slice(row, row + part.height), slice(column, column + part.width)


def utm_epsg(longitude: float, latitude: float) -> int:
    """Return the EPSG code of the WGS 84 / UTM zone of a place in degrees."""
    zone = int((longitude + 180) // 6) % 60 + 1 if longitude != 180 else 60
    return (32600 if latitude >= 0 else 32700) + zone


def grid_for(aoi: BaseGeometry) -> Grid:
    """Return the grid of `aoi` (EPSG:4326): the UTM zone of its centroid, snapped outward to whole 10 m."""
    centre = in_one_piece(aoi).centroid
    epsg = utm_epsg(centre.x, centre.y)
    west, south, east, north = to_utm(aoi, epsg).bounds
    left, top = math.floor(west / PIXEL), math.ceil(north / PIXEL)
    width = max(math.ceil(east / PIXEL) - left, 1)
    height = max(top - math.floor(south / PIXEL), 1)
    return Grid(epsg, left * PIXEL, top * PIXEL, width, height)


@cache
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _moved(geometry: BaseGeometry, source: int, target: int) -> BaseGeometry:
    transformer = _transformer(source, target)
    return shapely.transform(geometry, lambda points: np.column_stack(transformer.transform(*points.T)))


def to_utm(geometry: BaseGeometry, epsg: int) -> BaseGeometry:
    """Return `geometry` (EPSG:4326, longitude first) in metres of `epsg`."""
    return _moved(geometry, 4326, epsg)


def to_wgs84(geometry: BaseGeometry, epsg: int) -> BaseGeometry:
    """Return `geometry` (metres of `epsg`) in EPSG:4326, longitude first."""
    return _moved(geometry, epsg, 4326)
