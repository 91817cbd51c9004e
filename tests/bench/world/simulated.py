"""Mines with a hundred segments an epoch: simulated scenes as the demo has them, seen by the model that ships for them.

The rows of `world.py` are made by numpy and hold seven plain segments an epoch: a fleet to be found one's way in. What
questions cost that lay segments over one another is seen here only, where outlines are those of class rasters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

import sql
from deploy.simulate.outlines import place
from deploy.simulate.rasters import SiteGrid, site_grid
from deploy.simulate.scenes import WEATHER, chosen_sites, digital_numbers
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.world import World, world
from models import zoo
from models.labels import NODATA
from models.zoo import SegmentationModel
from tasks.mines import polygons as parts_of
from tasks.rasters import HECTARES_PER_PIXEL, Raster, grid_for
from tasks.segment.segment import predicted
from tasks.segment.vectorise import outlines, polygons, regions
from tasks.settings import settings

SIZE, SEED = 320, 7
"""Of the scenes in pixels, and of the demo."""

START, STEP, SENSINGS = date(2024, 1, 4), 18, 10
"""Between the days that the examples of sql/README.md ask about; eight or so are clear enough to become epochs."""

FOLDER = Path(__file__).parent
MINE = (
    "insert into mine (slug, name, aoi, licence) values (%s, %s, st_geomfromwkb(%s, 4326), st_geomfromwkb(%s, 4326))"
    " returning mine_id"
)
"""Older schemas know it as well."""


@dataclass(frozen=True)
class Epoch:
    """What one sensing showed: `segments` as `vectorise` gives them, and what it did not see, EPSG:4326."""

    time: datetime
    aoi_hectares: float
    valid_hectares: float
    segments: gpd.GeoDataFrame
    unseen: shapely.MultiPolygon | None


@dataclass(frozen=True)
class Mine:
    """A simulated mine with its outlines (EPSG:4326) and epochs."""

    slug: str
    aoi: shapely.MultiPolygon
    licence: shapely.MultiPolygon
    epochs: list[Epoch]


def simulated(mines: int) -> Iterator[Mine]:
    """Yield so many mines, the demo's first; the same ones every time."""
    model = zoo.load("s2-10-simulated", device="cpu")
    years = SENSINGS * STEP / 365.25
    for number, site in enumerate(chosen_sites(mines, SEED)):
        here = world(site, size=SIZE, seed=SEED + 101 * number, years=years)
        ground = site_grid(site, SIZE)
        feature = place(here, ground, years=years)
        aoi, licence = (_multi(shapely.geometry.shape(of)) for of in
                        (feature["geometry"], feature["properties"]["licence"]))  # fmt: skip
        yield Mine(site.slug, aoi, licence, list(_epochs(here, ground, aoi, model)))


def load(address: str, mines: list[Mine]) -> None:
    """Write `mines` into the migrated database at `address`."""
    with sql.connect(address) as connection:
        for mine in mines:
            ground, licence = shapely.to_wkb(mine.aoi), shapely.to_wkb(mine.licence)
            row = connection.execute(MINE, [mine.slug, mine.slug, ground, licence]).fetchone()
            assert row
            for epoch in mine.epochs:
                _write(connection, row["mine_id"], epoch)
        connection.execute("analyze")


def _multi(shape: Any) -> shapely.MultiPolygon:
    return shapely.multipolygons(parts_of(shape))


def _epochs(here: World, ground: SiteGrid, aoi: shapely.MultiPolygon, model: SegmentationModel) -> Iterator[Epoch]:
    grid = grid_for(aoi)
    inside = grid.mask(aoi)
    across, down = int((grid.left - ground.west) / 10), int((ground.north - grid.top) / 10)
    part = (slice(None), slice(down, down + grid.height), slice(across, across + grid.width))
    for index in range(SENSINGS):
        day = START + timedelta(days=STEP * index)
        moment = datetime.combine(day, time(10), UTC)
        now = here.state(years=STEP * index / 365.25, day=day.timetuple().tm_yday)
        scene = here.optical(now, moment=moment, weather=(here.site.weather or WEATHER)[index % len(WEATHER)])
        planes = np.concatenate([digital_numbers(scene), scene.air.seen[None]]).astype(np.uint16)
        epoch = _epoch(Raster(planes[part], (*S2_BANDS, "SCL", "dataMask"), grid, {}), inside, moment, model)
        if epoch.valid_hectares >= settings().min_valid * epoch.aoi_hectares:
            yield epoch


def _epoch(raster: Raster, inside: np.ndarray, moment: datetime, model: SegmentationModel) -> Epoch:
    seen, grid = predicted(raster, model, inside), raster.grid
    segments = polygons(classes=seen.classes, confidence=seen.confidence, grid=grid,
                        min_hectares=settings().min_segment_hectares)  # fmt: skip
    hidden = inside & (seen.classes == NODATA)
    unseen = _multi(shapely.union_all(outlines(regions(hidden, hidden), grid))) if hidden.any() else None
    return Epoch(moment, inside.sum() * HECTARES_PER_PIXEL, (inside & ~hidden).sum() * HECTARES_PER_PIXEL,
                 segments, unseen)  # fmt: skip


def _write(connection: sql.Connection, mine_id: int, epoch: Epoch) -> None:
    sql.run(connection, "year_add", sensing_time=epoch.time)
    found = connection.execute(
        (FOLDER / "simulated.sql").read_text(),  # type: ignore[arg-type]
        {"mine_id": mine_id, "at": epoch.time, "aoi": epoch.aoi_hectares, "valid": epoch.valid_hectares},
    ).fetchone()
    assert found
    columns = (epoch.segments[name] for name in ("class_id", "hectares", "confidence", "geometry"))
    sql.copy_rows(
        connection, "segment_copy", ["int8", "int4", "int2", "timestamptz", "float4", "float4"],
        ((found["epoch_id"], mine_id, int(kind), epoch.time, hectares, sure, outline)
         for kind, hectares, sure, outline in zip(*columns, strict=True)),
    )  # fmt: skip
    if epoch.unseen is not None:
        sql.copy_rows(connection, "unseen_copy", ["int8"], [(found["epoch_id"], epoch.unseen)])
