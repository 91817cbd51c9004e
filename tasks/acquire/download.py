"""Downloads the AOI of one acquisition through the Process API into an acquisition raster.

Stands between discover and validate: `discovered` becomes `downloaded`, or `failed` with the reason.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial

import numpy as np

import sql
from models.sensors import sensor_set
from tasks.acquire import budget, service
from tasks.acquire.request import band_names, charged, fetch, mission, paid_bands, parts, price, unpack
from tasks.acquire.sharing import MAX_SIDE, Due, joined
from tasks.errors import RasterError, RasterLost, ServiceDown, ServiceError, UnitsSpent
from tasks.mines import PRIORITIES, Mine
from tasks.rasters import Grid, read, write_cog
from tasks.settings import settings

EMPTY = "the service sent no data of a day for which its catalog has products"


def address_of(root: str, slug: str, row: sql.Row) -> str:
    """Return the address of the acquisition raster of `row` below `root`.

    The acquisition's id is in it: another collection or a newer product of the same day never overwrites it.
    """
    orbit = f"-{row['orbit_direction']}" if row["orbit_direction"] else ""
    return f"{root}/{slug}/{row['sensor_set']}/{row['sensing_date']}{orbit}-{row['acquisition_id']}.tif"


def tags_of(row: sql.Row) -> dict[str, str]:
    """Return what the raster says of its origin; simulated products are never called Copernicus data."""
    simulated = any(name.startswith("SIM_") for name in row["product_ids"])
    attribution = f"contains modified Copernicus Sentinel data {row['sensing_date'].year}"
    tags = {
        "product_ids": ",".join(row["product_ids"]),
        "baseline": row["baseline"] or "",
        "collection": row["collection"],
        "sensing_time": row["sensing_time"].astimezone(UTC).isoformat(),
        "attribution": "simulated by MineCam" if simulated else attribution,
    }
    if mission(row["collection"]) == "sentinel-2":
        tags["harmonised"] = "true"
    return tags


def refuse_empty(data_mask: np.ndarray, row: sql.Row) -> None:
    """Raise ServiceError when nothing was seen, unless that is what a try before brought too.

    The service answers with zeros where it has no scene, as while its products are on their way; two answers of that
    kind are believed: the swath has passed beside the mine.
    """
    if not data_mask.any() and row["reasons"] != [EMPTY]:
        raise ServiceError(EMPTY)


def download(connection: sql.Connection, acquisition: sql.Row, mine: Mine, beside: Sequence[Due] = ()) -> list[Due]:
    """Fetch `acquisition` of `mine` and record it as `downloaded`, or as `failed` with the reason.

    Those acquisitions `beside` it, of the same pass over mines near by, that cost less in the same request come with
    it; returns the others. Where that request fails, or the month's budget lacks what it costs, this one is asked for
    by itself. Does nothing when the acquisition is past that, or failed after it with its raster whole. What was paid
    is recorded in any case. Where the month's budget lacks what it costs, nothing is asked for, and it waits, with that
    as its reason. Raises ServiceDown where the service serves nobody, once the acquisition is recorded as failed.
    """
    if acquisition["state"] not in ("discovered", "failed") or is_here(connection, acquisition):
        return list(beside)
    grid, joining = _joined(acquisition, mine, beside)
    served: list[Due] = [(acquisition, mine), *(beside[number] for number in joining)]
    lowest = max((one.priority for _, one in served), key=PRIORITIES.index)  # what is kept for others is not for these
    if lacking := budget.this_month(connection).lacks(*price(acquisition, grid), priority=lowest):
        if joining:
            return [*download(connection, acquisition, mine), *beside]
        sql.run(connection, "acquisition_wait", acquisition_id=acquisition["acquisition_id"], reason=lacking)
        return list(beside)
    pixels = np.array([one.grid.width * one.grid.height for _, one in served])

    def charge(units: float) -> None:
        parts_of = units * pixels / pixels.sum()
        for number, ((row, one), part) in enumerate(zip(served, parts_of, strict=True)):
            budget.charge(
                connection, one, "process", float(part), acquisition_id=row["acquisition_id"], requests=int(not number)
            )

    try:
        whole = _fetch(acquisition, grid, charge, pace=lambda units: budget.pace(connection, units))
    except ServiceError as error:
        if joining and not isinstance(error, ServiceDown):  # the fault may lie in any of them: no try of this one
            return [*download(connection, acquisition, mine), *beside]
        failed(connection, acquisition, error)
        if isinstance(error, ServiceDown):
            raise
        return list(beside)
    for row, one in served:
        try:
            rows, columns = grid.slices(one.grid)
            address, checksum = _write(row, one, whole[:, rows, columns])
        except (ServiceError, RasterError) as error:
            failed(connection, row, error)
            continue
        sql.run(
            connection,
            "acquisition_downloaded",
            acquisition_id=row["acquisition_id"],
            raster=address,
            checksum=checksum,
        )
    return [one for number, one in enumerate(beside) if number not in joining]


def is_here(connection: sql.Connection, row: sql.Row) -> bool:
    """Record an acquisition as downloaded whose later steps failed while its raster is whole: it is not paid again."""
    if row["state"] != "failed" or row["raster"] is None:
        return False
    try:
        read(row["raster"], row["checksum"])
    except RasterLost:
        return False
    except RasterError as error:
        failed(connection, row, error)
        return True
    sql.run(
        connection, "acquisition_downloaded", acquisition_id=row["acquisition_id"], raster=row["raster"],
        checksum=row["checksum"],
    )  # fmt: skip
    return True


def _joined(row: sql.Row, mine: Mine, beside: Sequence[Due]) -> tuple[Grid, list[int]]:
    if not beside or max(mine.grid.width, mine.grid.height) > MAX_SIDE:
        return mine.grid, []
    return joined(
        mine.grid,
        [one.grid for _, one in beside],
        bands=paid_bands(row),
        radar=mission(row["collection"]) == "sentinel-1",
    )


def failed(connection: sql.Connection, row: sql.Row, error: Exception) -> None:
    """Record that a step of acquisition `row` failed; that it waits, where the account has no units left.

    A month may be long: what is tried every day until its end would be given up.
    """
    became = "acquisition_wait" if isinstance(error, UnitsSpent) else "acquisition_failed"
    sql.run(connection, became, acquisition_id=row["acquisition_id"], reason=str(error))


def _fetch(row: sql.Row, grid: Grid, charge: Callable[[float], None], pace: Callable[[float], None]) -> np.ndarray:
    """Return the (bands, H, W) array of the pass of `row` on `grid`, fetched in parts where that is large."""
    config = service.configuration(settings())
    bands = sensor_set(row["sensor_set"]).bands
    names = band_names(bands, row["collection"])
    dtype = "uint16" if mission(row["collection"]) == "sentinel-2" else "float32"
    whole = np.zeros((len(names), grid.height, grid.width), dtype)
    for part in parts(grid):
        size = (part.width, part.height)
        pace(price(row, part)[0])
        response = service.ask(config, partial(fetch, config, row, bands, part, size))
        charge(charged(response.headers, price(row, part)[0]))
        rows, columns = grid.slices(part)
        whole[:, rows, columns] = unpack(response.content, bands=len(names), size=size, dtype=dtype)
    return whole


def _write(row: sql.Row, mine: Mine, array: np.ndarray) -> tuple[str, str]:
    """Write the acquisition raster of `row` and return its address and checksum."""
    refuse_empty(array[-1], row)
    bands = sensor_set(row["sensor_set"]).bands
    names = band_names(bands, row["collection"])
    optical = mission(row["collection"]) == "sentinel-2"
    address = address_of(settings().raster_root, mine.slug, row)
    scales = [0.0001] * len(bands) + [1.0] * (len(names) - len(bands)) if optical else None
    return address, write_cog(
        address, array, mine.grid, descriptions=names, nodata=None, scales=scales, tags=tags_of(row)
    )
