"""Looks in the catalog for new sensings of a mine; each becomes an acquisition in state `discovered`.

Stands between the registry and the download. Searching costs by area and time, so windows start at a watermark.
A sensing that comes with new products (processed again, or one more tile) becomes an acquisition anew, which
supersedes the one before; what was known of that day stands until the new one is an epoch.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sentinelhub import CRS, Geometry, SentinelHubCatalog

import sql
from models.sensors import SensorSet
from tasks.acquire import budget, service
from tasks.acquire.client import Client
from tasks.acquire.places import place
from tasks.acquire.products import PASS, group, shows
from tasks.acquire.sharing import ground
from tasks.errors import WrongUse
from tasks.mines import Mine
from tasks.settings import Settings, settings

log = logging.getLogger(__name__)

FIELDS = {"include": ["id", "properties"], "exclude": ["assets", "links", "geometry", "bbox"]}
WITH_OUTLINE = {"include": ["id", "properties", "geometry"], "exclude": ["assets", "links", "bbox"]}


def window(
    *,
    start: date | None,
    end: date | None,
    latest: date | None,
    searched: date | None,
    today: date,
    lookback_days: int,
    overlap_days: int,
) -> tuple[date, date]:
    """Return the days to search, both included.

    Without `start`: from `overlap_days` before the latest known sensing, else `lookback_days` back; of a mine of which
    nothing is known yet, from the day on which it was `searched` for last, or registered: no outage hides a day.
    Raises WrongUse when the range ends before it starts.
    """
    last = end or today
    if start is None:
        back = (min(last, searched) if searched is not None and end is None else last) - timedelta(days=lookback_days)
        start = latest - timedelta(days=overlap_days) if latest is not None and end is None else back
        start = min(start, last)
    if last < start:
        raise WrongUse(f"the range ends ({last}) before it starts ({start})")
    return start, last


def collection_of(sensor_set: SensorSet, given: Settings) -> str:
    """Return the collection that serves `sensor_set`; raises WrongUse for one that needs two at once."""
    if sensor_set.collections == ("sentinel-2",):
        return given.collection
    if sensor_set.collections == ("sentinel-1",):
        return service.SENTINEL_1
    raise WrongUse(f"sensor set '{sensor_set.name}' needs two collections at once, which cannot be downloaded yet")


def discover(
    connection: sql.Connection,
    mine: Mine,
    sensor_set: SensorSet,
    *,
    start: date | None = None,
    end: date | None = None,
    beside: Sequence[Mine] = (),
) -> int:
    """Record what the catalog has of `mine` between two days (default: since the watermark).

    The mines `beside` it share its search. Returns the number of new acquisitions of all, those with newer products of
    a known sensing among them. Where the month's budget lacks what a search costs, nothing is searched for, and that is
    logged. Raises WrongUse for an impossible range, ServiceError when the catalog cannot be searched; then nothing was
    written.
    """
    given = settings()
    collection = collection_of(sensor_set, given)
    mines = [mine, *beside]
    keys = [{"mine_id": one.mine_id, "sensor_set": sensor_set.name, "collection": collection} for one in mines]
    windows = [_window(connection, of, given, start=start, end=end) for of in keys]
    first, last = min(windows)[0], windows[0][1]
    price = budget.search_units(ground(mines), first, last)

    def pay() -> budget.Charge | str:
        shares = [(one, None, price / len(mines)) for one in mines]
        return budget.reserve(connection, "search", shares, priority=mine.priority)

    charge = pay()
    if isinstance(charge, str):
        log.warning("%s is not searched for, %s", mine.slug, charge)
        return 0
    with place(connection), charge.unless_served(connection):
        products, requests = _search(mines, collection, first, last, given)
    for _ in range(requests - 1):  # pages after the first are asked for by the client, and charged when they are there
        pay()
    new = 0
    with connection.transaction():
        for one, of, (begin, _) in zip(mines, keys, windows, strict=True):
            theirs = products if not beside else [product for product in products if shows(product, one.aoi)]
            every = group(theirs, by_orbit=collection == service.SENTINEL_1)
            found = [day for day in every if begin <= day.sensing_date <= last]
            if beyond := sum(day.sensing_time > _end(last) + PASS for day in every):
                # a day to come would move the watermark there: nothing is found until then
                log.warning("%s: the catalog sent %d days after %s, which are left out", one.slug, beyond, last)
            new += sum(len(sql.run(connection, "acquisition_discover", **of, **vars(day))) for day in found)
    return new


def _window(
    connection: sql.Connection, keys: dict[str, Any], given: Settings, *, start: date | None, end: date | None
) -> tuple[date, date]:
    row = sql.run_one(connection, "acquisition_watermark", **keys)
    return window(
        start=start,
        end=end,
        latest=row["latest"] if row else None,
        searched=row["searched"] if row else None,
        today=datetime.now(UTC).date(),
        lookback_days=given.lookback_days,
        overlap_days=given.overlap_days,
    )


def _end(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def _search(
    mines: Sequence[Mine], collection: str, first: date, last: date, given: Settings
) -> tuple[list[dict[str, Any]], int]:
    """Return the products that the catalog has, and how many requests that took."""
    config = service.configuration(given)
    catalog = SentinelHubCatalog(config=config)
    catalog.client = client = Client(config=config)
    cloudy = given.max_tile_cloud < 1 and collection != service.SENTINEL_1
    search: dict[str, Any] = {
        "collection": service.collection(collection, "", config),
        "geometry": Geometry(ground(mines), CRS.WGS84),
        # A little more on both sides: passes across midnight come whole, and are told to be of the day before.
        "time": (datetime.combine(first, time.min) - PASS, _end(last).replace(tzinfo=None) + PASS),
        "filter": f"eo:cloud_cover <= {100 * given.max_tile_cloud:g}" if cloudy else None,
        "fields": FIELDS if len(mines) == 1 else WITH_OUTLINE,
        "limit": 100,
    }
    return service.ask(config, lambda: list(catalog.search(**search))), client.requests
