"""Mine outlines as geometries: repaired or refused.

Stands before the registry: what passes here is an area of interest that can be downloaded and measured.
"""

import math
from dataclasses import dataclass

import shapely
from pyproj import Geod
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from tasks.errors import WrongUse
from tasks.rasters import grid_for

REPAIR_TOLERANCE = 0.01
"""Share of the area that a repair may gain or lose."""

SMALLEST_HECTARES = 0.01
"""One 10 m pixel; less is no area."""


@dataclass(frozen=True)
class Outline:
    """A sound AOI or licence in EPSG:4326, and whether it had to be repaired."""

    geometry: MultiPolygon
    repaired: bool


def square_kilometres(geometry: BaseGeometry) -> float:
    """Return the geodesic area of `geometry` (EPSG:4326) on the WGS 84 ellipsoid."""
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(shapely.orient_polygons(geometry))
    return abs(area) / 1e6


def sound(geometry: BaseGeometry | None, *, max_km2: float) -> Outline:
    """Return `geometry` (EPSG:4326) as an outline, its faults repaired where that keeps the area within 1 %.

    Raises WrongUse with the reason where it cannot stand for a mine.
    """
    flat = _flat_polygons(geometry)
    _check_coordinates(flat)
    repaired = not flat.is_valid
    parts = _repaired(flat) if repaired else flat
    area = square_kilometres(parts)
    if area * 100 < SMALLEST_HECTARES:
        raise WrongUse("the outline has no area (less than one 10 m pixel)")
    if area > max_km2:
        raise WrongUse(f"the outline covers {area:,.0f} km², more than MINECAM_MAX_AOI_KM2 ({max_km2:,.0f})")
    return Outline(parts, repaired)


def sound_aoi(geometry: BaseGeometry | None, *, max_km2: float) -> Outline:
    """Return `geometry` as `sound` does, as an AOI that can be put on a grid.

    Raises WrongUse where its parts lie too far apart for one grid, or it holds no pixel.
    """
    outline = sound(geometry, max_km2=max_km2)
    extent = square_kilometres(shapely.box(*outline.geometry.bounds))
    if extent > max_km2:
        raise WrongUse(
            f"the outline reaches over {extent:,.0f} km², more than MINECAM_MAX_AOI_KM2 ({max_km2:,.0f}): "
            "register its parts as mines of their own"
        )
    if not grid_for(outline.geometry).mask(outline.geometry).any():
        raise WrongUse("the outline is too thin: it holds the centre of no 10 m pixel")
    return outline


def _flat_polygons(geometry: BaseGeometry | None) -> MultiPolygon:
    if geometry is None or geometry.is_empty:
        raise WrongUse("the outline is empty")
    flat = shapely.force_2d(geometry)
    parts = [part for part in shapely.get_parts(flat, return_index=False) if part.geom_type == "Polygon"]
    if not parts or len(parts) < shapely.get_num_geometries(flat):
        raise WrongUse(f"the outline is a {geometry.geom_type}, not a polygon")
    return MultiPolygon([part for part in parts if not part.is_empty])


def _check_coordinates(geometry: BaseGeometry) -> None:
    west, south, east, north = shapely.bounds(geometry)
    points = shapely.get_coordinates(geometry)
    if not all(math.isfinite(value) for value in points.ravel()):
        raise WrongUse("the outline has coordinates that are not numbers")
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise WrongUse("the outline leaves ±180° longitude or ±90° latitude: give degrees, longitude first")
    if east - west > 180:
        raise WrongUse("the outline spans more than half the globe: split it at the 180° meridian")


def _repaired(geometry: MultiPolygon) -> MultiPolygon:
    reason = explain_validity(geometry)
    fixed = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    parts = [part for part in shapely.get_parts(fixed) if part.geom_type == "Polygon"]
    repaired = MultiPolygon(parts)
    if repaired.area == 0:
        raise WrongUse("the outline has no area (less than one 10 m pixel)")
    if abs(repaired.area - geometry.area) > REPAIR_TOLERANCE * max(repaired.area, geometry.area):
        raise WrongUse(f"the outline crosses itself and a repair would change its area ({reason}): draw it again")
    return repaired
