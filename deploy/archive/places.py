"""`places.geojson` of an archive: the places that imports made, with their AOI and the grid of their scenes.

Used by `importing.py`; `minecam mine import` registers mines from it.
"""

import json
import math
from pathlib import Path
from typing import Any

import shapely
from affine import Affine
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from deploy.archive.failures import MALFORMED
from deploy.archive.layouts import Place
from deploy.archive.writing import SceneGrid, write_json
from tasks.errors import WrongUse

CLOSED, SHRUNK = 30.0, 10.0
"""Metres: gaps in the seen ground up to twice the first do not cut the AOI; the second is left off its edge."""

Places = dict[str, dict[str, Any]]


def read_places(archive: Path) -> Places:
    """Return the places of `archive` by slug; raises WrongUse for a file that is none of ours."""
    path = archive / "places.geojson"
    if not path.exists():
        return {}
    try:
        known = {str(one["properties"]["slug"]): one for one in json.loads(path.read_text())["features"]}
        for one in known.values():
            grid_of(one)
        return known
    except MALFORMED as error:
        raise WrongUse(f"{path} is no collection of places ({error!r:.200}): move it away and import again") from error


def write_places(archive: Path, places: Places) -> None:
    """Write places.geojson, the places in the order of their slugs."""
    features = [places[slug] for slug in sorted(places)]
    write_json(archive / "places.geojson", {"type": "FeatureCollection", "features": features})


def aoi_of(grounds: list[BaseGeometry]) -> BaseGeometry:
    """Return the outline of what is seen on any date, without holes and small gaps, its edge shrunk by 10 m.

    In and out in metres of UTM.
    """
    together = shapely.union_all(grounds)
    if together.is_empty:
        return together
    closed = together.buffer(CLOSED, join_style="mitre").buffer(-CLOSED - SHRUNK, join_style="mitre")
    inside = closed.intersection(together.envelope.buffer(-SHRUNK, join_style="mitre")).simplify(SHRUNK / 2)
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(inside) if part.area])


def feature_of(place: Place, aoi: BaseGeometry, grid: SceneGrid) -> dict[str, Any]:
    """Return the place as `minecam mine import` reads it, with the grid on which later dates go too."""
    pixels = {
        "proj:epsg": grid.epsg,
        "proj:transform": list(grid.transform)[:6],
        "proj:shape": [grid.height, grid.width],
    }
    properties = {"slug": place.slug, "name": place.name, **place.words, **pixels}
    return {"type": "Feature", "properties": properties, "geometry": dict(mapping(aoi))}


def grid_of(feature: dict[str, Any]) -> SceneGrid | None:
    """Return the grid of a place that an import wrote, None for places from elsewhere; raises ValueError, TypeError."""
    properties = feature["properties"]
    if "proj:transform" not in properties:
        return None
    epsg, transform, (height, width) = (properties[f"proj:{name}"] for name in ("epsg", "transform", "shape"))
    whole = all(type(number) is int for number in (epsg, height, width))
    if not (whole and epsg // 100 in (326, 327) and 1 <= epsg % 100 <= 60 and height > 0 and width > 0):
        raise ValueError("its grid is none")
    if len(transform) != 6 or not all(math.isfinite(number) for number in transform) or transform[0] <= 0:
        raise ValueError("its grid has no place")
    return SceneGrid(epsg, Affine(*transform), height, width)
