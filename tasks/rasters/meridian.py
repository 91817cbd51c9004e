"""The 180° meridian, where longitudes jump: geometries are kept cut there (RFC 7946), and measured in one piece.

Pure; longitudes and latitudes in degrees, EPSG:4326.
"""

import numpy as np
import shapely
import shapely.affinity
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry


def is_cut(geometry: BaseGeometry) -> bool:
    """Say whether `geometry`, cut at the meridian, lies on both sides of it: it spans more than half the globe."""
    west, _, east, _ = geometry.bounds
    return bool(east - west > 180)


def in_one_piece(geometry: BaseGeometry) -> BaseGeometry:
    """Return `geometry` with its part west of Greenwich moved past 180° where it lies on both sides of the meridian."""
    if not is_cut(geometry):
        return geometry
    return shapely.transform(geometry, lambda points: np.column_stack([points[:, 0] % 360, points[:, 1]]))


def cut(geometry: BaseGeometry) -> BaseGeometry:
    """Return `geometry`, polygons that may go on past ±180°, cut there and moved into -180 to 180."""
    west, _, east, _ = geometry.bounds
    if not (west < -180 or east > 180):
        return geometry
    pieces = []
    for turn in range(int((west + 180) // 360), int((east + 180) // 360) + 1):
        world = shapely.box(turn * 360 - 180, -90, turn * 360 + 180, 90)
        moved = shapely.affinity.translate(geometry.intersection(world), xoff=-360 * turn)
        pieces += [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon"]
    return pieces[0] if len(pieces) == 1 else MultiPolygon(pieces)


def kept(geometry: BaseGeometry) -> BaseGeometry:
    """Return `geometry`, however its polygons were written down across the meridian, as it is kept: cut there."""
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180 and not is_cut(geometry):
        return geometry
    parts = shapely.get_parts(shapely.get_parts([geometry]))
    pieces = [cut(unrolled(part)) for part in parts if isinstance(part, Polygon)]
    return MultiPolygon([piece for one in pieces for piece in shapely.get_parts(one)])


def unrolled(polygon: Polygon) -> Polygon:
    """Return `polygon` with each edge along the shorter way: one that jumps from 179 to -179 goes on to 181.

    A ring around a pole, or around the whole globe, has no shorter way and stays as it is.
    """
    if not is_cut(polygon):
        return polygon
    shell, *holes = [_unrolled(np.asarray(ring.coords)) for ring in (polygon.exterior, *polygon.interiors)]
    if np.ptp(shell[:, 0]) == 0 or shell[0, 0] != shell[-1, 0]:
        return polygon
    middle = (shell[:, 0].min() + shell[:, 0].max()) / 2
    for hole in holes:
        hole[:, 0] += 360 * np.round((middle - (hole[:, 0].min() + hole[:, 0].max()) / 2) / 360)
    return Polygon(shell, holes)


def _unrolled(points: np.ndarray) -> np.ndarray:
    steps = np.diff(points[:, 0])
    turns = np.concatenate([[0], np.cumsum(np.round(steps / 360))])
    return np.column_stack([points[:, 0] - 360 * turns, points[:, 1]])
