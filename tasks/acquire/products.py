"""What the catalog says of products, read with suspicion: its features become days of a mine, or an error in words.

Pure; `discover` writes them down.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from tasks.errors import ServiceError
from tasks.rasters import kept
from tasks.text import one_line

log = logging.getLogger(__name__)

BASELINE = re.compile(r"_N(\d\d)(\d\d)_", re.ASCII)
PRODUCT_ID = re.compile(r"[!-~]{1,300}")
"""Printable and without blanks: it goes into tables, tags of rasters, messages."""
PROCESSED = re.compile(r"_(\d{8}T\d{6})(?:\.SAFE)?$", re.ASCII)
"""The end of a Sentinel-2 product id: when it was processed."""
ORBITS = ("", "ascending", "descending")
PASS = timedelta(minutes=10)
"""Products of one pass over a mine lie less apart than this; two passes at least 90 minutes."""


@dataclass(frozen=True)
class Product:
    """One product of the catalog; times in UTC, `cloud` in per cent of the tile."""

    id: str
    when: datetime
    created: datetime | None
    orbit: str
    cloud: float | None


@dataclass(frozen=True)
class Sensing:
    """All products of one mine of one day (and one orbit direction, for Sentinel-1); times in UTC.

    A pass that goes on beyond midnight is of the day on which it began.
    """

    orbit_direction: str
    sensing_date: date
    sensing_time: datetime
    published_at: datetime | None
    product_ids: list[str]
    baseline: str | None
    cloud_cover: float | None


def group(features: Iterable[Any], *, by_orbit: bool) -> list[Sensing]:
    """Return the catalog's `features` as one `Sensing` per UTC day (and orbit direction), in order of time.

    What a pass shows on both sides of midnight is one, of the day before. The baseline is that of the newest
    processing; cloud cover is the mean over the tiles, as a share. A feature without
    id or time (or with an orbit that is none, where these are kept apart) is left out, which is logged: one that stays
    so must not hide all others. Raises ServiceError when there are no others.
    """
    known: list[Product] = []
    wrong: list[str] = []
    for feature in features:
        try:
            known.append(_product(feature, by_orbit=by_orbit))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            wrong.append(one_line(repr(error)))
    if wrong and not known:
        raise ServiceError(f"the catalog sent nothing but products without id or time ({wrong[0]})")
    if wrong:
        log.warning("the catalog sent %d products without id or time, which are left out (%s)", len(wrong), wrong[0])
    found = [_sensing(day, orbit, products) for (day, orbit), products in _by_day(known).items()]
    return sorted(found, key=lambda one: one.sensing_time)


def _by_day(products: Iterable[Product]) -> dict[tuple[date, str], list[Product]]:
    days: dict[tuple[date, str], list[Product]] = defaultdict(list)
    last: dict[str, tuple[date, datetime]] = {}
    for product in sorted(products, key=lambda one: one.when):
        day = product.when.date()
        before, when = last.get(product.orbit, (day, product.when))
        if product.when - when < PASS:
            day = before
        last[product.orbit] = day, product.when
        days[day, product.orbit].append(product)
    return days


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


def _sensing(day: date, orbit: str, products: list[Product]) -> Sensing:
    created = [product.created for product in products if product.created is not None]
    clouds = [product.cloud for product in products if product.cloud is not None]
    ids = sorted({product.id for product in products})
    return Sensing(
        orbit_direction=orbit,
        sensing_date=day,
        sensing_time=min(product.when for product in products),
        published_at=max(created, default=None),
        product_ids=ids,
        baseline=_baseline(products),
        cloud_cover=sum(clouds) / len(clouds) / 100 if clouds else None,
    )


def _baseline(products: Sequence[Product]) -> str | None:
    """Return the baseline of what was processed last: by the ids, else by the publication, else the highest one.

    A high baseline is no late one: 99.99 is what people write who process by themselves.
    """
    said = [
        (match[1] if (match := PROCESSED.search(one.id)) else "", one.created, baseline(one.id)) for one in products
    ]
    if all(processed for processed, _, _ in said):
        said.sort(key=lambda one: one[0])
    elif all(created for _, created, _ in said):
        said.sort(key=lambda one: one[1] or datetime.max)
    else:
        said.sort(key=lambda one: one[2] or "")
    return next((known for _, _, known in reversed(said) if known), None)


def baseline(product_id: str) -> str | None:
    """Return the processing baseline in a Sentinel-2 product id (`_N0509_` is `05.09`), or None."""
    match = BASELINE.search(product_id)
    return f"{match[1]}.{match[2]}" if match else None


def _time(text: Any) -> datetime:
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def shows(product: dict[str, Any], aoi: BaseGeometry) -> bool:
    """Say whether a product of the catalog touches `aoi` (EPSG:4326); one that does not say where it lies may.

    Raises ServiceError when its outline is none.
    """
    outline = product.get("geometry") if isinstance(product, dict) else None
    if outline is None:
        return True
    try:
        return bool(kept(shape(outline)).intersects(aoi))
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ServiceError(f"the catalog sent a product whose outline is none ({one_line(repr(error))})") from error
