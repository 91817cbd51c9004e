"""Downloads the AOI of one acquisition through the Process API into an acquisition raster.

Stands between discover and validate: `discovered` becomes `downloaded`, or `failed` with the reason.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from sentinelhub import CRS, BBox, MimeType, SentinelHubRequest, SHConfig
from sentinelhub.download.models import DownloadResponse

import sql
from models.sensors import sensor_set
from tasks import budget, service
from tasks.client import Client
from tasks.errors import RasterError, ServiceDown, ServiceError
from tasks.grid import Grid
from tasks.rasters import decode, write_cog
from tasks.registry import Mine
from tasks.settings import settings

MAX_SIDE = 2500
"""Pixels a side that the Process API gives in one request; larger mines are fetched in parts."""

PROCESSING = {
    "sentinel-2": {"harmonizeValues": True},  # takes the offset away that baseline 04.00 brought
    "sentinel-1": {"backCoeff": "GAMMA0_TERRAIN", "orthorectify": True, "demInstance": "COPERNICUS_30"},
}

EMPTY = "the service sent no data of a day for which its catalog has products"


def mission(collection: str) -> str:
    """Return `sentinel-1` or `sentinel-2`."""
    return collection[: len("sentinel-N")]


def band_names(bands: tuple[str, ...], collection: str) -> tuple[str, ...]:
    """Return the bands of an acquisition raster: those of the sensor set, SCL where there is one, dataMask."""
    return (*bands, *(["SCL"] if collection == "sentinel-2-l2a" else []), "dataMask")


def evalscript(bands: tuple[str, ...], collection: str) -> str:
    """Return the script that the service runs for `bands` of `collection`; one output in band order."""
    body = files("tasks").joinpath("evalscripts", f"{mission(collection)}.js").read_text()
    with_scl = "true" if collection == "sentinel-2-l2a" else "false"
    return f"//VERSION=3\nconst BANDS = {list(bands)!r};\nconst WITH_SCL = {with_scl};\n{body}"


def parts(grid: Grid, side: int = MAX_SIDE) -> Iterator[tuple[int, int, Grid]]:
    """Yield (row, column, grid) of the parts of `grid` that have at most `side` pixels a side."""
    for row in range(0, grid.height, side):
        for column in range(0, grid.width, side):
            yield row, column, grid.window(column=column, row=row, width=side, height=side)


def address_of(root: str, slug: str, row: sql.Row) -> str:
    """Return the address of the acquisition raster of `row` below `root`.

    The acquisition's id is in it: another collection or a newer product of the same day never overwrites it.
    """
    orbit = f"-{row['orbit_direction']}" if row["orbit_direction"] else ""
    return f"{root}/{slug}/{row['sensor_set']}/{row['sensing_date']}{orbit}-{row['acquisition_id']}.tif"


def tags_of(row: sql.Row, processing_units: float) -> dict[str, str]:
    """Return what the raster says of its origin; simulated products are never called Copernicus data."""
    simulated = any(name.startswith("SIM_") for name in row["product_ids"])
    attribution = f"contains modified Copernicus Sentinel data {row['sensing_date'].year}"
    tags = {
        "product_ids": ",".join(row["product_ids"]),
        "baseline": row["baseline"] or "",
        "processing_units": f"{processing_units:g}",
        "collection": row["collection"],
        "sensing_time": row["sensing_time"].astimezone(UTC).isoformat(),
        "attribution": "simulated by MineCam" if simulated else attribution,
    }
    if mission(row["collection"]) == "sentinel-2":
        tags["harmonised"] = "true"
    return tags


def unpack(content: bytes, *, bands: int, size: tuple[int, int], dtype: str) -> np.ndarray:
    """Return the (bands, H, W) array in the service's TIFF of `size` (W, H).

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
    return array


def refuse_empty(data_mask: np.ndarray, row: sql.Row) -> None:
    """Raise ServiceError when nothing was seen, unless that is what a try before brought too.

    The service answers with zeros where it has no scene, as while its products are on their way; two answers of that
    kind are believed: the swath has passed beside the mine.
    """
    if not data_mask.any() and row["reasons"] != [EMPTY]:
        raise ServiceError(EMPTY)


def price(row: sql.Row, grid: Grid) -> tuple[float, int]:
    """Return the processing units and the number of the requests that acquisition `row` takes."""
    bands = [name for name in band_names(sensor_set(row["sensor_set"]).bands, row["collection"]) if name != "dataMask"]
    radar = mission(row["collection"]) == "sentinel-1"
    units = [budget.pixels_units(part.width * part.height, len(bands), radar=radar) for _, _, part in parts(grid)]
    return sum(units), len(units)


def download(connection: sql.Connection, acquisition: sql.Row, mine: Mine) -> None:
    """Fetch `acquisition` of `mine` and record it as `downloaded`, or as `failed` with the reason.

    Does nothing when the acquisition is past that. Processing units are recorded in both cases. Where the month's
    budget lacks what it costs, nothing is asked for, and it waits, with that as its reason. Raises ServiceDown where
    the service serves nobody, once the acquisition is recorded as failed.
    """
    if acquisition["state"] not in ("discovered", "failed"):
        return
    identity = acquisition["acquisition_id"]
    if lacking := budget.this_month(connection).lacks(*price(acquisition, mine.grid), priority=mine.priority):
        sql.run(connection, "acquisition_wait", acquisition_id=identity, reason=lacking)
        return
    spent: list[float] = []

    def charge(units: float) -> None:
        spent.append(units)
        budget.charge(connection, mine, "process", units, acquisition_id=identity)

    try:
        address, checksum = _fetch_and_write(
            acquisition, mine, spent, charge, pace=lambda units: budget.pace(connection, units)
        )
    except (ServiceError, RasterError) as error:
        failed(connection, acquisition, error, sum(spent))
        if isinstance(error, ServiceDown):
            raise
        return
    sql.run(
        connection,
        "acquisition_downloaded",
        acquisition_id=identity,
        raster=address,
        checksum=checksum,
        processing_units=float(sum(spent)),
    )


def failed(connection: sql.Connection, row: sql.Row, error: Exception, spent: float) -> None:
    """Record that a step of acquisition `row` failed, and what it cost all the same."""
    sql.run(
        connection, "acquisition_failed", acquisition_id=row["acquisition_id"], reason=str(error),
        processing_units=float(spent),
    )  # fmt: skip


def _fetch_and_write(
    row: sql.Row, mine: Mine, spent: list[float], charge: Callable[[float], None], pace: Callable[[float], None]
) -> tuple[str, str]:
    given = settings()
    config = service.configuration(given)
    bands = sensor_set(row["sensor_set"]).bands
    names = band_names(bands, row["collection"])
    optical = mission(row["collection"]) == "sentinel-2"
    dtype = "uint16" if optical else "float32"
    whole = np.zeros((len(names), mine.grid.height, mine.grid.width), dtype)
    for top, left, part in parts(mine.grid):
        size = (part.width, part.height)
        pace(price(row, part)[0])
        response = service.ask(config, partial(fetch, config, row, bands, part, size))
        charge(charged(response.headers))
        whole[:, top : top + part.height, left : left + part.width] = unpack(
            response.content, bands=len(names), size=size, dtype=dtype
        )
    refuse_empty(whole[-1], row)
    address = address_of(given.raster_root, mine.slug, row)
    scales = [0.0001] * len(bands) + [1.0] * (len(names) - len(bands)) if optical else None
    tags = tags_of(row, sum(spent))
    return address, write_cog(address, whole, mine.grid, descriptions=names, nodata=None, scales=scales, tags=tags)


def fetch(
    config: SHConfig, row: sql.Row, bands: tuple[str, ...], grid: Grid, size: tuple[int, int]
) -> DownloadResponse:
    """Return the answer to one Process request of `bands` over the whole UTC day of `row`, `grid` in `size` pixels."""
    source: dict[str, Any] = SentinelHubRequest.input_data(
        data_collection=service.collection(row["collection"], row["orbit_direction"], config),
        time_interval=_day(row["sensing_date"]),
        other_args={"processing": PROCESSING[mission(row["collection"])]},
    )
    request = SentinelHubRequest(
        evalscript=evalscript(bands, row["collection"]),
        input_data=[source],
        responses=[SentinelHubRequest.output_response("default", MimeType.TIFF)],
        bbox=BBox(grid.bounds, CRS(str(grid.epsg))),
        size=size,
        config=config,
    )
    request.download_client_class = Client
    (response,) = request.get_data(decode_data=False, max_threads=1)
    return response


def _day(day: date) -> tuple[datetime, datetime]:
    return datetime.combine(day, time.min), datetime.combine(day, time(23, 59, 59))


def charged(headers: dict[str, Any]) -> float:
    """Return what a request cost; a service that does not say it, or says nonsense, counts as nothing."""
    spent = {name.lower(): value for name, value in headers.items()}.get("x-processingunits-spent", 0)
    try:
        return max(float(spent), 0.0) if math.isfinite(float(spent)) else 0.0
    except (TypeError, ValueError):
        return 0.0
