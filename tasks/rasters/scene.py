"""A scene of one's own: any GeoTIFF whose band descriptions name its bands, and the class raster made of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import RasterioError

from models.bands import SCL
from models.errors import ModelError
from models.geotiff import Picture, read_picture, unread
from models.labels import LABELS, NODATA
from tasks.errors import RasterError, WrongUse
from tasks.rasters.grid import PIXEL, utm_epsg
from tasks.rasters.measured import measured_mask
from tasks.rasters.resample import like_ten_metres, outline_of, pixel_metres, resampled, snapped, warped
from tasks.rasters.validity import valid_mask
from tasks.settings import settings


class OwnScene(NamedTuple):
    """Reflectance float32 (B, H, W), valid bool (H, W), the profile (crs, transform, width, height), and notes.

    Notes say what is to be doubted of the file, and what was done with it.
    """

    planes: np.ndarray
    valid: np.ndarray
    profile: dict[str, Any]
    notes: tuple[str, ...]


def read_scene(path: Path, bands: tuple[str, ...]) -> OwnScene:
    """Return the GeoTIFF `path` as a scene of `bands`, read as `models/geotiff.py` says, on pixels of 10 m.

    Pixels of 8 to 12.5 m stay as they are; smaller ones, and those up to 25 m, are resampled in UTM. SCL is heeded
    where present. Raises WrongUse for what cannot be read, cannot be reflectance, or is too coarse.
    """
    try:
        with rasterio.open(path, num_threads="all_cpus") as dataset:
            picture = read_picture(dataset, bands, beside=(SCL,))
        picture = _at_ten_metres(picture)
    except RasterioError as error:
        raise WrongUse(unread(path)) from error
    except (ModelError, RasterError) as error:
        raise WrongUse(f"{path} is no scene: {error}") from error
    seen = picture.seen.astype(np.uint8)
    # Rounded, for what is resampled from a constant is one to the sixth digit only.
    there = measured_mask(picture.planes.round(5), bands, picture.seen, scale=1.0)
    margin = settings().cloud_margin_px
    valid = valid_mask(scl=picture.beside.get(SCL), data_mask=seen, margin_px=margin, measured=there)
    height, width = seen.shape
    profile = {"crs": picture.crs, "transform": picture.transform, "width": width, "height": height}
    return OwnScene(picture.planes, valid, profile, picture.notes)


def _at_ten_metres(picture: Picture) -> Picture:
    if picture.crs is None:
        return replace(picture, notes=(*picture.notes, "it has no CRS: its pixels were taken as 10 m"))
    shape = picture.seen.shape
    sides = pixel_metres(picture.crs, picture.transform, shape)
    if like_ten_metres(sides):
        return picture
    utm = _utm_of(picture.crs, picture.transform, shape)
    lattice = Affine(PIXEL, 0, 0, 0, -PIXEL, 0)
    transform, size = snapped(outline_of(picture.crs, picture.transform, shape, utm).bounds, lattice)
    way = (picture.crs, picture.transform), (utm, transform), size
    seen = warped(picture.seen.astype(np.uint8), *way, codes=True) > 0
    planes = np.stack([warped(plane, *way) * seen for plane in picture.planes])
    beside = {name: warped(plane, *way, codes=True) for name, plane in picture.beside.items()}
    notes = (*picture.notes, resampled(sides))
    return replace(picture, planes=planes, seen=seen, beside=beside, crs=utm, transform=transform, notes=notes)


def _utm_of(crs: CRS, transform: Affine, shape: tuple[int, int]) -> CRS:
    """Return `crs` where that is a UTM zone, else the UTM zone of the middle of the raster."""
    if (crs.to_epsg() or 0) // 100 in (326, 327):
        return crs
    middle = outline_of(crs, transform, shape, CRS.from_epsg(4326)).centroid
    return CRS.from_epsg(utm_epsg(middle.x, middle.y))


def write_classes(path: Path, classes: np.ndarray, profile: dict[str, Any]) -> None:
    """Write `classes` uint8 (H, W), 255 where there is no data, with colours and names; whole or not at all."""
    form = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": NODATA, "compress": "deflate", "tiled": True}
    form |= {"num_threads": "all_cpus"}
    unfinished = path.with_name(f".{path.name}.part")
    with rasterio.open(unfinished, "w", **form, **profile) as dataset:
        dataset.write(classes, 1)
        dataset.set_band_description(1, "class")
        dataset.write_colormap(1, {label.id: (*label.rgb, 255) for label in LABELS})
        dataset.update_tags(**{f"class_{label.id}": label.name for label in LABELS})
    unfinished.replace(path)
