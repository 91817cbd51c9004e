"""A source raster of an import, read as a scene: Sentinel band names, reflectance×10000, SCL, the place's pixels.

Stands between the layouts, which say what lies where, and the import, which writes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.features import shapes
from rasterio.io import DatasetReader
from rasterio.warp import Resampling, reproject
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from deploy.archive.bands import CATEGORICAL, COLLECTIONS, DATA_MASK
from deploy.archive.writing import SceneGrid
from tasks.errors import RasterError
from tasks.rasters import grid_for

BARE, CLOUDY = 5, (8, 9, 10)
"""SCL: the code that a made SCL gives to what is there, and the codes that count as cloud cover."""


MOST_VALUES = 13 * 10_980**2
"""Of all bands together: those of a whole Sentinel-2 tile."""


@dataclass(frozen=True)
class Picture:
    """A source raster: `planes` (bands, H, W) in the archive's numbers, 0 where not `seen` (H, W)."""

    planes: np.ndarray
    names: tuple[str, ...]
    seen: np.ndarray
    crs: CRS
    transform: Affine


def band_names(raster: DatasetReader) -> tuple[str, ...]:
    """Return the band descriptions as Sentinel names (`b2` is B02); raises RasterError when one is none."""
    known = {name.upper(): name for one in COLLECTIONS.values() for name in (*one.units, DATA_MASK)}
    names = [re.sub(r"^B(\d)$", r"B0\1", (given or "").strip().upper()) for given in raster.descriptions]
    if wrong := [f"{at} ({name or 'no name'})" for at, name in enumerate(names, 1) if name not in known]:
        raise RasterError(f"band {', '.join(wrong)} has no Sentinel name: set band descriptions such as B02, B8A, SCL")
    if len(set(names)) < len(names):
        raise RasterError(f"two bands have the same name ({', '.join(names)}): describe each band once")
    if not any(name in known and known[name] not in (*CATEGORICAL, DATA_MASK) for name in names):
        raise RasterError(f"there is nothing but {', '.join(names)}: a scene needs reflectance or power bands")
    return tuple(known[name] for name in names)


def read(path: Path) -> Picture:
    """Read `path` as a picture; raises RasterError for bands without name, too many pixels, Sentinel-1 in decibels."""
    with rasterio.open(path) as raster:
        names = band_names(raster)
        if raster.count * raster.height * raster.width > MOST_VALUES:
            raise RasterError(f"{raster.width} x {raster.height} pixels of {raster.count} bands are too many for the "
                              "memory: cut the mine out of it, e.g. with `gdalwarp -te`")  # fmt: skip
        radar = "VV" in names or "HH" in names
        planes = raster.read(masked=True).filled(0)
        planes = np.nan_to_num(planes) if planes.dtype.kind == "f" else planes
        ground = [at for at, name in enumerate(names) if name not in (*CATEGORICAL, DATA_MASK)]
        seen = (planes[ground] != 0).any(axis=0)
        if DATA_MASK in names:
            seen &= planes[names.index(DATA_MASK)] > 0
        numbers = [planes[at] if radar or at not in ground else _reflectance(raster, planes[at], at, seen)
                   for at in range(len(names))]  # fmt: skip
        if radar and min(plane.min() for plane in numbers) < 0:
            raise RasterError("Sentinel-1 below 0 looks like decibels: write linear power, 10^(dB/10)")
        kept = [at for at, name in enumerate(names) if name != DATA_MASK]
        stacked = np.stack([numbers[at] for at in kept]) * seen
        whole = stacked.astype(np.float32) if radar else np.clip(stacked, 0, 65535).astype(np.uint16)
        return Picture(whole, tuple(names[at] for at in kept), seen, raster.crs, raster.transform)


def _reflectance(raster: DatasetReader, plane: np.ndarray, at: int, seen: np.ndarray) -> np.ndarray:
    """Return one band as reflectance×10000, at least 1 where a scaled pixel is seen; integers stay as they are."""
    scale, offset = raster.scales[at], raster.offsets[at]
    if "reflectance_scale" in raster.tags():
        scale, offset = 1 / float(raster.tags()["reflectance_scale"]), 0.0
    elif scale == 1 and offset == 0 and plane.dtype.kind != "f":
        scale = 1e-4
    if np.isclose(scale, 1e-4) and offset == 0 and plane.dtype.kind != "f":
        return plane
    held = plane != 0
    return np.where(held & seen, np.maximum(np.round((plane * scale + offset) * 10000), 1), 0)


def with_scl(picture: Picture) -> Picture:
    """Return `picture` with an SCL band that calls every seen pixel bare soil (5)."""
    made = np.where(picture.seen, BARE, 0).astype(picture.planes.dtype)
    planes = np.concatenate([picture.planes, made[None]])
    return Picture(planes, (*picture.names, "SCL"), picture.seen, picture.crs, picture.transform)


def cloud_cover(picture: Picture) -> float | None:
    """Return the per cent of seen pixels that SCL calls cloud or cirrus; None where nothing is seen."""
    if "SCL" not in picture.names or not picture.seen.any():
        return None
    scl = picture.planes[picture.names.index("SCL")][picture.seen]
    return round(100 * float(np.isin(scl, CLOUDY).mean()), 2)


def utm(crs: CRS | None, transform: Affine) -> int | None:
    """Return the EPSG code when `crs` is a WGS 84 UTM zone and the pixels are north up and square, else None."""
    code = None if crs is None else crs.to_epsg()
    upright = transform.b == 0 and transform.d == 0 and transform.a == -transform.e
    return code if upright and code and (32601 <= code <= 32660 or 32701 <= code <= 32760) else None


def own_grid(path: Path) -> SceneGrid | None:
    """Return the UTM pixels of `path`, or None when it is not in UTM; raises RasterError without a CRS."""
    with rasterio.open(path) as raster:
        if raster.crs is None:
            raise RasterError("it has no CRS: set one, e.g. with `gdal_edit.py -a_srs EPSG:32723 FILE`")
        code = utm(raster.crs, raster.transform)
        return None if code is None else SceneGrid(code, raster.transform, raster.height, raster.width)


def common_grid(paths: list[Path]) -> SceneGrid:
    """Return the pixels on which all scenes of a place lie.

    Those of the first raster in UTM, else 10 m pixels in the UTM zone of the ground that the rasters cover.
    """
    grids = [own_grid(path) for path in paths]
    if found := [grid for grid in grids if grid is not None]:
        return found[0]
    grid = grid_for(shapely.union_all([_box(path) for path in paths]).envelope)
    return SceneGrid(grid.epsg, grid.transform, grid.height, grid.width)


def _box(path: Path) -> BaseGeometry:
    with rasterio.open(path) as raster:
        return moved(shapely.segmentize(box(*raster.bounds), max(raster.width * raster.res[0] / 8, 1e-9)),
                     raster.crs, CRS.from_epsg(4326))  # fmt: skip


def moved(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """Return `geometry` in another CRS, longitude or east first."""
    transformer = Transformer.from_crs(source.to_wkt(), target.to_wkt(), always_xy=True)
    return shapely.transform(geometry, lambda points: np.column_stack(transformer.transform(*points.T)))


def onto(picture: Picture, grid: SceneGrid) -> tuple[Picture, SceneGrid]:
    """Return `picture` on the pixels of its place, and the grid of what is returned.

    A picture whose pixels already coincide with those of `grid` keeps every value and its own extent. Another
    is warped onto `grid`: bilinear, but nearest for codes and for what is seen.
    """
    across, down = ~grid.transform @ (picture.transform.c, picture.transform.f)
    same = picture.transform.a == grid.transform.a and max(abs(across - round(across)), abs(down - round(down))) < 1e-3
    if utm(picture.crs, picture.transform) == grid.epsg and same:
        height, width = picture.seen.shape
        return picture, SceneGrid(grid.epsg, picture.transform, height, width)
    seen = warp(picture.seen.astype(np.uint8), picture, grid, Resampling.nearest, 0).astype(bool)
    ways = [Resampling.nearest if name in CATEGORICAL else Resampling.bilinear for name in picture.names]
    planes = np.stack([warp(plane, picture, grid, way, 0) for plane, way in zip(picture.planes, ways, strict=True)])
    crs = CRS.from_epsg(grid.epsg)
    return Picture(planes * seen, picture.names, seen, crs, grid.transform), grid


def warp(plane: np.ndarray, source: Picture, grid: SceneGrid, way: Resampling, nodata: int) -> np.ndarray:
    """Return `plane` (H, W), which lies as `source` does, on the pixels of `grid`; `nodata` where there is none."""
    result = np.full((grid.height, grid.width), nodata, plane.dtype)
    reproject(
        plane, result, src_transform=source.transform, src_crs=source.crs, dst_transform=grid.transform,
        dst_crs=f"EPSG:{grid.epsg}", src_nodata=nodata, dst_nodata=nodata, init_dest_nodata=True, resampling=way,
    )  # fmt: skip
    return result


def ground(picture: Picture) -> BaseGeometry:
    """Return the outline of the seen pixels without holes, in the picture's CRS; at most 1024 pixels a side count."""
    step = -(-max(picture.seen.shape) // 1024)
    seen = picture.seen[::step, ::step].astype(np.uint8)
    parts = shapes(seen, mask=seen == 1, transform=picture.transform @ Affine.scale(step), connectivity=8)
    return shapely.union_all([Polygon(part["coordinates"][0]) for part, _ in parts])
