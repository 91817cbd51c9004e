"""Downloads the AOI of one acquisition through the Process API into an acquisition raster.

Stands between discover and validate: `discovered` becomes `downloaded`, or `failed` with the reason.
"""

from collections.abc import Sequence
from datetime import UTC
from functools import partial

import numpy as np

import sql
from models.sensors import sensor_set
from tasks.acquire import budget, service
from tasks.acquire.places import place
from tasks.acquire.request import band_names, charged, fetch, mission, paid_bands, parts, price, unpack
from tasks.acquire.sharing import MAX_SIDE, Due, joined
from tasks.errors import BudgetLacks, RasterError, RasterLost, ServiceDown, ServiceError, UnitsSpent
from tasks.mines import PRIORITIES, Mine
from tasks.rasters import Grid, read_raster, write_cog
from tasks.records import Acquisition, advance
from tasks.settings import settings

EMPTY = "the service sent no data of a day for which its catalog has products"
EMPTY_BAND = "the service sent no values of"
LEAST_PRESENT = 0.05
"""Least share of pixels with a value: a band with less was not sent."""


def address_of(root: str, slug: str, acquisition: Acquisition) -> str:
    """Return the address of the acquisition raster of `acquisition` below `root`.

    The acquisition's id is in it: another collection or a newer product of the same day never overwrites it.
    """
    orbit = f"-{acquisition.orbit_direction}" if acquisition.orbit_direction else ""
    return f"{root}/{slug}/{acquisition.sensor_set}/{acquisition.sensing_date}{orbit}-{acquisition.acquisition_id}.tif"


def tags_of(acquisition: Acquisition) -> dict[str, str]:
    """Return what the raster says of its origin; simulated products are never called Copernicus data."""
    simulated = any(name.startswith("SIM_") for name in acquisition.product_ids)
    attribution = f"contains modified Copernicus Sentinel data {acquisition.sensing_date.year}"
    tags = {
        "product_ids": ",".join(acquisition.product_ids),
        "baseline": acquisition.baseline or "",
        "collection": acquisition.collection,
        "sensing_time": acquisition.sensing_time.astimezone(UTC).isoformat(),
        "attribution": "simulated by MineCam" if simulated else attribution,
    }
    if mission(acquisition.collection) == "sentinel-2":
        tags["harmonised"] = "true"
    return tags


def refuse_empty(array: np.ndarray, acquisition: Acquisition, names: Sequence[str] = ()) -> None:
    """Raise ServiceError when nothing was seen, or a band has no values, unless a try before brought the same.

    `array` (B, H, W) are bands called `names`, dataMask last. The service answers with zeros where it has no scene, as
    while its products are on their way, or where it fails to read a band; two answers of that kind are believed: the
    swath has passed beside the mine, or the band is missing.
    """
    seen = array[-1] > 0
    lost = [name for name, band in zip(names, array[:-1], strict=False) if (band[seen] != 0).mean() < LEAST_PRESENT]
    reason = f"{EMPTY_BAND} {', '.join(lost)}" if seen.any() and lost else None if seen.any() else EMPTY
    if reason is not None and acquisition.reasons != [reason]:
        raise ServiceError(reason)


def download(
    connection: sql.Connection, acquisition: Acquisition, mine: Mine, beside: Sequence[Due] = ()
) -> tuple[list[Due], list[Due]]:
    """Fetch `acquisition` of `mine`: it becomes `downloaded`, or `failed` with the reason.

    Those acquisitions `beside` it, of the same pass over mines near by, that cost less in the same request come with
    it. Returns all that were dealt with as they stand now, this one first, and what is left of the others. Where that
    request fails, or the month's budget lacks what it costs, this one is asked for by itself. Does nothing when the
    acquisition is past that, or failed after it with its raster whole. What was paid is recorded in any case. Where the
    month's budget lacks what it costs, nothing is asked for, and it waits, with that as its reason. Raises ServiceDown
    where the service serves nobody, once the acquisition is recorded as failed.
    """
    if acquisition.state not in ("discovered", "failed"):
        return [(acquisition, mine)], list(beside)
    if here := kept(connection, acquisition):
        return [(here, mine)], list(beside)
    grid, joining = _joined(acquisition, mine, beside)
    asked: list[Due] = [(acquisition, mine), *(beside[number] for number in joining)]
    lowest = max((one.priority for _, one in asked), key=PRIORITIES.index)  # what is kept for others is not for these
    try:
        whole = _fetch(connection, acquisition, grid, asked, lowest)
    except ServiceError as error:
        if joining and not isinstance(error, ServiceDown):  # the fault may lie in any of them: no try of this one
            return _alone(connection, acquisition, mine, beside)
        now = failed(connection, acquisition, error)
        if isinstance(error, ServiceDown):
            raise
        return [(now, mine)], list(beside)
    served = [(_stored(connection, of, one, whole[:, *grid.slices(one.grid)]), one) for of, one in asked]
    return served, [one for number, one in enumerate(beside) if number not in joining]


def _alone(
    connection: sql.Connection, acquisition: Acquisition, mine: Mine, beside: Sequence[Due]
) -> tuple[list[Due], list[Due]]:
    return download(connection, acquisition, mine)[0], list(beside)


def _stored(connection: sql.Connection, acquisition: Acquisition, mine: Mine, array: np.ndarray) -> Acquisition:
    """Write what was fetched of an acquisition and return its next state."""
    try:
        address, checksum = _write(acquisition, mine, array)
    except (ServiceError, RasterError) as error:
        return failed(connection, acquisition, error)
    return advance(connection, acquisition, "acquisition_downloaded", raster=address, checksum=checksum)


def kept(connection: sql.Connection, acquisition: Acquisition) -> Acquisition | None:
    """Record an acquisition as downloaded whose later steps failed while its raster is whole: it is not paid again.

    None where it is to be downloaded.
    """
    if acquisition.state != "failed" or acquisition.raster is None:
        return None
    try:
        read_raster(*acquisition.image)
    except RasterLost:
        return None
    except RasterError as error:
        return failed(connection, acquisition, error)
    raster, checksum = acquisition.image
    return advance(connection, acquisition, "acquisition_downloaded", raster=raster, checksum=checksum)


def _joined(acquisition: Acquisition, mine: Mine, beside: Sequence[Due]) -> tuple[Grid, list[int]]:
    if not beside or max(mine.grid.width, mine.grid.height) > MAX_SIDE:
        return mine.grid, []
    return joined(
        mine.grid,
        [one.grid for _, one in beside],
        bands=paid_bands(acquisition),
        radar=mission(acquisition.collection) == "sentinel-1",
    )


def failed(connection: sql.Connection, acquisition: Acquisition, error: Exception) -> Acquisition:
    """Record that a step of an acquisition failed, or that it waits, where the month or the account has no units left.

    A month may be long: what is tried every day until its end would be given up.
    """
    became = "acquisition_wait" if isinstance(error, UnitsSpent | BudgetLacks) else "acquisition_failed"
    return advance(connection, acquisition, became, reason=str(error))


def _fetch(
    connection: sql.Connection, acquisition: Acquisition, grid: Grid, asked: Sequence[Due], priority: str
) -> np.ndarray:
    """Return the (bands, H, W) array of the pass of `acquisition` on `grid`, fetched in parts where that is large."""
    config = service.configuration(settings())
    bands = sensor_set(acquisition.sensor_set).bands
    names = band_names(bands, acquisition.collection)
    dtype = "uint16" if mission(acquisition.collection) == "sentinel-2" else "float32"
    whole = np.zeros((len(names), grid.height, grid.width), dtype)
    pixels = np.array([one.grid.width * one.grid.height for _, one in asked])
    every = list(parts(grid))
    prices = [price(acquisition, part)[0] for part in every]
    for number, part in enumerate(every):
        shares = [
            (one, of.acquisition_id, float(own))
            for (of, one), own in zip(asked, prices[number] * pixels / pixels.sum(), strict=True)
        ]
        charge = budget.reserve(
            connection, "process", shares, priority=priority, units=sum(prices[number:]), requests=len(every) - number
        )
        if isinstance(charge, str):
            raise BudgetLacks(charge)
        size = (part.width, part.height)
        with place(connection), charge.unless_served(connection):
            response = service.ask(config, partial(fetch, config, acquisition, bands, part, size))
        charge.settle(connection, charged(response.headers, prices[number]))
        rows, columns = grid.slices(part)
        whole[:, rows, columns] = unpack(response.content, bands=len(names), size=size, dtype=dtype)
    return whole


def _write(acquisition: Acquisition, mine: Mine, array: np.ndarray) -> tuple[str, str]:
    """Write the acquisition raster and return its address and checksum."""
    bands = sensor_set(acquisition.sensor_set).bands
    names = band_names(bands, acquisition.collection)
    refuse_empty(array, acquisition, names[:-1])
    optical = mission(acquisition.collection) == "sentinel-2"
    address = address_of(settings().raster_root, mine.slug, acquisition)
    scales = [0.0001] * len(bands) + [1.0] * (len(names) - len(bands)) if optical else None
    return address, write_cog(
        address, array, mine.grid, descriptions=names, nodata=None, scales=scales, tags=tags_of(acquisition)
    )
