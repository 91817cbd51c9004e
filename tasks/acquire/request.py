"""Requests of pixels to the Process API: what is asked for, what it will cost, and what an answer must be.

`preview` and `download` ask through it.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from sentinelhub import CRS, BBox, MimeType, SentinelHubRequest, SHConfig
from sentinelhub.download.models import DownloadResponse

from models.sensors import sensor_set
from tasks.acquire import budget, service
from tasks.acquire.client import Client
from tasks.acquire.products import PASS
from tasks.acquire.sharing import MAX_SIDE
from tasks.errors import RasterError, ServiceError
from tasks.rasters import Grid, decode
from tasks.records import Acquisition

PROCESSING = {
    "sentinel-2": {"harmonizeValues": True},  # takes the offset away that baseline 04.00 brought
    "sentinel-1": {"backCoeff": "GAMMA0_TERRAIN", "orthorectify": True, "demInstance": "COPERNICUS_30"},
}


def mission(collection: str) -> str:
    """Return `sentinel-1` or `sentinel-2`."""
    return collection[: len("sentinel-N")]


def band_names(bands: tuple[str, ...], collection: str) -> tuple[str, ...]:
    """Return the bands of an acquisition raster: those of the sensor set, SCL where there is one, dataMask."""
    return (*bands, *(["SCL"] if collection == "sentinel-2-l2a" else []), "dataMask")


def evalscript(bands: tuple[str, ...], collection: str) -> str:
    """Return the script that the service runs for `bands` of `collection`; one output in band order."""
    body = files("tasks.acquire").joinpath("evalscripts", f"{mission(collection)}.js").read_text()
    with_scl = "true" if collection == "sentinel-2-l2a" else "false"
    return f"//VERSION=3\nconst BANDS = {list(bands)!r};\nconst WITH_SCL = {with_scl};\n{body}"


def parts(grid: Grid, side: int = MAX_SIDE) -> Iterator[Grid]:
    """Yield the parts of `grid` that have at most `side` pixels a side."""
    for row in range(0, grid.height, side):
        for column in range(0, grid.width, side):
            yield grid.window(column=column, row=row, width=side, height=side)


def price(acquisition: Acquisition, grid: Grid) -> tuple[float, int]:
    """Return the processing units and the number of the requests that an acquisition takes."""
    bands, radar = paid_bands(acquisition), mission(acquisition.collection) == "sentinel-1"
    units = [budget.pixels_units(part.width * part.height, bands, radar=radar) for part in parts(grid)]
    return sum(units), len(units)


def paid_bands(acquisition: Acquisition) -> int:
    """Return how many bands of an acquisition are charged; dataMask is free."""
    return len(band_names(sensor_set(acquisition.sensor_set).bands, acquisition.collection)) - 1


def fetch(
    config: SHConfig, acquisition: Acquisition, bands: tuple[str, ...], grid: Grid, size: tuple[int, int]
) -> DownloadResponse:
    """Return the answer to one Process request: `bands` of the acquisition's UTC day, `grid` in `size` pixels."""
    source: dict[str, Any] = SentinelHubRequest.input_data(
        data_collection=service.collection(acquisition.collection, acquisition.orbit_direction, config),
        time_interval=interval(acquisition),
        other_args={"processing": PROCESSING[mission(acquisition.collection)]},
    )
    request = SentinelHubRequest(
        evalscript=evalscript(bands, acquisition.collection),
        input_data=[source],
        responses=[SentinelHubRequest.output_response("default", MimeType.TIFF)],
        bbox=BBox(grid.bounds, CRS(str(grid.epsg))),
        size=size,
        config=config,
    )
    request.download_client_class = Client
    (response,) = request.get_data(decode_data=False, max_threads=1)
    return response


def interval(acquisition: Acquisition) -> tuple[datetime, datetime]:
    """Return the day of an acquisition (UTC), and what follows of a pass that began just before midnight."""
    start, end = (datetime.combine(acquisition.sensing_date, at, UTC) for at in (time.min, time(23, 59, 59)))
    across = acquisition.sensing_time > end - PASS
    return start.replace(tzinfo=None), (end + PASS if across else end).replace(tzinfo=None)


NONSENSE = 1000
"""Times the estimate above which a price is none: believed, it would spend the month at once."""


def charged(headers: dict[str, Any], estimate: float) -> float:
    """Return what a request cost; where the service does not say it, or says nonsense, what it should: a budget that
    counts such answers as nothing would never be spent."""
    spent = {name.lower(): value for name, value in headers.items()}.get("x-processingunits-spent")
    try:
        units = float(spent)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return estimate
    return units if math.isfinite(units) and 0 <= units <= NONSENSE * max(estimate, 1) else estimate


def unpack(content: bytes, *, bands: int, size: tuple[int, int], dtype: str) -> np.ndarray:
    """Return the (bands, H, W) array in the service's TIFF of `size` (W, H).

    Where a band is no number (radar can be NaN or infinite), nothing was observed: all bands are 0 there, dataMask too.
    Raises ServiceError when it is not what was asked for.
    """
    try:
        array = decode(content, shape=(bands, size[1], size[0])).array
    except RasterioError as error:
        raise ServiceError(f"the service sent a truncated raster or none at all ({len(content)} bytes)") from error
    except RasterError as error:
        raise ServiceError(f"the service sent {error}") from error
    if array.dtype != dtype:
        raise ServiceError(f"the service sent {array.dtype} values, not {dtype}")
    array[:, ~np.isfinite(array).all(axis=0)] = 0
    return array
