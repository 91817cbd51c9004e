"""A source raster of an import, read as a scene: Sentinel band names, reflectance×10000, SCL.

Stands between the layouts, which say what lies where, and `grids.py`, which gives it the pixels of its place.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader

from deploy.archive.bands import COLLECTIONS
from models.bands import ALPHA, DATA_MASK, POWER, REFLECTANCE, names_of
from models.errors import ModelError
from models.geotiff import read_picture
from tasks.errors import RasterError

BARE, CLOUDY = 5, (8, 9, 10)
"""SCL: the code that a made SCL gives to what is there, and the codes that count as cloud cover."""


MOST_VALUES = 13 * 10_980**2
"""Of all bands together: those of a whole Sentinel-2 tile."""


@dataclass(frozen=True)
class Picture:
    """A source raster: `planes` (bands, H, W) in the archive's numbers, 0 where not `seen` (H, W).

    `notes` say what is to be doubted of it, and what was left out.
    """

    planes: np.ndarray
    names: tuple[str, ...]
    seen: np.ndarray
    crs: CRS
    transform: Affine
    notes: tuple[str, ...] = ()


def band_names(raster: DatasetReader) -> tuple[str, ...]:
    """Return the bands by their Sentinel names (`b2` is B02), masks too; raises RasterError when one has none."""
    known = {name.upper(): name for one in COLLECTIONS.values() for name in (*one.units, DATA_MASK, ALPHA)}
    names = [(name or "").upper() for name in names_of(raster)]
    if wrong := [f"{at} ({name or 'no name'})" for at, name in enumerate(names, 1) if name not in known]:
        raise RasterError(f"band {', '.join(wrong)} has no Sentinel name: set band descriptions such as B02, B8A, SCL")
    if len(set(names)) < len(names):
        raise RasterError(f"two bands have the same name ({', '.join(names)}): describe each band once")
    if not any(known[name] in (*REFLECTANCE, *POWER) for name in names):
        raise RasterError(f"there is nothing but {', '.join(names)}: a scene needs reflectance or power bands")
    return tuple(known[name] for name in names)


def read(path: Path) -> Picture:
    """Read `path` as a picture; raises RasterError for what `models/geotiff.py` refuses, and for too many pixels."""
    with rasterio.open(path) as raster:
        names = tuple(name for name in band_names(raster) if name not in (DATA_MASK, ALPHA))
        if raster.count * raster.height * raster.width > MOST_VALUES:
            raise RasterError(f"{raster.width} x {raster.height} pixels of {raster.count} bands are too many for the "
                              "memory: cut the mine out of it, e.g. with `gdalwarp -te`")  # fmt: skip
        radar = any(name in POWER for name in names)
        measured = [name for name in names if name in (POWER if radar else REFLECTANCE)]
        try:
            found = read_picture(raster, measured, beside=[name for name in names if name not in measured])
        except ModelError as error:
            raise RasterError(str(error)) from error
    planes = {name: plane if radar else _stored(plane) for name, plane in zip(measured, found.planes, strict=True)}
    planes |= {name: np.nan_to_num(plane) * found.seen for name, plane in found.beside.items()}
    kind = np.float32 if radar else np.uint16
    stacked = np.stack([np.clip(planes[name], 0, None if radar else 65535).astype(kind) for name in names])
    return Picture(stacked, names, found.seen, raster.crs, raster.transform, found.notes)


def _stored(reflectance: np.ndarray) -> np.ndarray:
    """Return reflectance×10000, at least 1 where there is any: the archive knows none below 0, and 0 is no data."""
    return np.where(reflectance == 0, 0, np.maximum(np.rint(reflectance * 10000), 1))


def with_scl(picture: Picture) -> Picture:
    """Return `picture` with an SCL band that calls every seen pixel bare soil (5)."""
    made = np.where(picture.seen, BARE, 0).astype(picture.planes.dtype)
    return replace(picture, planes=np.concatenate([picture.planes, made[None]]), names=(*picture.names, "SCL"))


def cloud_cover(picture: Picture) -> float | None:
    """Return the per cent of seen pixels that SCL calls cloud or cirrus; None where nothing is seen."""
    if "SCL" not in picture.names or not picture.seen.any():
        return None
    scl = picture.planes[picture.names.index("SCL")][picture.seen]
    return round(100 * float(np.isin(scl, CLOUDY).mean()), 2)
