"""Which mines share requests: one search serves those near each other, one download those for which it costs less.

Pure: mines and grids in, mines and grids out. `flows` groups with it what `discover` and `download` ask for together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, groupby
from math import cos, floor, radians

from pyproj import Geod
from shapely.geometry import MultiPolygon

from tasks.acquire import budget
from tasks.mines import Mine
from tasks.rasters import PIXEL, Grid, in_one_piece
from tasks.records import Acquisition

REQUEST_UNITS = 1.0
"""What a request is worth in processing units: an account of the free tier has 10,000 of each a month."""
REACH_KM = 100
"""A search costs least up to 100 × 100 km; so near, the same few tiles show all mines, and one page has them."""
HIGHEST = 1.0
"""Degrees of latitude beyond which it is more than REACH_KM."""
MAX_SIDE = 2500
"""Pixels a side that the Process API gives in one request."""

_EARTH = Geod(ellps="WGS84")

Bounds = tuple[float, float, float, float]
"""West, south, east and north, EPSG:4326; east is past 180 where a mine lies across that meridian."""

Due = tuple[Acquisition, Mine]
"""An acquisition and its mine."""


def neighbourhoods(mines: Sequence[Mine]) -> list[list[Mine]]:
    """Return `mines` in groups that one search serves, each in the order given, by their first mines.

    A group has one model, so that all of it look for the same, and lies within REACH_KM from side to side, for which a
    search costs what it costs for one mine alone.
    """
    groups: list[list[Mine]] = []
    extents: list[Bounds] = []
    of_band: dict[tuple[str | None, int], list[int]] = defaultdict(list)
    for mine in mines:
        own: Bounds = in_one_piece(mine.aoi).bounds
        band = floor(own[1] / HIGHEST)
        for number in sorted(chain(*(of_band[mine.model, band + by] for by in (-1, 0, 1)))):
            wider = _wider(extents[number], own)
            if _near(wider):
                groups[number].append(mine)
                extents[number] = wider
                break
        else:
            of_band[mine.model, band].append(len(groups))
            groups.append([mine])
            extents.append(own)
    return groups


def _wider(one: Bounds, other: Bounds) -> Bounds:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


def _near(extent: Bounds) -> bool:
    west, south, east, north = extent
    # 110 km at least, of latitude or along the parallel: most pairs of a world of mines end here
    if north - south > HIGHEST or (east - west) * cos(radians(max(abs(south), abs(north)))) > HIGHEST:
        return False
    middle = (south + north) / 2
    across, along = _EARTH.inv(west, middle, east, middle)[2], _EARTH.inv(west, south, west, north)[2]
    return max(across, along) <= 1000 * REACH_KM


def ground(mines: Sequence[Mine]) -> MultiPolygon:
    """Return the AOIs of `mines` as one geometry, EPSG:4326."""
    return MultiPolygon([part for mine in mines for part in mine.aoi.geoms])


def passes(due: Sequence[Due]) -> list[list[Due]]:
    """Return what is `due`, in order of sensing, by passes: what one request can bring at once."""

    def key(one: Due) -> tuple[str, ...]:
        acquisition = one[0]
        return (
            str(acquisition.sensing_date), acquisition.collection, acquisition.orbit_direction, acquisition.sensor_set
        )  # fmt: skip

    return [list(group) for _, group in groupby(sorted(due, key=key), key)]


def joined(first: Grid, others: Sequence[Grid], *, bands: int, radar: bool) -> tuple[Grid, list[int]]:
    """Return the grid to ask for instead of `first` alone, and the numbers of the `others` on it.

    Each of the others that makes a request cost less than two do joins, in their order.
    """
    together, joining = first, []
    for number, other in enumerate(others):
        wider = _around(together, other)
        if wider is None:
            continue
        costs = [budget.pixels_units(one.width * one.height, bands, radar=radar) for one in (together, other, wider)]
        if costs[2] < costs[0] + costs[1] + REQUEST_UNITS:
            together = wider
            joining.append(number)
    return together, joining


def _around(one: Grid, other: Grid) -> Grid | None:
    """Return the smallest grid with both in it; None where no request has that."""
    if one.epsg != other.epsg:
        return None
    left, top = min(one.left, other.left), max(one.top, other.top)
    right, bottom = max(one.bounds[2], other.bounds[2]), min(one.bounds[1], other.bounds[1])
    width, height = round((right - left) / PIXEL), round((top - bottom) / PIXEL)
    if max(width, height) > MAX_SIDE:
        return None
    return replace(one, left=left, top=top, width=width, height=height)
