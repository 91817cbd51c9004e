"""GeoTIFFs as people have them, read as reflectance: for `predict`, `archive import` and chips alike.

Names of bands, tags of scale, offset and no data, masks and alpha bands are heeded. A pixel is seen where every
measured band holds what can be reflectance; all else is no data, declared or not.
"""

import contextlib
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from models.bands import ALPHA, DATA_MASK, POWER, REFLECTANCE, names_of
from models.encoding import BRIGHTEST, DARKEST, NO_LIGHT, Encoding, encoding
from models.errors import ModelError

log = logging.getLogger(__name__)

MASKS = (ALPHA, DATA_MASK)

_SAMPLE = 400_000
"""Pixels at least from which the encoding is told, where there are so many."""


@dataclass(frozen=True)
class Picture:
    """Bands of a GeoTIFF on its own pixels.

    `planes` (bands, H, W): reflectance or linear power as float32, 0 where not `seen` (H, W); `beside` are other bands
    by name, as they stand. `notes` say what is to be doubted, and what was left out.
    """

    planes: np.ndarray
    names: tuple[str, ...]
    seen: np.ndarray
    beside: dict[str, np.ndarray]
    crs: CRS | None
    transform: Affine
    notes: tuple[str, ...]


def read_picture(raster: DatasetReader, wanted: Sequence[str], beside: Sequence[str] = ()) -> Picture:
    """Return the bands `wanted` of `raster`, and those of `beside` that it has.

    Raises ModelError for bands that are missing or there twice, and for numbers that cannot be reflectance or power;
    rasterio's errors where it cannot be read.
    """
    names = names_of(raster)
    if missing := [band for band in wanted if band not in names]:
        raise ModelError(f"it lacks {', '.join(missing)}: name its bands in their descriptions")
    if twice := [band for band in wanted if names.count(band) > 1]:
        raise ModelError(f"two bands have the same name ({', '.join(twice)}): describe each band once")
    at = [names.index(band) for band in wanted]
    stored = raster.read([i + 1 for i in at])
    if stored.dtype.kind not in "uif":
        raise ModelError(f"its numbers are {stored.dtype}: give reflectance")
    seen = _declared(raster, names, at, stored)
    planes = np.empty(stored.shape, np.float32)
    optical, radar = ([i for i, band in enumerate(wanted) if band in kind] for kind in (REFLECTANCE, POWER))
    notes = _reflectance(raster, at, stored, planes, seen, optical) if optical else []
    if radar:
        _power(raster, at, stored, planes, seen, radar)
    for plane in planes:
        plane[~seen] = 0
    others = {name: raster.read(names.index(name) + 1) for name in beside if name in names}
    return Picture(planes, tuple(wanted), seen, others, raster.crs, raster.transform, tuple(notes))


def unread(path: Path) -> str:
    """Return in words why the GeoTIFF `path` cannot be read, in place of those of GDAL."""
    if not path.is_file():
        return f"there is no file {path}"
    if path.stat().st_size == 0:
        return f"{path} is empty: copy it again"
    return f"{path} is no GeoTIFF, or is cut off: copy it again, or save it as GeoTIFF"


def read_planes(path: Path, wanted: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return `planes` and `seen` of the GeoTIFF `path` as `Picture` has them, and log its notes.

    Raises ModelError that names the file.
    """
    try:
        with rasterio.open(path) as raster:
            picture = read_picture(raster, wanted)
    except RasterioError as error:
        raise ModelError(unread(path)) from error
    except ModelError as error:
        raise ModelError(f"{path} cannot be used: {error}") from error
    for note in picture.notes:
        log.warning("%s: %s", path, note)
    return picture.planes, picture.seen


def _declared(raster: DatasetReader, names: list[str | None], at: list[int], stored: np.ndarray) -> np.ndarray:
    """Return bool (H, W): what is 0 in all bands, no number, or by nodata, mask or alpha no data, is not seen."""
    seen = (stored != 0).any(axis=0)
    for i, plane in zip(at, stored, strict=True):
        if plane.dtype.kind == "f":
            seen &= np.isfinite(plane)
        if raster.nodatavals[i] is not None:
            seen &= plane != raster.nodatavals[i]
        flags = raster.mask_flag_enums[i]
        if not {MaskFlags.all_valid, MaskFlags.nodata, MaskFlags.alpha} & set(flags):
            seen &= raster.read_masks(i + 1) > 0
    for i, name in enumerate(names):
        if name in MASKS:
            plane = raster.read(i + 1)
            seen &= np.nan_to_num(plane) > 0 if plane.dtype.kind == "f" else plane > 0
    return seen


def _reflectance(
    raster: DatasetReader, at: list[int], stored: np.ndarray, planes: np.ndarray, seen: np.ndarray, which: list[int]
) -> list[str]:
    """Fill in the bands `which` of `planes` as reflectance, take what is none out of `seen`, and return notes."""
    notes: list[str] = []
    tags: dict[tuple[float, float], list[int]] = {}
    for i in which:
        tags.setdefault((raster.scales[at[i]], raster.offsets[at[i]]), []).append(i)
    declared, brightest = int(seen.sum()), np.zeros(seen.shape, np.float32)
    found = [(alike, _encoding(raster, stored, alike, seen, *tag)) for tag, alike in tags.items()]
    for alike, how in found:
        notes += [note for note in how.notes if note not in notes]
        for i in alike:
            # In place: temporaries as large as the scene took longer than all the rest of reading.
            with np.errstate(over="ignore", invalid="ignore"):
                np.multiply(stored[i], np.float32(how.scale), out=planes[i], dtype=np.float32, casting="unsafe")
                if how.offset:
                    planes[i] += np.float32(how.offset)
                np.logical_and(seen, planes[i] > DARKEST, out=seen)
                np.logical_and(seen, planes[i] < BRIGHTEST, out=seen)
            np.fmax(brightest, planes[i], out=brightest)
    seen &= brightest > NO_LIGHT
    if left := declared - int(seen.sum()):
        share = 100 * left / seen.size
        notes.append(f"{share:.{0 if share >= 1 else 2}f} % of its pixels hold no reflectance and are no data")
    return notes


def _encoding(
    raster: DatasetReader, stored: np.ndarray, alike: list[int], seen: np.ndarray, scale: float, offset: float
) -> Encoding:
    tags = raster.tags()
    stated = tags.get("reflectance_scale")
    if stated is not None:
        scale, offset = 1 / _positive(stated), 0.0
    step = max(1, int(np.sqrt(seen.size / _SAMPLE)))
    some = seen[::step, ::step]
    part = stored[alike, ::step, ::step][:, some] if some.any() else stored[alike][:, seen]
    return encoding(part, scale=scale, offset=offset, stated=stated is not None, baseline=baseline(raster))


def _positive(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise ModelError(f"its tag reflectance_scale is no scale ({text!r:.40}): correct it")


def baseline(raster: DatasetReader) -> int | None:
    """Return the processing baseline of the product that tags or names of file and folders say, such as 510."""
    tags = {key.upper(): text for key, text in raster.tags().items()}
    said = next((tags[key] for key in ("PROCESSING_BASELINE", "S2:PROCESSING_BASELINE") if key in tags), "")
    if number := re.fullmatch(r"\s*(\d\d)\.?(\d\d)\s*", said):
        return int(number[1] + number[2])
    stated = [tags.get(key, "") for key in ("PRODUCT_URI", "PRODUCT_ID", "PRODUCT")]
    for text in (*stated, *Path(raster.name).parts[::-1]):
        if named := re.search(r"S2[A-D]_MSIL[12][AC]_\d{8}T\d{6}_N(\d{4})(?=_|$)", text):
            return int(named[1])
    return None


def _power(
    raster: DatasetReader, at: list[int], stored: np.ndarray, planes: np.ndarray, seen: np.ndarray, which: list[int]
) -> None:
    """Fill in the bands `which` of `planes` as linear power, and take what is below 0 out of `seen`."""
    for i in which:
        scale, offset = raster.scales[at[i]], raster.offsets[at[i]]
        with np.errstate(over="ignore", invalid="ignore"):
            planes[i] = stored[i] * scale + offset if (scale, offset) != (1, 0) else stored[i]
        known = planes[i][seen]
        if known.size and ((known > -100) & (known < 0)).mean() > 0.01:
            raise ModelError("Sentinel-1 below 0 looks like decibels: write linear power, 10^(dB/10)")
        if known.size and np.median(known) > 10:
            raise ModelError("Sentinel-1 of so high numbers is not calibrated: write gamma0 as linear power")
        seen &= planes[i] >= 0
