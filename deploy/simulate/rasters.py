"""Rasters of simulated scenes: the UTM grid of a site and tiled GeoTIFFs on it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from pyproj import Transformer
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from deploy.archive.writing import write_classes, write_raster
from deploy.simulate.sites import Site
from deploy.simulate.terrain import PIXEL


@dataclass(frozen=True)
class SiteGrid:
    """The grid of a site's scenes: square, 10 m, corner on a multiple of 20 m of its UTM zone."""

    epsg: int
    west: float
    north: float
    size: int

    @property
    def affine(self) -> Affine:
        """Pixel to UTM coordinates."""
        return Affine(PIXEL, 0, self.west, 0, -PIXEL, self.north)

    def to_degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """Return `shape` (UTM) in EPSG:4326, longitude first."""
        degrees = Transformer.from_crs(self.epsg, 4326, always_xy=True).transform
        return shapely.transform(shape, lambda points: np.column_stack(degrees(*points.T)))


def site_grid(site: Site, size: int) -> SiteGrid:
    """Return the grid of (size, size) pixels centred on `site`."""
    zone = int((site.longitude + 180) // 6) + 1
    epsg = (32600 if site.latitude >= 0 else 32700) + zone
    east, north = Transformer.from_crs(4326, epsg, always_xy=True).transform(site.longitude, site.latitude)
    half = size * PIXEL / 2
    return SiteGrid(epsg, round((east - half) / 20) * 20.0, round((north + half) / 20) * 20.0, size)


def write(
    path: Path,
    planes: np.ndarray,
    *,
    grid: SiteGrid,
    names: tuple[str, ...],
    nodata: float,
    tags: dict[str, str],
) -> None:
    """Write `planes` (bands, size, size) as a tiled GeoTIFF whose band descriptions are `names`."""
    said = {"simulated": "true", **tags}
    write_raster(path, planes, epsg=grid.epsg, transform=grid.affine, names=names, nodata=nodata, tags=said)


def write_truth(path: Path, truth: np.ndarray, *, grid: SiteGrid) -> None:
    """Write a class raster (size, size) uint8 with the labels' names and colours; nodata 255."""
    write_classes(path, truth, epsg=grid.epsg, transform=grid.affine, tags={"simulated": "true"})


def geojson(shape: BaseGeometry) -> dict:
    """Return `shape` as a GeoJSON geometry with lists for tuples."""
    return dict(mapping(shape))
