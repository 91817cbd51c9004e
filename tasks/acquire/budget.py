"""The budget: what requests cost before they are made, what was charged, and whether the month still has it.

`discover`, `preview` and `download` charge here; the month is the calendar month in UTC, as the service counts it.
"""

import time
from dataclasses import dataclass
from datetime import date

from pyproj import Geod
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

import sql
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


def charge(
    connection: sql.Connection,
    mine: Mine,
    kind: str,
    units: float,
    *,
    acquisition_id: int | None = None,
    requests: int = 1,
) -> None:
    """Record what a request cost, at once: a run that is killed after it has paid for it all the same.

    Of one that mines share, each is charged its part of the units, and the first of them the request.
    """
    sql.run(
        connection, "charge_add", mine_id=mine.mine_id, acquisition_id=acquisition_id, kind=kind,
        processing_units=units, requests=requests,
    )  # fmt: skip


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


def pace(connection: sql.Connection, units: float) -> None:
    """Wait until the minute has room for one more request of `units`; a minute without requests always has.

    What other workers have under way is not seen: these are few (MINECAM_SH_CONCURRENCY).
    """
    given = settings()
    while True:
        (row,) = sql.run(connection, "charge_minute")
        full = given.requests_minute is not None and row["requests"] >= given.requests_minute
        dear = given.pu_minute is not None and row["processing_units"] + units > given.pu_minute
        if not row["requests"] or not (full or dear):
            return
        time.sleep(max(row["seconds"], 0.1))
