"""Turns a class raster into polygons: specks out first, then one polygon per connected region.

Stands between `segment` and `store`; `compare` draws its changes with the same two functions.
"""

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import orjson
import shapely
from rasterio.features import shapes
from scipy import ndimage

from models.labels import BACKGROUND, NODATA
from tasks.rasters import HECTARES_PER_PIXEL, PIXEL, Grid, to_wgs84
from tasks.segment.sieve import sieved
from tasks.settings import settings

if TYPE_CHECKING:
    from tasks.segment.segment import Segmented


def regions(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return int32 (H, W): 1, 2, ... for each 4-connected region of one value where `drawn`, else 0."""
    labels = np.zeros(values.shape, np.int32)
    total = 0
    for value in np.unique(values[drawn]):
        part, count = ndimage.label(drawn & (values == value))
        labels += np.where(part > 0, part + total, 0).astype(np.int32)
        total += count
    return labels


def outlines(labels: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the regions 1, 2, ... of `labels` (H, W) as valid MultiPolygons in EPSG:4326, in their order.

    Neighbours share their edges: where three regions meet, each outline gets a point, so that the way from
    UTM to degrees bends them alike.
    """
    found = list(shapes(labels, mask=labels > 0, connectivity=4))
    polygons = shapely.from_geojson([orjson.dumps(geometry) for geometry, _ in found])
    polygons = polygons[np.argsort([value for _, value in found], kind="stable")]
    corner = np.array([grid.left, grid.top])
    placed = shapely.transform(with_junctions(polygons, labels), lambda at: corner + at * (PIXEL, -PIXEL))
    in_degrees = np.array([to_wgs84(polygon, grid.epsg) for polygon in placed], dtype=object)
    pinched = ~shapely.is_valid(in_degrees)
    in_degrees[pinched] = shapely.make_valid(in_degrees[pinched], method="structure", keep_collapsed=False)
    return np.array([shapely.multipolygons(shapely.get_parts(polygon)) for polygon in in_degrees], dtype=object)


def junctions(labels: np.ndarray) -> np.ndarray:
    """Return (N, 2) pixel corners (column, row) where at least three regions (or the outside) meet."""
    framed = np.pad(labels, 1, constant_values=-1)
    around = np.stack([framed[:-1, :-1], framed[:-1, 1:], framed[1:, :-1], framed[1:, 1:]])
    around.sort(axis=0)
    rows, columns = np.nonzero((np.diff(around, axis=0) != 0).sum(axis=0) >= 2)
    return np.column_stack([columns, rows])


def with_junctions(polygons: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return `polygons` (edges along pixel sides, in pixel corners) with a point at each junction they pass."""
    _, points, (rings, parts) = shapely.to_ragged_array(polygons)
    meet = junctions(labels)
    side = max(labels.shape) + 2
    start, end = points.astype(np.int64), np.roll(points, -1, axis=0).astype(np.int64)
    last = np.zeros(len(points), bool)
    last[rings[1:] - 1] = True
    inserted, owners = [points], [np.arange(len(points), dtype=float)]
    for axis in (0, 1):  # edges along the columns' axis, then along the rows'
        fixed = 1 - axis
        keys = np.sort(meet[:, fixed] * side + meet[:, axis])
        along = np.flatnonzero(~last & (start[:, fixed] == end[:, fixed]) & (start[:, axis] != end[:, axis]))
        low = np.minimum(start[along, axis], end[along, axis]) + start[along, fixed] * side
        high = np.maximum(start[along, axis], end[along, axis]) + start[along, fixed] * side
        first = np.searchsorted(keys, low, side="right")
        count = np.searchsorted(keys, high, side="left") - first
        edge = np.repeat(along, count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        position = keys[np.repeat(first, count) + step] % side
        corner = np.empty((len(edge), 2))
        corner[:, axis], corner[:, fixed] = position, start[edge, fixed]
        share = (position - start[edge, axis]) / (end[edge, axis] - start[edge, axis])
        inserted.append(corner)
        owners.append(edge + share)
    where = np.concatenate(owners)
    moved = rings + np.searchsorted(np.sort(where[len(points) :]), rings)
    return shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, np.concatenate(inserted)[np.argsort(where)], (moved, parts)
    )


def polygons(*, classes: np.ndarray, confidence: np.ndarray, grid: Grid, min_hectares: float) -> gpd.GeoDataFrame:
    """Return the mine components of a class raster as polygons.

    `classes` uint8 (H, W): 0 background, 1-10, 255 nodata; `confidence` uint8 (H, W) per cent. The frame has
    class_id, hectares (counted pixels: their sum is that of the raster without specks), confidence (mean, 0-1)
    and geometry (valid MultiPolygon, EPSG:4326); background is not drawn. No component gives an empty frame.
    """
    classes = sieved(classes, min_hectares)
    labels = regions(classes, (classes != NODATA) & (classes != BACKGROUND))
    if not labels.any():
        return gpd.GeoDataFrame(
            {"class_id": np.array([], np.int16), "hectares": np.array([]), "confidence": np.array([])},
            geometry=[],
            crs="EPSG:4326",
        )
    flat = labels.ravel()
    pixels = np.bincount(flat)[1:]
    class_of = np.zeros(len(pixels) + 1, np.int16)
    class_of[flat] = classes.ravel()
    return gpd.GeoDataFrame(
        {
            "class_id": class_of[1:],
            "hectares": pixels * HECTARES_PER_PIXEL,
            "confidence": np.bincount(flat, weights=confidence.ravel() / 100)[1:] / pixels,
        },
        geometry=outlines(labels, grid),
        crs="EPSG:4326",
    )


def vectorise(segmented: "Segmented") -> gpd.GeoDataFrame:
    """Return the polygons of what a model saw; see `polygons`."""
    return polygons(
        classes=segmented.classes,
        confidence=segmented.confidence,
        grid=segmented.grid,
        min_hectares=settings().min_segment_hectares,
    )
