"""Outlines as geometries: repaired or refused.

Stands before the registry: what passes here is ground that can be downloaded and measured, whatever way it was
written down in.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from tasks.errors import WrongUse
from tasks.rasters import cut, grid_for, in_one_piece, unrolled

REPAIR_TOLERANCE = 0.01
"""Share of the area that a repair may gain or lose."""

SMALLEST_HECTARES = 0.01
"""One 10 m pixel; less is no area."""

KINDS = {"Point": "point", "LineString": "line", "LinearRing": "line"}


@dataclass(frozen=True)
class Outline:
    """A sound AOI, licence or zone in EPSG:4326, cut at the 180° meridian, and whether it had to be repaired."""

    geometry: MultiPolygon
    repaired: bool


def square_kilometres(geometry: BaseGeometry) -> float:
    """Return the area of `geometry` (EPSG:4326) on the WGS 84 ellipsoid; long edges are straight in degrees."""
    if geometry.is_empty:
        return 0.0
    drawn = shapely.orient_polygons(shapely.segmentize(geometry, 1.0))
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(drawn)
    return abs(area) / 1e6


def area_text(geometry: BaseGeometry) -> str:
    """Return the area of `geometry` (EPSG:4326) for people: in km², under one in ha."""
    km2 = square_kilometres(geometry)
    return f"{km2:,.2f} km²" if km2 >= 1 else f"{km2 * 100:.2f} ha"


def polygons(geometry: BaseGeometry | None) -> list[Polygon]:
    """Return the polygons of `geometry`, however deep in collections, that are not empty."""
    return [part for part in simple(geometry) if isinstance(part, Polygon)]


def others(*geometries: BaseGeometry | None) -> str:
    """Return in words what `geometries` hold that is no polygon ("1 point and 2 lines"); nothing where that is none."""
    parts = [KINDS.get(part.geom_type) for geometry in geometries for part in simple(geometry)]
    counts = Counter(kind for kind in parts if kind)
    return " and ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(counts.items()))


def simple(geometry: BaseGeometry | None) -> Iterator[BaseGeometry]:
    """Yield the simple parts of `geometry` that are not empty."""
    if geometry is None or geometry.is_empty:
        return
    if hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from simple(part)
    else:
        yield geometry


def sound(geometry: BaseGeometry | None, *, max_km2: float, what: str = "outline") -> Outline:
    """Return `geometry` (EPSG:4326) as an outline, its faults repaired where that keeps the area within 1 %.

    Collections are looked through; points and lines beside polygons are left aside; parts that overlap or touch become
    one; longitudes may go on past ±180° or jump there. Raises WrongUse with the reason where it cannot be used, which
    calls it `what` ("licence", "zone").
    """
    parts = [_plain(part) for part in polygons(geometry)]
    if not parts:
        raise WrongUse(_no_polygon(geometry, what))
    check_coordinates(parts, what)
    repaired = [_repaired(unrolled(part), what) for part in parts]
    ground = MultiPolygon([part for one in repaired for part in polygons(cut(one))])
    if not ground.is_valid:
        ground = MultiPolygon(polygons(shapely.union_all(list(ground.geoms))))
    area = square_kilometres(ground)
    if area * 100 < SMALLEST_HECTARES:
        raise WrongUse(f"the {what} has no area (less than one 10 m pixel)")
    if area > max_km2:
        raise WrongUse(f"the {what} covers {area:,.0f} km², more than MINECAM_MAX_AOI_KM2 ({max_km2:,.0f})")
    return Outline(ground, any(not part.is_valid for part in parts))


def sound_aoi(geometry: BaseGeometry | None, *, max_km2: float) -> Outline:
    """Return `geometry` as `sound` does, as an AOI that can be put on a grid.

    Raises WrongUse where its parts lie too far apart for one grid, or it holds no pixel.
    """
    outline = sound(geometry, max_km2=max_km2)
    extent = square_kilometres(shapely.box(*in_one_piece(outline.geometry).bounds))
    if extent > max_km2:
        raise WrongUse(
            f"the outline reaches over {extent:,.0f} km², more than MINECAM_MAX_AOI_KM2 ({max_km2:,.0f}): "
            "register its parts as mines of their own"
        )
    if not grid_for(outline.geometry).mask(outline.geometry).any():
        raise WrongUse("the outline is too thin: it holds the centre of no 10 m pixel")
    return outline


def _plain(polygon: Polygon) -> Polygon:
    """Return `polygon` without heights and without holes that are empty, on which `segmentize` ends the program."""
    flat = shapely.force_2d(polygon)
    return Polygon(flat.exterior, [hole for hole in flat.interiors if not hole.is_empty])


def _no_polygon(geometry: BaseGeometry | None, what: str) -> str:
    held = others(geometry)
    if not held:
        return f"the {what} is empty: it has no coordinates that could be read"
    circle = what == "outline" and "line" not in held
    way = "`minecam mine import --buffer 2km` makes a circle of 2 km of it" if circle else "draw it as a polygon"
    return f"the {what} is {held}, not a polygon: {way}"


def check_coordinates(parts: Sequence[BaseGeometry], what: str) -> None:
    """Raise WrongUse where `parts` hold what is no longitude and latitude."""
    points = shapely.get_coordinates(parts)
    if not np.isfinite(points).all():
        raise WrongUse(f"the {what} has coordinates that are not numbers")
    longitude, latitude = np.abs(points).max(axis=0)
    if 90 < latitude <= 180 and longitude <= 90:
        raise WrongUse(
            f"the {what} leaves ±90° latitude ({latitude:g}°): latitude and longitude seem to be swapped, give "
            "degrees, longitude first"
        )
    if longitude > 360 or latitude > 90:
        raise WrongUse(f"the {what} leaves ±180° longitude or ±90° latitude: give degrees, longitude first")


def _repaired(polygon: Polygon, what: str) -> BaseGeometry:
    """Return `polygon` made valid; raises WrongUse where that changes its area."""
    if polygon.is_valid:
        return polygon
    reason = explain_validity(polygon)
    fixed = MultiPolygon(polygons(shapely.make_valid(polygon, method="structure", keep_collapsed=False)))
    if abs(fixed.area - polygon.area) > REPAIR_TOLERANCE * max(fixed.area, polygon.area):
        raise WrongUse(f"the {what} crosses itself and a repair would change its area ({reason}): draw it again")
    return fixed
