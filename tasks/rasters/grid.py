"""The fixed 10 m UTM grid of a mine, and the way between degrees and that grid.

Everything that is downloaded, segmented or compared for one mine lies on its one grid. In degrees, edges are straight
in degrees (RFC 7946), in UTM they are straight in metres; `to_utm` and `to_wgs84` keep them where they lie, to a tenth
of a pixel. `to_utm` of the database (`migrations/0023_long_edges.sql`) does the same with the same figures.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from tasks.rasters.meridian import in_one_piece, is_cut

PIXEL = 10.0
"""Side of a pixel in metres."""
HECTARES_PER_PIXEL = 0.01

STEP = 0.02
"""Longest edge in degrees of which only the corners are moved: its middle lies off by 0.1 m at most."""
STRIDE = 2000.0
"""The same in metres: off by 0.5 m at most, up to 80° of latitude."""
REACH = 20.0
"""Degrees of longitude beside its central meridian up to which a UTM zone gives places."""


@lru_cache(maxsize=64)
def _mask(grid: "Grid", geometry: BaseGeometry) -> np.ndarray:
    """Return `Grid.mask`, which several steps ask for of one mine; it cannot be changed."""
    shape = (grid.height, grid.width)
    mask = geometry_mask([to_utm(geometry, grid.epsg)], out_shape=shape, transform=grid.transform, invert=True)
    mask.setflags(write=False)
    return mask


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
        return _mask(self, geometry)

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
    """Return the grid of `aoi` (EPSG:4326): the UTM zone of its centroid, snapped outward to whole 10 m.

    An AOI on both sides of the 180° meridian lies together all the same.
    """
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
    """Return `geometry` (EPSG:4326, longitude first) in metres of the UTM zone `epsg`.

    What lies farther than 20° from the zone's central meridian has no place in it and is cut off, so that the largest
    zone can be moved; what is cut at 180° is whole again.
    """
    return _moved(shapely.segmentize(_beside(geometry, _meridian(epsg)), STEP), 4326, epsg)


def to_wgs84(geometry: BaseGeometry, epsg: int) -> BaseGeometry:
    """Return `geometry` (metres of the UTM zone `epsg`) in EPSG:4326, longitude first, cut where it crosses 180°."""
    moved = _moved(_strides(geometry), epsg, 4326)
    if not is_cut(moved):
        return moved
    west = _meridian(epsg) - 180
    whole = shapely.transform(moved, lambda at: np.column_stack([(at[:, 0] - west) % 360 + west, at[:, 1]]))
    return _turned(whole, shapely.box(-180, -90, 180, 90))


def _meridian(epsg: int) -> int:
    return 6 * (epsg % 100) - 183


def _strides(geometry: BaseGeometry) -> BaseGeometry:
    """Cut edges (in metres) that are too long; rounded, so that neighbours, who see them from both ends, agree."""
    dense = shapely.segmentize(geometry, STRIDE)
    if shapely.get_num_coordinates(dense) == shapely.get_num_coordinates(geometry):
        return geometry
    return shapely.transform(dense, lambda points: np.round(points, 6))


def _beside(geometry: BaseGeometry, meridian: int) -> BaseGeometry:
    """Return what of `geometry` (EPSG:4326) lies within REACH of `meridian`, its longitudes counted from there."""
    west, _, east, _ = geometry.bounds
    if geometry.is_empty or (meridian - REACH <= west and east <= meridian + REACH):
        return geometry
    return _turned(geometry, shapely.box(meridian - REACH, -90, meridian + REACH, 90))


def _turned(geometry: BaseGeometry, within: BaseGeometry) -> BaseGeometry:
    """Return what of `geometry` (EPSG:4326) lies `within`, however often its longitudes were counted round."""
    turns = [translate(geometry, by) for by in (-360, 0, 360)]
    parts = shapely.get_parts([turn.intersection(within) for turn in turns if turn.intersects(within)])
    whole = shapely.get_dimensions(parts) == shapely.get_dimensions(geometry)  # no edges that only touch
    return shapely.union_all(parts[whole])
