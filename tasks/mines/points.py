"""Points: registers of mines as tables of latitude and longitude, and circles around them."""

import csv
import math
import re
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import shapely
from pyproj import Geod
from shapely.geometry import GeometryCollection, Point, Polygon
from shapely.geometry.base import BaseGeometry

from tasks.errors import WrongUse
from tasks.mines.columns import texts_of
from tasks.mines.outline import check_coordinates, simple

LATITUDE = ("latitude", "lat", "latitud", "latitude_dd", "lat_dd", "y", "y_coord", "point_y", "ycoord")
LONGITUDE = (
    "longitude", "lon", "long", "lng", "longitud", "longitude_dd", "lon_dd", "long_dd", "x", "x_coord", "point_x",
    "xcoord",
)  # fmt: skip
OUTLINE = ("wkt", "geometry", "geom", "the_geom", "geo")
"""Column names for what says where a row lies, the likeliest first."""

CORNERS = 128
"""Of a circle, which has 0.04 % less area than a round one by that."""
LARGEST_BUFFER = 50_000.0
"""Metres: a circle of more is larger than any AOI that can be registered."""

BUFFER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(km|m)\s*", re.IGNORECASE)
ANGLE = re.compile(
    r"(?P<before>[NSEW]?)\s*(?P<sign>[-+]?)(?P<d>\d+(?:[.,]\d+)?)\s*"
    r"(?:[°º:D]\s*(?:(?P<m>\d+(?:[.,]\d+)?)\s*(?:['′’:]\s*(?:(?P<s>\d+(?:[.,]\d+)?)\s*(?:[\"″”]|'')?)?)?)?)?"
    r"\s*(?P<after>[NSEW]?)"
)


def metres(text: str) -> float:
    """Return a radius such as `2km`, `0.5 km` or `500m` in metres; raises WrongUse."""
    match = BUFFER.fullmatch(text)
    if match is None:
        raise WrongUse(f"'{text}' is no radius: give metres or kilometres, as in 500m or 2km")
    radius = float(match[1].replace(",", ".")) * (1000 if match[2].lower() == "km" else 1)
    if not 10 <= radius <= LARGEST_BUFFER:
        raise WrongUse(f"a radius of {text} makes no AOI: give 10m to {LARGEST_BUFFER / 1000:.0f}km")
    return radius


def around(geometry: BaseGeometry | None, radius: float) -> BaseGeometry:
    """Return circles of `radius` metres on the ground around the points of `geometry` (EPSG:4326); raises WrongUse."""
    points = [part for part in simple(geometry) if isinstance(part, Point)]
    if points:
        check_coordinates(points, "point")
    if any(point.x == point.y == 0 for point in points):
        raise WrongUse("the point lies at 0° 0°, which is what empty cells become: give its place")
    return GeometryCollection([_circle(point.x, point.y, radius) for point in points])


def _circle(x: float, y: float, radius: float) -> Polygon:
    turns = [360 * number / CORNERS for number in range(CORNERS)]
    across, up, _ = Geod(ellps="WGS84").fwd([x] * CORNERS, [y] * CORNERS, turns, [radius] * CORNERS)
    return Polygon(zip(across, up, strict=True))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of text, as Excel and others write it: commas, semicolons or tabs, UTF-8 or as Windows does.

    Raises WrongUse when it is none.
    """
    content = path.read_bytes()
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252", "latin-1")
    text = next(filter(None, (_decoded(content, encoding) for encoding in encodings)), "")
    lines = text.splitlines()
    if lines and re.fullmatch(r"sep=.", lines[0]):  # Excel's own word for it
        lines = lines[1:]
    header = next((line for line in lines if line.strip()), "")
    separator = max(",;\t|", key=header.count)
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise WrongUse(f"{path.name} is no readable table: {error}") from error
    if len(rows) < 2:
        raise WrongUse(f"{path.name} holds no rows")
    names = [name.strip() or f"column {number}" for number, name in enumerate(rows[0], start=1)]
    width = len(names)
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows[1:]], columns=names)


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def placed(table: pd.DataFrame, name: str) -> geopandas.GeoDataFrame:
    """Return a table without geometries with those that its columns speak of, in EPSG:4326.

    A row that says nothing or no degrees has an empty point. Raises WrongUse where no columns speak of places.
    """
    texts = texts_of(table)
    known = {column for row in texts for column in row}
    drawn = next((column for column in OUTLINE if column in known), None)
    if drawn is not None:
        geometries: list[Any] = [_drawn(row.get(drawn, "")) for row in texts]
    else:
        x, y = (next((column for column in names if column in known), None) for names in (LONGITUDE, LATITUDE))
        if x is None or y is None:
            raise WrongUse(
                f"{name} has no columns 'latitude' and 'longitude' (nor 'wkt' or 'geometry'): it says no places"
            )
        geometries = [_point(row.get(x), row.get(y)) for row in texts]
    plain = table.drop(columns=[column for column in table.columns if str(column).lower() == "geometry"])
    return geopandas.GeoDataFrame(plain, geometry=geometries, crs=4326)


def _drawn(text: str) -> BaseGeometry | None:
    """Return the geometry that `text` is, as WKT or GeoJSON, None where it is none."""
    read = shapely.from_geojson if text.startswith("{") else shapely.from_wkt
    return read(text, on_invalid="ignore")


def _point(x: str | None, y: str | None) -> Point:
    longitude, latitude = degrees(x), degrees(y)
    return Point() if longitude is None or latitude is None else Point(longitude, latitude)


def degrees(text: str | None) -> float | None:
    """Return an angle such as `-24.3`, `24,3` or `24°17'24"S` in degrees, None where it is none."""
    written = (text or "").strip()
    match = ANGLE.fullmatch(written.upper())
    try:
        angle = float(written.replace(",", ".")) if match is None else _of(match)
    except ValueError:
        return None
    return angle if math.isfinite(angle) else None


def _of(match: re.Match[str]) -> float:
    parts = [float(match[name].replace(",", ".")) for name in ("d", "m", "s") if match[name]]
    angle = sum(part / 60**place for place, part in enumerate(parts))
    return -angle if match["sign"] == "-" or {match["before"], match["after"]} & {"S", "W"} else angle
