"""Product names in Sentinel style for imported scenes: id, times, platform, baseline, tile.

What a file does not say (time of day, orbit, baseline) is filled in plausibly and the same at every import.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from deploy.archive.writing import SceneGrid
from tasks.rasters import to_wgs84

SENTINEL2 = re.compile(
    r"S2(?P<unit>[ABC])_MSIL(?P<level>1C|2A)_(?P<sensed>\d{8}T\d{6})_N(?P<baseline>\d{4})_R\d{3}"
    r"_T\d{2}[A-Z]{3}_(?P<made>\d{8}T\d{6})"
)
"""A Sentinel-2 product id since 2016."""

BASELINES = (
    (date(2023, 12, 13), "05.10"), (date(2022, 12, 6), "05.09"), (date(2022, 1, 25), "04.00"),
    (date(2021, 6, 30), "03.01"), (date(2021, 3, 30), "03.00"), (date(2020, 2, 4), "02.14"),
    (date(2019, 7, 8), "02.13"), (date(2018, 11, 6), "02.11"), (date(2017, 3, 1), "02.07"), (date.min, "02.04"),
)  # fmt: skip
"""Baseline of the first processing by day of sensing, newest first (rounded to those that stood for months)."""


@dataclass(frozen=True)
class Product:
    """The name of a scene and what the name says; times in UTC."""

    name: str
    moment: datetime
    created: datetime
    platform: str
    baseline: str | None


def number(*words: str) -> int:
    """Return a number that depends on `words` only."""
    return int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:6], "big")


def tile(grid: SceneGrid) -> str:
    """Return the MGRS 100 km square of the middle of `grid`, such as `23KPU` (NGA.STND.0037)."""
    centre = grid.box.centroid
    zone, latitude = grid.epsg % 100, to_wgs84(centre, grid.epsg).bounds[1]
    band = "CDEFGHJKLMNPQRSTUVWX"[min(max(int((latitude + 80) // 8), 0), 19)]
    column = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")[(zone - 1) % 3][min(max(int(centre.x // 1e5) - 1, 0), 7)]
    row = "ABCDEFGHJKLMNPQRSTUV"[(int(centre.y // 1e5) + (0 if zone % 2 else 5)) % 20]
    return f"{zone:02d}{band}{column}{row}"


def moment_of(when: date | datetime, *, longitude: float, key: str) -> datetime:
    """Return `when` as a UTC time; a bare day gets the hour of a Sentinel-2 pass (10:30 local solar time)."""
    if isinstance(when, datetime):
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    seconds = round(3600 * (10.5 - longitude / 15)) + number(key) % 1200 - 600
    return datetime.combine(when, time(), UTC) + timedelta(seconds=seconds % 86400)


def sentinel2(*, when: date | datetime, grid: SceneGrid, level: str, place: str, file: str) -> Product:
    """Return the product of `file` of `place`; a file named after a product keeps that name."""
    known = SENTINEL2.search(file)
    if known:
        pair = known["baseline"][:2], known["baseline"][2:]
        return Product(known[0], _time(known["sensed"]), _time(known["made"]),
                       f"sentinel-2{known['unit'].lower()}", ".".join(pair))  # fmt: skip
    moment = moment_of(when, longitude=grid.outline.centroid.x, key=place)
    made = moment + timedelta(seconds=7200 + number(place, file) % 79200)
    baseline = next(name for since, name in BASELINES if moment.date() >= since)
    unit = "AB"[moment.toordinal() // 5 % 2] if moment.year > 2017 else "A"
    orbit = 1 + number(place) % 143
    name = (
        f"S2{unit}_MSIL{level}_{moment:%Y%m%dT%H%M%S}_N{baseline.replace('.', '')}_R{orbit:03d}"
        f"_T{tile(grid)}_{made:%Y%m%dT%H%M%S}"
    )
    return Product(name, moment, made, f"sentinel-2{unit.lower()}", baseline)


def sentinel1(*, when: date | datetime, grid: SceneGrid, place: str, file: str) -> Product:
    """Return the product of the Sentinel-1 `file` of `place`."""
    moment = moment_of(when, longitude=grid.outline.centroid.x, key=place)
    key = number(place, file)
    name = (
        f"S1A_IW_GRDH_1SDV_{moment:%Y%m%dT%H%M%S}_{moment + timedelta(seconds=25):%Y%m%dT%H%M%S}"
        f"_{40000 + number(place, str(when)) % 20000:06d}_{key % 0xFFFFFF:06X}_{key // 7 % 0xFFFF:04X}"
    )
    return Product(name, moment, moment + timedelta(hours=3), "sentinel-1a", None)


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
