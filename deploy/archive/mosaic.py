"""Scenes on the raster that was asked for: read, reprojected, put over each other.

Between the archive folder and the evalscript: gives each of the script's inputs its layers.
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
import rasterio
import shapely
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from rasterio.vrt import WarpedVRT
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from deploy.archive.bands import CATEGORICAL, DATA_MASK
from deploy.archive.evalscript import Input, Layer
from deploy.archive.failures import bad, broken
from deploy.archive.folder import Scene
from deploy.archive.process_request import Frame, Source
from tasks.rasters import kept

OFFSET, FIRST_BASELINE_WITH_OFFSET = 1000, "04.00"
"""What digital numbers of Sentinel-2 carry on top since processing baseline 04.00."""


def footprint(frame: Frame) -> BaseGeometry:
    """Return the area of `frame` in EPSG:4326."""
    outline = shapely.segmentize(box(*frame.bounds), max(1e-9, max(frame.bounds[2] - frame.bounds[0], 1e-9) / 8))
    degrees = Transformer.from_crs(frame.epsg, 4326, always_xy=True).transform
    return kept(shapely.transform(outline, lambda points: np.column_stack(degrees(*points.T))))


def layers(asked: Input, source: Source, scenes: list[Scene], frame: Frame, mosaicking: str) -> list[Layer]:
    """Return the layers of one input: one of all `scenes` (SIMPLE), one a day (ORBIT), or one a scene (TILE)."""
    _check_bands(asked, source)
    inside = _inside(frame)
    if mosaicking == "SIMPLE":
        return [_merge([_layer(asked, source, scene, frame, inside) for scene in scenes], asked, frame)]
    if mosaicking == "TILE":
        return [_layer(asked, source, scene, frame, inside) for scene in scenes]
    days = groupby(scenes, key=lambda scene: scene.when.date())
    return [_merge([_layer(asked, source, scene, frame, inside) for scene in day], asked, frame) for _, day in days]


def _check_bands(asked: Input, source: Source) -> None:
    for band, unit in zip(asked.bands, asked.units, strict=True):
        if band != DATA_MASK and band not in source.collection.units:
            raise bad(f"Dataset '{source.collection.name}' has no band '{band}'")
        if source.collection.unit(band, unit) is None:
            raise bad(f"Band '{band}' of '{source.collection.name}' is not available in units '{unit}'")


def _inside(frame: Frame) -> np.ndarray:
    shape = (frame.height, frame.width)
    if frame.clip is None:
        return np.ones(shape, bool)
    return geometry_mask([frame.clip], shape, frame.transform, invert=True)


def _merge(found: Iterable[Layer], asked: Input, frame: Frame) -> Layer:
    """Put `found` over each other, the first on top."""
    values = np.zeros((len(asked.bands), frame.height, frame.width))
    seen = np.zeros((frame.height, frame.width), bool)
    for layer in found:
        new = layer.seen & ~seen
        values[:, new] = layer.values[:, new]
        seen |= new
    return Layer(values, seen)


def _layer(asked: Input, source: Source, scene: Scene, frame: Frame, inside: np.ndarray) -> Layer:
    try:
        planes, seen = _read(scene, asked.bands, frame, source)
    except RasterioError as error:
        raise broken(scene.name, scene.path) from error
    seen &= inside
    raw = source.processing.get("harmonizeValues", True) is False and source.collection.optical
    for k, (band, wanted) in enumerate(zip(asked.bands, asked.units, strict=True)):
        unit = source.collection.unit(band, wanted)
        if band == DATA_MASK:
            planes[k] = 1
        elif source.collection.optical and band.startswith("B"):
            if raw and _has_offset(scene):
                planes[k] += OFFSET
            planes[k] /= 10_000 if unit == "REFLECTANCE" else 1
        planes[k][~seen] = 0
    return Layer(planes, seen)


def _has_offset(scene: Scene) -> bool:
    return str(scene.properties.get("s2:processing_baseline", "")) >= FIRST_BASELINE_WITH_OFFSET


def _read(scene: Scene, bands: tuple[str, ...], frame: Frame, source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return `bands` of `scene` (B, H, W) float64 as stored and where there is data; a band it lacks is 0."""
    values = np.zeros((len(bands), frame.height, frame.width))
    seen = np.zeros((frame.height, frame.width), bool)
    smooth = Resampling[str(source.processing.get("upsampling", "NEAREST")).lower().replace("bicubic", "cubic")]
    with rasterio.open(scene.path) as dataset:
        for way in {Resampling.nearest, smooth}:
            with _warped(dataset, frame, way) as warped:
                names = [name or "" for name in warped.descriptions]
                if way == Resampling.nearest:
                    seen = (warped.read() != 0).any(axis=0)
                for k, band in enumerate(bands):
                    mine = Resampling.nearest if band in CATEGORICAL else smooth
                    if band in names and mine == way:
                        values[k] = warped.read(names.index(band) + 1)
    return np.nan_to_num(values), seen


def _warped(dataset: rasterio.DatasetReader, frame: Frame, resampling: Resampling) -> WarpedVRT:
    return WarpedVRT(
        dataset, crs=frame.epsg, transform=frame.transform, width=frame.width, height=frame.height,
        resampling=resampling, src_nodata=0, nodata=0,
    )  # fmt: skip
