"""A folder of the user's own GeoTIFFs, as places with sources: which file shows which place, and when.

The first step of `archive import` for folders that are none of the known layouts.
"""

import re
from datetime import date, datetime
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from deploy.archive.bands import COLLECTIONS
from deploy.archive.grids import where
from deploy.archive.layouts import Place, Refused, Source, slug_for
from deploy.archive.products import SENTINEL2
from deploy.archive.sources import band_names
from models.bands import ALPHA, DATA_MASK
from tasks.errors import MineCamError, RasterError, WrongUse

DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_]?)(\d\d)\2(\d\d)(?!\d)")
"""A day in a file name: 20230108, 2023-01-08 or 2023_01_08."""

DATE_TAGS = ("date", "datetime", "sensing_time", "acquisition_date", "TIFFTAG_DATETIME")
"""Tags that give the time of sensing, the surest first: TIFFTAG_DATETIME may be when the file was made."""


def geotiffs(folder: Path, split: str | None) -> tuple[list[Place], Refused]:
    """Return the places of `folder`: each subfolder is one, and beside them files are of one by their name.

    A file that cannot be a scene is refused with what to do about it. Raises WrongUse where there is no GeoTIFF.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".tif", ".tiff"))
    if not files:
        raise WrongUse(f"there is no GeoTIFF in {folder}, and no pairs.csv, sites.csv or series.csv")
    if split is not None:
        raise WrongUse(f"{folder} has no table of splits: leave --split out")
    found: dict[str, list[Source]] = {}
    refused: Refused = []
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            found.setdefault(place_of(path, folder), []).append(_source(path))
        except MineCamError as error:
            refused.append((name, str(error)))
        except RasterioError:
            refused.append((name, "it is no GeoTIFF, or is cut off: copy it again"))
    return [_place(name, sources) for name, sources in found.items()], refused


def _place(name: str, sources: list[Source]) -> Place:
    return Place(slug_for(name), name, {}, sources)


def place_of(path: Path, folder: Path) -> str:
    """Return the subfolder that holds `path`, else its name up to the day in it, else the folder's name."""
    if path.parent != folder:
        return path.parent.relative_to(folder).as_posix()
    day = DAY.search(path.stem)
    before = "" if day is None or SENTINEL2.search(path.stem) else path.stem[: day.start()]
    return before.strip("-_. ") or folder.resolve().name


def _source(path: Path) -> Source:
    with rasterio.open(path) as raster:
        tags, names = raster.tags(), band_names(raster)
    where(path)
    when = _when(path, tags)
    product = SENTINEL2.search(path.stem)
    if "VV" in names or "HH" in names:
        return Source(path, when, "sentinel-1-grd", orbit_state=_orbit(tags))
    given = tags.get("collection", "")
    collection = given if given in COLLECTIONS else "sentinel-2-l1c" if product and product["level"] == "1C" else ""
    source = Source(path, when, collection or "sentinel-2-l2a", level=tags.get("processing_level"))
    if strange := [name for name in names if name not in (*COLLECTIONS[source.collection].units, DATA_MASK, ALPHA)]:
        raise RasterError(f"{source.collection} has no band {', '.join(strange)}: leave it out, or correct its name")
    return source


def _when(path: Path, tags: dict[str, str]) -> date | datetime:
    """Return the day or time of sensing; raises RasterError when neither tags nor file name say it."""
    lower = {key.lower(): text for key, text in tags.items()}
    stated = (_parsed(lower[tag.lower()]) for tag in DATE_TAGS[:-1] if tag.lower() in lower)
    when = next((one for one in stated if one is not None), None) or _named(path.stem)
    when = when or _parsed(lower.get(DATE_TAGS[-1].lower(), ""))
    if when is None:
        raise RasterError("it has no date: put the day into its name, as in pit_2023-01-08.tif, or into a tag `date`")
    return when


def _named(stem: str) -> date | None:
    for year, _, month, day in DAY.findall(stem):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    # Sentinel product names run on after the day: 20230108T062956.
    return None


def _parsed(text: str) -> date | datetime | None:
    """Return the time in a tag: ISO, or `2023:01:08 10:30:00` as TIFF writes it."""
    plain = re.sub(r"^(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text.strip())
    try:
        return date.fromisoformat(plain) if len(plain) <= 10 else datetime.fromisoformat(plain)
    except ValueError:
        return None


def _orbit(tags: dict[str, str]) -> str:
    for key, text in tags.items():
        if key.lower() in ("orbit_state", "sat:orbit_state", "orbit_direction", "pass"):
            return text.strip().lower()
    raise RasterError("Sentinel-1 without orbit direction: set a tag orbit_state to ascending or descending")
