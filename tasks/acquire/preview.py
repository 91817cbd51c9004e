"""A preview before paying: scene classes of the AOI at low resolution, for a fraction of what the bands cost.

Stands between discover and download; a day that is refused here was never paid for.
"""

import math

import numpy as np
from affine import Affine
from rasterio.features import geometry_mask

import sql
from tasks.acquire import budget, service
from tasks.acquire.download import failed, refuse_empty
from tasks.acquire.places import place
from tasks.acquire.request import charged, fetch, price, unpack
from tasks.errors import ServiceDown, ServiceError
from tasks.mines import Mine
from tasks.rasters import Grid, cloud_mask, hidden_by, to_utm, valid_mask
from tasks.records import Acquisition, advance
from tasks.settings import settings
from tasks.suites import PREVIEW, Figures, judge, record, suite

COARSER = 6
"""Pixels of the grid in a pixel of the preview: 60 m, the resolution at which clouds are classified."""
WORTH = 4
"""A preview that costs more than this part of the download saves nothing."""


def figures(scl: np.ndarray, data_mask: np.ndarray, aoi: np.ndarray) -> Figures:
    """Measure a preview: shares (0-1) of the AOI; `scl`, `data_mask` and `aoi` are (h, w)."""
    valid = valid_mask(scl=scl, data_mask=data_mask, margin_px=0)
    return {
        "aoi_coverage": float((data_mask[aoi] > 0).mean()),
        "valid_share": float(valid[aoi].mean()),
        "hidden": hidden_by(scl=scl, data_mask=data_mask, valid=valid, aoi=aoi),
        "cloud_share": float(cloud_mask(scl)[aoi].mean()),
    }


def coarse(grid: Grid) -> tuple[int, int]:
    """Return width and height in pixels of the preview of `grid`."""
    return math.ceil(grid.width / COARSER), math.ceil(grid.height / COARSER)


def due(connection: sql.Connection, acquisition: Acquisition, mine: Mine) -> bool:
    """Say whether an acquisition is to be previewed before it is downloaded.

    Not where the catalog's figure, which is of the whole tile, promises a clear sky; where the preview would cost a
    good part of the download, or has no scene classes; nor again what was previewed before, or released by a person.
    """
    if acquisition.state not in ("discovered", "failed") or acquisition.collection != "sentinel-2-l2a":
        return False
    if acquisition.cloud_cover is not None and acquisition.cloud_cover <= settings().preview_tile_cloud:
        return False
    if WORTH * _price(mine.grid) > price(acquisition, mine.grid)[0]:
        return False
    return not sql.run(connection, "preview_known", acquisition_id=acquisition.acquisition_id)


def preview(
    connection: sql.Connection, acquisition: Acquisition, mine: Mine, *, flow_run_id: str | None = None
) -> tuple[Acquisition, bool]:
    """Preview `acquisition` if that is due; return it as it stands then, and whether it is worth its price.

    Where it is not, it is `quarantined` with its reasons, or `failed`, or waits for budget. Raises ServiceDown where
    the service serves nobody, once the acquisition is recorded as failed.
    """
    if not due(connection, acquisition, mine):
        return acquisition, True
    identity, units = acquisition.acquisition_id, _price(mine.grid)
    charge = budget.reserve(connection, "preview", [(mine, identity, units)], priority=mine.priority)
    if isinstance(charge, str):
        return advance(connection, acquisition, "acquisition_wait", reason=charge), False
    width, height = coarse(mine.grid)
    given = settings()
    try:
        config = service.configuration(given)
        with place(connection), charge.unless_served(connection):
            response = service.ask(config, lambda: fetch(config, acquisition, (), mine.grid, (width, height)))
        charge.settle(connection, charged(response.headers, units))
        scl, data_mask = unpack(response.content, bands=2, size=(width, height), dtype="uint16")
        refuse_empty(np.stack([scl, data_mask]), acquisition, ["SCL"])
    except ServiceError as error:
        now = failed(connection, acquisition, error)
        if isinstance(error, ServiceDown):
            raise
        return now, False
    measured = figures(scl, data_mask, _aoi(mine, width, height))
    judgement = judge(figures=measured, checks=suite(PREVIEW, given))
    with connection.transaction():
        if not judgement.passed:
            acquisition = advance(connection, acquisition, "preview_refuse", reasons=judgement.reasons, **measured)
        record(connection, acquisition, suite=PREVIEW, judgement=judgement, figures=measured, flow_run_id=flow_run_id)
    return acquisition, judgement.passed


def _price(grid: Grid) -> float:
    width, height = coarse(grid)
    return budget.pixels_units(width * height, 1, radar=False)


def _aoi(mine: Mine, width: int, height: int) -> np.ndarray:
    """Return bool (height, width): pixels of the preview that the AOI touches."""
    west, south, east, north = mine.grid.bounds
    across = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    ground = [to_utm(mine.aoi, mine.grid.epsg)]
    return geometry_mask(ground, out_shape=(height, width), transform=across, invert=True, all_touched=True)
