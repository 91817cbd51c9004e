"""What rules measure, and the ground on which it reaches their threshold. Pure: geometries and series in, matches out.

`alert` reads the rows that go in here; `migrations/0014_measures.sql` says what each measure is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from tasks.rasters import to_utm, to_wgs84

OF_CHANGE = "transition"
OF_GROWTH = ("growth", "growth_percent")
OF_MINE = ("hectares", *OF_GROWTH)
"""Measures of a mine as a whole: one alert each, held against the threshold again by every later epoch."""
OF_CALENDAR = ("unseen", "silent", "given_up")
"""Measures that no epoch brings about, but that none comes."""

NEAR = 30.0
"""Metres within which ground belongs to the same match, and a match to a standing alert."""

SNAP = 0.01
"""Metres to which outlines are snapped before they are joined: the way through degrees leaves slivers."""

SQUARE_METRES = 10_000.0  # of a hectare
LEAST_EPOCHS = 4
"""Epochs from which growth is measured: with three, one bad one bends the median slope."""


@dataclass(frozen=True)
class Match:
    """Ground on which a rule fires: `geometry` in EPSG:4326, its `hectares` in UTM, `measured` in the rule's unit."""

    geometry: MultiPolygon
    hectares: float
    measured: float


def unit(measure: str) -> str:
    """Return the unit of `measure`: ha, %, days or acquisitions."""
    if measure == "given_up":
        return "acquisitions"
    return "%" if measure == "growth_percent" else "days" if measure in OF_CALENDAR else "ha"


def amount(measured: float, rule: sql.Row) -> str:
    """Return what was measured in words: 4.00 ha, 12 %, 31 days."""
    of = unit(rule["measure"])
    if of == "ha":
        return f"{measured:.2f} ha"
    return f"{measured:.0f} {of.removesuffix('s') if round(measured) == 1 else of}"


def matching(
    *,
    patches: Sequence[BaseGeometry],
    rule: sql.Row,
    licence: BaseGeometry | None,
    zones: BaseGeometry | None,
    epsg: int,
) -> list[Match]:
    """Return the ground among `patches` that `rule` measures, largest first, whether it reaches the threshold or not.

    What lies together within 30 m is one match; for the measure `hectares` all of it is. `patches`, `licence` and
    `zones` are in EPSG:4326; `epsg` is the mine's UTM zone. Without a licence nothing lies outside it; without zones
    nothing lies inside one.
    """
    placed = _placed(
        [_snapped(to_utm(patch, epsg)) for patch in patches],
        rule["place"],
        *(None if it is None else to_utm(it, epsg) for it in (licence, zones)),
    )
    groups = [joined(placed)] if placed and rule["measure"] in OF_MINE else _together(placed)
    return [match(group, epsg) for group in sorted(groups, key=lambda group: -group.area)]


def reached(measured: float, rule: sql.Row) -> bool:
    """Say whether what was measured reaches the rule's threshold."""
    return bool(measured >= rule["threshold"] - 1e-6)


def severity(measured: float, rule: sql.Row) -> int:
    """Return 1 at the threshold, one more from each multiple of it in the rule's `severity_steps`."""
    times = measured / rule["threshold"] + 1e-6
    return 1 + sum(times >= step for step in rule["severity_steps"])


def growth(times: Sequence[datetime], hectares: Sequence[float]) -> tuple[float, float] | None:
    """Return by how many hectares, and per cent, `hectares` grew from the first of `times` to the last.

    On the median slope (Theil 1950, Sen 1968), which single bad epochs do not bend; per cent of the median of the first
    three, and of a hectare at least. None from under four epochs.
    """
    if len(times) < LEAST_EPOCHS:
        return None
    days = np.array([(time - times[0]).total_seconds() / 86_400 for time in times])
    if np.ptp(days) == 0:
        return None
    from scipy.stats import theilslopes  # here: the import takes seconds, and every command and run would wait for it

    grown = float(theilslopes(hectares, days)[0] * np.ptp(days))
    return grown, 100 * grown / max(float(np.median(hectares[:3])), 1.0)


def match(ground: BaseGeometry, epsg: int, measured: float | None = None) -> Match:
    """Return the match of `ground` (in metres); without `measured`, its hectares are what was measured."""
    polygons = [part for part in shapely.get_parts(to_wgs84(ground, epsg)) if part.geom_type == "Polygon"]
    hectares = ground.area / SQUARE_METRES
    return Match(MultiPolygon(polygons), hectares, hectares if measured is None else measured)


def joined(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return the union of `shapes` (in metres), without slivers between them."""
    return shapely.union_all([_snapped(shape) for shape in shapes], grid_size=SNAP)


def adds(ground: BaseGeometry, more: BaseGeometry) -> bool:
    """Say whether `more` reaches beyond `ground` (both in metres) by a metre: degrees leave long edges a little off."""
    return bool(_snapped(more).difference(_snapped(ground).buffer(1.0)).area >= 1.0)


def _placed(
    patches: list[BaseGeometry], place: str, licence: BaseGeometry | None, zones: BaseGeometry | None
) -> list[BaseGeometry]:
    """Cut `patches` to where the rule looks and return single polygons; all in metres."""
    if place == "outside_licence":
        patches = [] if licence is None else [patch.difference(licence) for patch in patches]
    elif place == "inside_zone":
        patches = [] if zones is None else [patch.intersection(zones) for patch in patches]
    return [part for part in shapely.get_parts(patches) if part.area > 0]


def _together(patches: list[BaseGeometry]) -> list[BaseGeometry]:
    """Join patches (in metres) that lie within 30 m of each other."""
    if not patches:
        return []
    neighbourhoods = shapely.get_parts(shapely.union_all(shapely.buffer(patches, NEAR / 2)))
    patch, of = shapely.STRtree(neighbourhoods).query(patches, predicate="intersects")
    return [joined([patches[i] for i in patch[of == each]]) for each in range(len(neighbourhoods))]


def _snapped(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.set_precision(geometry, SNAP)
