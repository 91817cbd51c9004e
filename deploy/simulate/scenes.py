"""Scenes of simulated mines in the layout of the local archive: items, scenes, truth and places.

What `minecam archive make` calls; the archive's server and importer read the same folder.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from shapely.geometry import box

from deploy.archive.writing import scene_path, write_item, write_json
from deploy.simulate.outlines import place
from deploy.simulate.rasters import SiteGrid, site_grid, write, write_truth
from deploy.simulate.sites import DEMO, Site, drawn_site
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.world import Optical, World, world
from tasks.errors import WrongUse

OPTICAL, RADAR = "sentinel-2-l2a", "sentinel-1-grd"
WEATHER = ("clear", "clear", "cumulus", "clear", "overcast", "clear", "haze", "clear", "partial", "clear")


def make(
    folder: Path,
    *,
    mines: int = 4,
    dates: int = 10,
    size: int = 320,
    seed: int = 7,
    start: date = date(2026, 1, 18),
    step_days: int = 30,
    sentinel1: bool = True,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Write simulated Sentinel scenes of `mines` mines at `dates` dates into the archive `folder`.

    Scenes are (size, size) pixels of 10 m in the UTM zone of their mine; Sentinel-1 follows two days after
    Sentinel-2. The same arguments write the same bytes. Raises WrongUse for counts that make no scene.
    """
    if mines < 1 or dates < 1 or step_days < 1 or not 96 <= size <= 2500:
        raise WrongUse("simulated scenes need at least 1 mine, 1 date and 1 day of step, and a size of 96 to 2500")
    places = []
    for number, site in enumerate(chosen_sites(mines, seed)):
        if progress is not None:
            progress(f"{site.name}: {dates} dates")
        years = dates * step_days / 365.25
        here = world(site, size=size, seed=seed + 101 * number, years=years)
        grid = site_grid(site, size)
        for index in range(dates):
            day = start + timedelta(days=index * step_days + number)
            _write_day(folder, here, grid, index=index, day=day, start=start, sentinel1=sentinel1)
        places.append(place(here, grid, years=years))
    _write_places(folder / "places.geojson", places)


def _write_places(file: Path, places: list[dict]) -> None:
    """Write `places` beside those that the archive has already."""
    slugs = {place["properties"]["slug"] for place in places}
    known = json.loads(file.read_text())["features"] if file.exists() else []
    others = [place for place in known if place["properties"]["slug"] not in slugs]
    write_json(file, {"type": "FeatureCollection", "features": [*others, *places]})


def chosen_sites(mines: int, seed: int) -> list[Site]:
    """Return the described sites of the demo, and drawn ones beyond them."""
    rng = np.random.default_rng([seed, 3])
    return [DEMO[number] if number < len(DEMO) else drawn_site(rng, number) for number in range(mines)]


def _write_day(
    folder: Path, here: World, grid: SiteGrid, *, index: int, day: date, start: date, sentinel1: bool
) -> None:
    """Write the Sentinel-2 scene of `day` and the Sentinel-1 scene two days later, each with its truth."""
    site = here.site
    morning = 10.5 - site.longitude / 15
    moment = datetime.combine(day, time(), UTC) + timedelta(hours=morning, seconds=17 * index)
    moment = moment.replace(microsecond=0)
    now = here.state(years=(day - start).days / 365.25, day=day.timetuple().tm_yday)
    weather = (site.weather or WEATHER)[index % 10]
    _write_optical(folder, here.optical(now, moment=moment, weather=weather), site, grid, moment, index)
    write_truth(folder / "truth" / site.slug / f"{moment.date()}.tif", now.truth, grid=grid)
    if not sentinel1:
        return
    pass_at = moment + timedelta(days=2, hours=7.6)
    later = here.state(years=(day - start).days / 365.25 + 2 / 365.25, day=pass_at.timetuple().tm_yday)
    _write_radar(folder, here.radar(later, moment=pass_at), site, grid, pass_at, index)
    write_truth(folder / "truth" / site.slug / f"{pass_at.date()}.tif", later.truth, grid=grid)


def digital_numbers(scene: Optical) -> np.ndarray:
    """Return reflectance×10000 (at least 1, 0 outside the swath) and SCL, uint16 (bands + 1, size, size)."""
    numbers = np.clip(np.round(scene.reflectance * 10000), 1, 16000) * scene.air.seen
    return np.concatenate([numbers, scene.scl[None]]).astype(np.uint16)


def _write_optical(folder: Path, scene: Optical, site: Site, grid: SiteGrid, moment: datetime, index: int) -> None:
    satellite = "ABC"[index % 3]
    stamp, orbit = f"{moment:%Y%m%dT%H%M%S}", _orbit(site, 143)
    made = moment + timedelta(hours=5, minutes=_hash(site.slug + stamp) % 200)
    item = f"SIM_S2{satellite}_MSIL2A_{stamp}_N0511_R{orbit:03d}_T{_tile(grid, site)}_{made:%Y%m%dT%H%M%S}"
    path = scene_path(OPTICAL, item)
    write(
        folder / path,
        digital_numbers(scene),
        grid=grid,
        names=(*S2_BANDS, "SCL"),
        nodata=0,
        tags={"product": item},
    )
    cloudy = np.isin(scene.scl, (8, 9, 10))[scene.air.seen].mean() * 100
    properties = {
        **_common(moment, made, grid),
        "platform": f"sentinel-2{satellite.lower()}",
        "constellation": "sentinel-2",
        "eo:cloud_cover": round(float(cloudy), 2),
        "s2:processing_baseline": "05.11",
        "s2:mgrs_tile": _tile(grid, site),
    }
    _write_item(folder, item, OPTICAL, grid, properties, (*S2_BANDS, "SCL"))


def _write_radar(folder: Path, gamma: np.ndarray, site: Site, grid: SiteGrid, moment: datetime, index: int) -> None:
    made = moment + timedelta(hours=3, minutes=_hash(site.slug + str(moment)) % 100)
    end, orbit = moment + timedelta(seconds=25), 62000 + index * 437 + _orbit(site, 175)
    item = f"SIM_S1A_IW_GRDH_1SDV_{moment:%Y%m%dT%H%M%S}_{end:%Y%m%dT%H%M%S}_{orbit:06d}"
    item += f"_{_hash(item) % 0xFFFFFF:06X}_{_hash(item + site.slug) % 0xFFFF:04X}"
    path = scene_path(RADAR, item)
    write(folder / path, gamma, grid=grid, names=("VV", "VH"), nodata=0, tags={"product": item})
    properties = {
        **_common(moment, made, grid),
        "platform": "sentinel-1a",
        "constellation": "sentinel-1",
        "sat:orbit_state": "ascending",
        "sar:instrument_mode": "IW",
        "sar:polarizations": ["VV", "VH"],
        "s1:polarization": "DV",
        "s1:resolution": "HIGH",
    }
    _write_item(folder, item, RADAR, grid, properties, ("VV", "VH"))


def _common(moment: datetime, made: datetime, grid: SiteGrid) -> dict:
    return {
        "datetime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "created": f"{made:%Y-%m-%dT%H:%M:%SZ}",
        "proj:epsg": grid.epsg,
        "gsd": 10,
        "minecam:simulated": True,
    }


def _write_item(
    folder: Path,
    item: str,
    collection: str,
    grid: SiteGrid,
    properties: dict,
    bands: tuple[str, ...],
) -> None:
    reach = grid.size * 10.0
    outline = grid.to_degrees(box(grid.west, grid.north - reach, grid.west + reach, grid.north))
    write_item(folder, item, collection=collection, outline=outline, properties=properties, bands=bands)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _orbit(site: Site, orbits: int) -> int:
    return 1 + _hash(site.slug) % orbits


def _tile(grid: SiteGrid, site: Site) -> str:
    """Return a tile name with the true zone and latitude band and invented square letters."""
    band = "CDEFGHJKLMNPQRSTUVWX"[int(np.clip((site.latitude + 80) // 8, 0, 19))]
    letters = "ABCDEFGHJKLMNPQRSTUV"
    return f"{grid.epsg % 100:02d}{band}{letters[_hash(site.slug) % 20]}{letters[_hash(site.name) % 20]}"
