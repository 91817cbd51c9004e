#!/usr/bin/env bash
# rasterio.features.shapes turns a class raster into polygons that share their edges. One expects that they still do so
# after they are projected to degrees. They overlap: where three regions meet, the region whose edge runs straight past
# gets no point there, so its edge stays one long line, while those of its neighbours bend with the projection.
# shapely.coverage_is_valid says so even before, in UTM.
# PostGIS then finds that a pit overlaps the dump beside it, and areas of change that nothing has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet rasterio==1.4.4 shapely==2.2.0 pyproj==3.7.2 numpy==2.4.6

"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.features import shapes
from rasterio.transform import from_origin

print(f"rasterio {rasterio.__version__}, shapely {shapely.__version__}, pyproj {pyproj.__version__}")

# 3 × 3 km: a pit in the north, a dump and a pond side by side in the south.
classes = np.full((300, 300), 1, np.uint8)
classes[150:, :100], classes[150:, 100:] = 2, 3
found = shapes(classes, connectivity=4, transform=from_origin(500000, 6700000, 10, 10))
metres = np.array([shapely.geometry.shape(geometry) for geometry, _ in sorted(found, key=lambda pair: pair[1])])
to_degrees = pyproj.Transformer.from_crs(32633, 4326, always_xy=True)
degrees = shapely.transform(metres, lambda at: np.column_stack(to_degrees.transform(*at.T)))


def overlap(polygons: np.ndarray) -> list[shapely.Geometry]:
    return [shapely.intersection(polygons[0], other) for other in polygons[1:]]


on_ellipsoid = pyproj.Geod(ellps="WGS84")
square_metres = sum(abs(on_ellipsoid.geometry_area_perimeter(part)[0]) for part in overlap(degrees))
whole = shapely.coverage_is_valid(metres)
print(f"points of the three rectangles: {shapely.get_num_coordinates(metres).tolist()}; valid coverage in UTM: {whole}")
before = shapely.area(overlap(metres)).sum()
touching = [shapely.touches(polygons[0], polygons[1:]).tolist() for polygons in (metres, degrees)]
print(f"overlap of the pit with its neighbours: UTM {before:.1f} m², degrees {square_metres:.0f} m²")
print(f"the pit touches them: UTM {touching[0]}, degrees {touching[1]}")
if whole or shapely.get_num_coordinates(metres).tolist() != [5, 5, 5]:
    sys.exit("changed: shapes gives a point now where three regions meet")
if before or not 300 < square_metres < 500:
    sys.exit("changed: the overlap in degrees is not about 410 square metres, or there is one in UTM")
if touching != [[True, True], [False, False]]:
    sys.exit("changed: neighbours touch in degrees as they do in UTM")
print("as described: neighbours that touch in UTM overlap in degrees")
PY
