"""Looks in the catalog for new sensings of a mine; each becomes an acquisition in state `discovered`.

Stands between the registry and the download. Searching costs by area and time, so windows start at a watermark.
A sensing that comes with new products (processed again, or one more tile) becomes an acquisition anew, which
supersedes the one before; what was known of that day stands until the new one is an epoch.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sentinelhub import CRS, Geometry, SentinelHubCatalog

import sql
from models.sensors import SensorSet
from tasks import budget, service
from tasks.client import Client
from tasks.errors import ServiceError, WrongUse
from tasks.registry import Mine
from tasks.settings import Settings, settings
from tasks.words import one_line

log = logging.getLogger(__name__)

FIELDS = {"include": ["id", "properties"], "exclude": ["assets", "links", "geometry", "bbox"]}
BASELINE = re.compile(r"_N(\d\d)(\d\d)_", re.ASCII)
PRODUCT_ID = re.compile(r"[!-~]{1,300}")
"""Printable and without blanks: it goes into tables, tags of rasters, messages."""
ORBITS = ("", "ascending", "descending")


@dataclass(frozen=True)
class Product:
    """One product of the catalog; times in UTC, `cloud` in per cent of the tile."""

    id: str
    when: datetime
    created: datetime | None
    orbit: str
    cloud: float | None


@dataclass(frozen=True)
class Found:
    """All products of one mine of one day (and one orbit direction, for Sentinel-1); times in UTC."""

    orbit_direction: str
    sensing_date: date
    sensing_time: datetime
    published_at: datetime | None
    product_ids: list[str]
    baseline: str | None
    cloud_cover: float | None


def window(
    *, start: date | None, end: date | None, latest: date | None, today: date, lookback_days: int, overlap_days: int
) -> tuple[date, date]:
    """Return the days to search, both included.

    Without `start`: from `overlap_days` before the latest known sensing, else `lookback_days` back.
    Raises WrongUse when the range ends before it starts.
    """
    last = end or today
    if start is None:
        back = last - timedelta(days=lookback_days)
        start = latest - timedelta(days=overlap_days) if latest is not None and end is None else back
        start = min(start, last)
    if last < start:
        raise WrongUse(f"the range ends ({last}) before it starts ({start})")
    return start, last


def group(features: Iterable[Any], *, by_orbit: bool) -> list[Found]:
    """Return the catalog's `features` as one `Found` per UTC day (and orbit direction), in order of time.

    The baseline is that of the newest processing; cloud cover is the mean over the tiles, as a share.
    Raises ServiceError when a feature has no id or no time (or orbit, where these are kept apart).
    """
    days: dict[tuple[date, str], list[Product]] = defaultdict(list)
    for feature in features:
        try:
            product = _product(feature, by_orbit=by_orbit)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ServiceError(f"the catalog sent a product without id or time ({one_line(repr(error))})") from error
        days[product.when.date(), product.orbit].append(product)
    found = [_found(day, orbit, products) for (day, orbit), products in days.items()]
    return sorted(found, key=lambda one: one.sensing_time)


def _product(feature: Any, *, by_orbit: bool) -> Product:
    """Return the product that a feature of the catalog is; raises what Python raises where it is none.

    Cloud cover and publication are but hints: what is no value of them counts as not known.
    """
    identity, properties = feature["id"], feature["properties"]
    if not (isinstance(identity, str) and PRODUCT_ID.fullmatch(identity)):
        raise ValueError(f"{identity!r} is no product id")
    orbit = str(properties.get("sat:orbit_state", "")).lower() if by_orbit else ""
    if orbit not in ORBITS:
        raise ValueError(f"{orbit!r} is no orbit direction")
    cloud, created = properties.get("eo:cloud_cover"), None
    with suppress(TypeError, ValueError, OverflowError):
        created = _time(properties.get("created"))
    known = type(cloud) in (int, float) and 0 <= cloud <= 100
    return Product(identity, _time(properties["datetime"]), created, orbit, float(cloud) if known else None)


def _found(day: date, orbit: str, products: list[Product]) -> Found:
    created = [product.created for product in products if product.created is not None]
    clouds = [product.cloud for product in products if product.cloud is not None]
    ids = sorted({product.id for product in products})
    return Found(
        orbit_direction=orbit,
        sensing_date=day,
        sensing_time=min(product.when for product in products),
        published_at=max(created, default=None),
        product_ids=ids,
        baseline=max((known for name in ids if (known := baseline(name))), default=None),
        cloud_cover=sum(clouds) / len(clouds) / 100 if clouds else None,
    )


def baseline(product_id: str) -> str | None:
    """Return the processing baseline in a Sentinel-2 product id (`_N0509_` is `05.09`), or None."""
    match = BASELINE.search(product_id)
    return f"{match[1]}.{match[2]}" if match else None


def _time(text: Any) -> datetime:
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def collection_of(sensor_set: SensorSet, given: Settings) -> str:
    """Return the collection that serves `sensor_set`; raises WrongUse for one that needs two at once."""
    if sensor_set.collections == ("sentinel-2",):
        return given.collection
    if sensor_set.collections == ("sentinel-1",):
        return service.SENTINEL_1
    raise WrongUse(f"sensor set '{sensor_set.name}' needs two collections at once, which cannot be downloaded yet")


def discover(
    connection: sql.Connection, mine: Mine, sensor_set: SensorSet, *, start: date | None = None, end: date | None = None
) -> int:
    """Record what the catalog has of `mine` between two days (default: since the watermark).

    Returns the number of new acquisitions, those with newer products of a known sensing among them.
    Where the month's budget lacks what a search costs, nothing is searched for, and that is logged. Raises WrongUse for
    an impossible range, ServiceError when the catalog cannot be searched; then nothing was written.
    """
    given = settings()
    collection = collection_of(sensor_set, given)
    keys: dict[str, Any] = {"mine_id": mine.mine_id, "sensor_set": sensor_set.name, "collection": collection}
    row = sql.run_one(connection, "acquisition_watermark", **keys)
    first, last = window(
        start=start,
        end=end,
        latest=row["latest"] if row else None,
        today=datetime.now(UTC).date(),
        lookback_days=given.lookback_days,
        overlap_days=given.overlap_days,
    )
    price = budget.search_units(mine.grid, first, last)
    if lacking := budget.this_month(connection).lacks(price, priority=mine.priority):
        log.warning("%s is not searched for, %s", mine.slug, lacking)
        return 0
    budget.pace(connection, price)
    products, requests = _search(mine, collection, first, last, given)
    for _ in range(requests):
        budget.charge(connection, mine, "search", price)
    every = group(products, by_orbit=collection == service.SENTINEL_1)
    found = [one for one in every if one.sensing_date <= last]
    if beyond := len(every) - len(found):  # a day to come would move the watermark there: nothing is found until then
        log.warning("%s: the catalog sent %d days after %s, which are left out", mine.slug, beyond, last)
    with connection.transaction():
        return sum(len(sql.run(connection, "acquisition_discover", **keys, **vars(one))) for one in found)


def _search(mine: Mine, collection: str, first: date, last: date, given: Settings) -> tuple[list[dict[str, Any]], int]:
    """Return the products that the catalog has, and how many requests that took."""
    config = service.configuration(given)
    catalog = SentinelHubCatalog(config=config)
    catalog.client = client = Client(config=config)
    cloudy = given.max_tile_cloud < 1 and collection != service.SENTINEL_1
    search: dict[str, Any] = {
        "collection": service.collection(collection, "", config),
        "geometry": Geometry(mine.aoi, CRS.WGS84),
        "time": (datetime.combine(first, time.min), datetime.combine(last, time(23, 59, 59))),
        "filter": f"eo:cloud_cover <= {100 * given.max_tile_cloud:g}" if cloudy else None,
        "fields": FIELDS,
        "limit": 100,
    }
    return service.ask(config, lambda: list(catalog.search(**search))), client.requests
