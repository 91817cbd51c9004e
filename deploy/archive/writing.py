"""Scenes, class rasters and STAC items as they lie in an archive folder; each file appears whole or not at all.

The last step of `archive import` and of `archive make`; what is written here, `folder.py` reads.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.transform import array_bounds
from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from models.labels import LABELS
from tasks.rasters import to_wgs84


@dataclass(frozen=True)
class SceneGrid:
    """The north-up pixels of a scene in UTM zone `epsg`: `transform` is pixel (column, row) to metres."""

    epsg: int
    transform: Affine
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return (self.height, self.width)

    @property
    def box(self) -> BaseGeometry:
        """The rectangle that the pixels cover, in metres."""
        return box(*array_bounds(self.height, self.width, self.transform))

    @property
    def outline(self) -> BaseGeometry:
        """The rectangle that the pixels cover, in EPSG:4326."""
        return to_wgs84(self.box, self.epsg)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; it takes the name `path` once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_raster(
    path: Path,
    planes: np.ndarray,
    *,
    epsg: int,
    transform: Affine,
    names: tuple[str, ...],
    nodata: float | None,
    tags: Mapping[str, str],
    colours: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> None:
    """Write `planes` (bands, H, W) as a tiled GeoTIFF whose band descriptions are `names`."""
    profile = {
        "driver": "GTiff", "dtype": planes.dtype.name, "count": len(planes), "height": planes.shape[1],
        "width": planes.shape[2], "crs": f"EPSG:{epsg}", "transform": transform, "nodata": nodata,
        "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 4,
        "interleave": "band", "predictor": 3 if planes.dtype.kind == "f" else 2,
    }  # fmt: skip
    with _whole(path) as unfinished, rasterio.open(unfinished, "w", **profile) as raster:
        raster.write(planes)
        raster.descriptions = names
        raster.update_tags(**tags)
        if colours:
            raster.write_colormap(1, colours)


def write_classes(path: Path, classes: np.ndarray, *, epsg: int, transform: Affine, tags: Mapping[str, str]) -> None:
    """Write a class raster (H, W) uint8 with the labels' names and colours; nodata 255."""
    named = {str(label.id): label.name for label in LABELS}
    colours = {label.id: (*label.rgb, 255) for label in LABELS}
    place: dict[str, Any] = {"epsg": epsg, "transform": transform}
    write_raster(path, classes[None], **place, names=("class",), nodata=255, tags=named | dict(tags), colours=colours)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write `document` as JSON."""
    with _whole(path) as unfinished:
        unfinished.write_text(json.dumps(document, indent=1) + "\n")


def scene_path(collection: str, name: str) -> Path:
    """Return where the scene `name` lies, relative to the archive folder."""
    return Path("scenes") / collection / f"{name}.tif"


def item_path(collection: str, name: str) -> Path:
    """Return where the STAC item `name` lies, relative to the archive folder."""
    return Path("items") / collection / f"{name}.json"


def write_item(
    archive: Path,
    name: str,
    *,
    collection: str,
    outline: BaseGeometry,
    properties: Mapping[str, Any],
    bands: tuple[str, ...],
) -> None:
    """Write the STAC 1.0 item of the scene `name`; `outline` is in EPSG:4326."""
    asset = {
        "href": scene_path(collection, name).as_posix(),
        "type": "image/tiff; application=geotiff",
        "roles": ["data"],
        "eo:bands": [{"name": band} for band in bands],
    }
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": collection,
        "geometry": dict(mapping(outline)),
        "bbox": list(outline.bounds),
        "properties": dict(properties),
        "links": [],
        "assets": {"data": asset},
    }
    write_json(archive / item_path(collection, name), document)
