"""The budget: what requests cost is charged before they are made, if the month still has it, and set right afterwards.

`discover`, `preview` and `download` charge here; the month is the calendar month in UTC, as the service counts it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from pyproj import Geod
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

import sql
from tasks.errors import ServiceError
from tasks.mines import PRIORITIES, Mine
from tasks.rasters import in_one_piece
from tasks.settings import settings

PIXELS = 512 * 512
LEAST_AREA, LEAST_UNITS = 0.01, 0.005
TERRAIN_CORRECTED, FLOAT32 = 2.5, 2.0
SEARCHED_KM2 = 1e6
"""Square kilometres that a search of one month has for one processing unit."""
_EARTH = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Month:
    """What was charged this month, what may be (None: without limit), and the share of it that has passed (0-1).

    Of both limits the share `reserve` (0-1) is kept for the mines of each priority of `priorities`, those that watched
    mines have, above the one that asks.
    """

    requests: int
    processing_units: float
    requests_limit: int | None
    units_limit: float | None
    share_passed: float
    priorities: tuple[str, ...] = ()
    reserve: float = 0.0

    @property
    def forecast(self) -> float:
        """Processing units at the end of the month, if it goes on like this."""
        return self.processing_units / max(self.share_passed, 1e-6)

    def lacks(self, units: float, requests: int = 1, *, priority: str = "high") -> str | None:
        """Return why a mine of `priority` cannot have `units` more this month; None when it can."""
        above = [one for one in PRIORITIES[: PRIORITIES.index(priority)] if one in self.priorities]
        kept = self.reserve * len(above)
        why = f"; {100 * kept:.0f} % are kept for mines of higher priority, MINECAM_RESERVE" if kept else ""
        if self.units_limit is not None and self.processing_units + units > self.units_limit * (1 - kept):
            return (
                f"waiting for budget: {self.processing_units:.2f} of {self.units_limit:g} processing units are spent "
                f"this month, {units:.2f} more are needed (MINECAM_PU_MONTH{why})"
            )
        if self.requests_limit is not None and self.requests + requests > self.requests_limit * (1 - kept):
            return (
                f"waiting for budget: {self.requests} of {self.requests_limit} requests are made this month "
                f"(MINECAM_REQUESTS_MONTH{why})"
            )
        return None


def pixels_units(pixels: int, bands: int, *, radar: bool) -> float:
    """Return the processing units of a request of `bands` bands of `pixels` pixels; dataMask is free.

    Area over 512 × 512 pixels (at least 0.01), bands over 3; radar is twice for its 32 bits and 2.5 times for terrain
    correction (Copernicus Data Space, Sentinel Hub: processing units).
    """
    area = max(LEAST_AREA, pixels / PIXELS)
    return max(LEAST_UNITS, area * bands / 3 * (FLOAT32 * TERRAIN_CORRECTED if radar else 1.0))


def search_units(ground: BaseGeometry, first: date, last: date) -> float:
    """Return the processing units of a search over `ground` (EPSG:4326) between two days, both included.

    Area of its bounding box over 1000 × 1000 km (at least 0.01) times the months begun, from 0.01 to 1 in all
    (Copernicus Data Space, Sentinel Hub: processing units of data querying).
    """
    months = 12 * (last.year - first.year) + last.month - first.month + (last.day >= first.day)
    km2 = abs(_EARTH.geometry_area_perimeter(box(*in_one_piece(ground).bounds))[0]) / 1e6
    return min(max(LEAST_AREA, km2 / SEARCHED_KM2) * max(months, 1), 1.0)


Share = tuple[Mine, int | None, float]
"""Of a request that mines share: one of them, its acquisition (None: a search), and its processing units."""


@dataclass(frozen=True)
class Charge:
    """What is charged for a request that is to be made: numbers of rows, and their shares (sum 1) of its units."""

    rows: tuple[int, ...]
    shares: tuple[float, ...]

    def settle(self, connection: sql.Connection, units: float) -> None:
        """Record what the request has cost."""
        for row, share in zip(self.rows, self.shares, strict=True):
            sql.run(connection, "charge_settle", charge_id=row, processing_units=units * share, requests=1)

    @contextmanager
    def unless_served(self, connection: sql.Connection) -> Iterator[None]:
        """Record that the request has cost nothing where ServiceError says that the service did not serve it."""
        try:
            yield
        except ServiceError:
            for row in self.rows:
                sql.run(connection, "charge_settle", charge_id=row, processing_units=0.0, requests=0)
            raise


def reserve(
    connection: sql.Connection, kind: str, shares: Sequence[Share], *, priority: str, units: float = 0.0,
    requests: int = 1,
) -> "Charge | str":  # fmt: skip
    """Charge what a request should cost, before it is made; return why the month lacks it, where it does.

    Of one that mines share, each is charged its part of the units, and the first of them the request. `units` and
    `requests` are what it takes with those that belong to it and are still to be made, if that is more. Waits until
    the minute has room; a minute without requests always has. What other workers have under way is charged already,
    and no two look at once, so that all of them keep to the limits; what a killed one has asked for stays charged.
    """
    price = sum(part for _, _, part in shares)
    while True:
        with connection.transaction():
            sql.run(connection, "budget_lock")
            if lacking := this_month(connection).lacks(max(units, price), requests, priority=priority):
                return lacking
            if not (seconds := _full(connection, price)):
                rows = [
                    sql.run(
                        connection, "charge_add", mine_id=mine.mine_id, acquisition_id=acquisition, kind=kind,
                        processing_units=part, requests=int(not number),
                    )[0]["charge_id"]
                    for number, (mine, acquisition, part) in enumerate(shares)
                ]  # fmt: skip
                return Charge(tuple(rows), tuple(part / price if price else 0.0 for _, _, part in shares))
        time.sleep(seconds)


def _full(connection: sql.Connection, units: float) -> float:
    """Return how many seconds the minute has no room for one more request of `units`."""
    given = settings()
    (row,) = sql.run(connection, "charge_minute")
    full = given.requests_minute is not None and row["requests"] >= given.requests_minute
    dear = given.pu_minute is not None and row["processing_units"] + units > given.pu_minute
    return max(row["seconds"], 0.1) if row["requests"] and (full or dear) else 0.0


def this_month(connection: sql.Connection) -> Month:
    """Return what this month has cost so far, and its limits."""
    given = settings()
    (row,) = sql.run(connection, "charge_month")
    return Month(
        requests=row["requests"],
        processing_units=row["processing_units"],
        requests_limit=given.requests_month,
        units_limit=given.pu_month,
        share_passed=float(row["share_passed"]),
        priorities=tuple(row["priorities"]),
        reserve=given.reserve,
    )
