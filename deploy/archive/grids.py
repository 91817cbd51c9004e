"""The pixels of a place: one grid of 10 m in UTM over the ground that all its files show, and files brought onto it.

Stands between `sources.py`, which reads, and `placing.py`, which writes.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.features import shapes
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from deploy.archive.bands import CATEGORICAL
from deploy.archive.sources import Picture
from deploy.archive.writing import SceneGrid
from tasks.errors import RasterError
from tasks.rasters import PIXEL, grid_for, like_ten_metres, outline_of, pixel_metres, resampled, snapped, warped

DEGREES = CRS.from_epsg(4326)

ELSEWHERE = "it does not show the ground of its place: put it into a folder of its own"

BESIDE = 3e-4
"""Degrees that files of one place may lie apart: three pixels."""


@dataclass(frozen=True)
class Lies:
    """Where a raster lies, as its head says."""

    path: Path
    crs: CRS
    transform: Affine
    shape: tuple[int, int]

    @property
    def utm(self) -> int | None:
        """The EPSG code when the pixels lie north up and square in a WGS 84 UTM zone, else None."""
        return utm(self.crs, self.transform)

    def outline(self, crs: CRS) -> BaseGeometry:
        """What the raster covers, in `crs`."""
        return outline_of(self.crs, self.transform, self.shape, crs)


def where(path: Path) -> Lies:
    """Return where `path` lies; raises RasterError without a CRS, and for pixels too coarse to become 10 m."""
    with rasterio.open(path) as raster:
        if raster.crs is None:
            raise RasterError("it has no CRS: set one, e.g. with `gdal_edit.py -a_srs EPSG:32723 FILE`")
        like_ten_metres(pixel_metres(raster.crs, raster.transform, raster.shape))
        return Lies(path, raster.crs, raster.transform, raster.shape)


def utm(crs: CRS | None, transform: Affine) -> int | None:
    """Return the EPSG code when `crs` is a WGS 84 UTM zone and the pixels are north up and square, else None."""
    code = None if crs is None else crs.to_epsg()
    upright = transform.b == 0 and transform.d == 0 and transform.a == -transform.e
    return code if upright and code and (32601 <= code <= 32660 or 32701 <= code <= 32760) else None


def place_grid(paths: list[Path]) -> tuple[SceneGrid, list[Path]]:
    """Return the pixels of a place, over the ground of all its rasters, and those of `paths` that lie elsewhere.

    The ground is what lies together with most rasters. Pixels are 10 m, and those of the first raster that has such
    in the place's UTM zone, which is that of most of its rasters.
    """
    lies = [where(path) for path in paths]
    outlines = [one.outline(DEGREES) for one in lies]
    parts = shapely.get_parts(shapely.union_all([outline.buffer(BESIDE) for outline in outlines]))
    ground = max(parts, key=lambda part: sum(part.intersects(outline) for outline in outlines))
    shown = [one for one, outline in zip(lies, outlines, strict=True) if ground.intersects(outline)]
    zones = Counter(one.utm for one in shown if one.utm)
    if zones:
        [(zone, _)] = zones.most_common(1)
        ten = (one.transform for one in shown if one.utm == zone and one.transform.a == PIXEL)
        bounds = shapely.union_all([one.outline(CRS.from_epsg(zone)) for one in shown]).bounds
        transform, shape = snapped(bounds, next(ten, Affine(PIXEL, 0, 0, 0, -PIXEL, 0)))
        grid = SceneGrid(zone, transform, *shape)
    else:
        own = grid_for(shapely.union_all([one.outline(DEGREES) for one in shown]).envelope)
        grid = SceneGrid(own.epsg, own.transform, own.height, own.width)
    return grid, [one.path for one in lies if one not in shown]


def onto(picture: Picture, grid: SceneGrid) -> tuple[Picture, SceneGrid]:
    """Return `picture` on the pixels of its place, and the grid of what is returned.

    A picture whose pixels already coincide with those of `grid` keeps every value and its own extent. Another is warped
    onto 10 m: weighed means, but the nearest for codes and for what is seen; where it reaches beyond `grid`, so does
    what is returned. Raises RasterError for one that lies elsewhere.
    """
    crs, shape = CRS.from_epsg(grid.epsg), picture.seen.shape
    outline = outline_of(picture.crs, picture.transform, shape, crs)
    if not outline.intersects(grid.box):
        raise RasterError(ELSEWHERE)
    across, down = ~grid.transform @ (picture.transform.c, picture.transform.f)
    same = picture.transform.a == grid.transform.a and max(abs(across - round(across)), abs(down - round(down))) < 1e-3
    if utm(picture.crs, picture.transform) == grid.epsg and same:
        return picture, SceneGrid(grid.epsg, picture.transform, *shape)
    inside = grid.box.buffer(PIXEL, join_style="mitre").covers(outline)
    covered = grid.box if inside else shapely.union_all([grid.box, outline])
    lattice = Affine(PIXEL, 0, grid.transform.c, 0, -PIXEL, grid.transform.f)
    target = SceneGrid(grid.epsg, *_flat(snapped(covered.bounds, lattice)))
    seen = warp(picture.seen.astype(np.uint8), picture, target, codes=True).astype(bool)
    planes = np.stack([
        warp(plane, picture, target, codes=name in CATEGORICAL)
        for name, plane in zip(picture.names, picture.planes, strict=True)
    ])  # fmt: skip
    sides = pixel_metres(picture.crs, picture.transform, shape)
    notes = picture.notes if like_ten_metres(sides) else (*picture.notes, resampled(sides))
    placed = replace(picture, planes=planes * seen, seen=seen, crs=crs, transform=target.transform, notes=notes)
    return placed, target


def _flat(placed: tuple[Affine, tuple[int, int]]) -> tuple[Affine, int, int]:
    return placed[0], *placed[1]


def warp(plane: np.ndarray, source: Picture, grid: SceneGrid, *, codes: bool, nodata: int = 0) -> np.ndarray:
    """Return `plane` (H, W), which lies as `source` does, on the pixels of `grid`; `nodata` where there is none."""
    target = (CRS.from_epsg(grid.epsg), grid.transform)
    return warped(plane, (source.crs, source.transform), target, grid.shape, nodata=nodata, codes=codes)


def ground(picture: Picture) -> BaseGeometry:
    """Return the outline of the seen pixels without holes, in the picture's CRS; at most 1024 pixels a side count."""
    step = -(-max(picture.seen.shape) // 1024)
    seen = picture.seen[::step, ::step].astype(np.uint8)
    parts = shapes(seen, mask=seen == 1, transform=picture.transform @ Affine.scale(step), connectivity=8)
    return shapely.union_all([Polygon(part["coordinates"][0]) for part, _ in parts])
