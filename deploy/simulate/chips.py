"""Training chips of simulated mines, in the layout of the labelled chips (images, labels, sites.csv)."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from deploy.simulate.rasters import SiteGrid, site_grid, write, write_truth
from deploy.simulate.scenes import digital_numbers
from deploy.simulate.sites import Site, drawn_site
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.world import World, world
from models.labels import LABELS
from tasks.errors import WrongUse

PER_SITE = 4
"""Chips of one site: other years, seasons and cuts of the same mine."""

_COLUMNS = ("chip", "site", "split", "longitude", "latitude", "commodity_guess", "mine_type")


def make_chips(
    folder: Path, *, chips: int, size: int = 256, seed: int, progress: Callable[[str], None] | None = None
) -> None:
    """Write `chips` simulated chips of (size, size) pixels: clear to hazy, never clouded, no snow.

    `images/<chip>.tif` uint16 reflectance×10000 of the ten bands, `radar/<chip>.tif` float32 VV VH,
    `labels/<chip>.tif` uint8; every fifth site is of split `val`. Raises WrongUse for less than one chip.
    """
    if chips < 1 or size < 64:
        raise WrongUse("simulated chips need a count of at least 1 and a size of at least 64 pixels")
    rows = []
    for number in range(-(-chips // PER_SITE)):
        rng = np.random.default_rng([seed, 77, number])
        site = drawn_site(rng, number)
        here = world(site, size=size + size // 4, seed=int(rng.integers(2**40)), years=1.0)
        for cut in range(min(PER_SITE, chips - number * PER_SITE)):
            name = f"sim_{number * PER_SITE + cut:04d}"
            _write_chip(folder, name, here, size, rng)
            split = "val" if number % 5 == 4 else "train"
            rows.append((name, f"sim-site-{number:03d}", split, *_centre(site), site.commodity, site.mine_type))
        if progress is not None:
            progress(f"{len(rows)} of {chips} chips")
    _write_tables(folder, rows)


def _write_chip(folder: Path, name: str, here: World, size: int, rng: np.random.Generator) -> None:
    """Draw a moment, a weather and a cut, and write image, radar and label."""
    years = float(rng.uniform(-0.4, 1.0))
    day = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(
        days=int(rng.integers(366)), hours=10.5 - here.site.longitude / 15
    )
    now = here.state(years=years, day=day.timetuple().tm_yday)
    scene = here.optical(now, moment=day, weather="haze" if rng.random() < 0.2 else "clear")
    whole = here.ground.dem.shape[0]
    top, left = (int(n) // 2 * 2 for n in rng.integers(0, whole - size + 1, 2))
    cut = (slice(top, top + size), slice(left, left + size))
    grid = _cut_grid(site_grid(here.site, whole), top, left, size)
    image = digital_numbers(scene)[:-1, *cut]
    write(folder / "images" / f"{name}.tif", image, grid=grid, names=S2_BANDS, nodata=0, tags={"chip": name})
    gamma = here.radar(now, moment=day)[:, *cut]
    write(folder / "radar" / f"{name}.tif", gamma, grid=grid, names=("VV", "VH"), nodata=0, tags={"chip": name})
    write_truth(folder / "labels" / f"{name}.tif", now.truth[cut], grid=grid)


def _cut_grid(grid: SiteGrid, top: int, left: int, size: int) -> SiteGrid:
    return SiteGrid(grid.epsg, grid.west + 10.0 * left, grid.north - 10.0 * top, size)


def _centre(site: Site) -> tuple[float, float]:
    return round(site.longitude, 5), round(site.latitude, 5)


def _write_tables(folder: Path, rows: list[tuple]) -> None:
    with (folder / "sites.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        table.writerows(rows)
    classes = [{"id": label.id, "name": label.name, "rgb": list(label.rgb)} for label in LABELS]
    (folder / "classes.json").write_text(json.dumps(classes, indent=1) + "\n")
