#!/usr/bin/env bash
# Whoever moves a polygon to another CRS expects its ground to stay where it is. The edges of GeoJSON are straight in
# degrees (RFC 7946), which is no straight line in UTM; that is known well enough for bounds: pyproj's and rasterio's
# transform_bounds put 21 points on every edge. geopandas' to_crs and rasterio's transform_geom move the corners only.
# A zone 6° wide at 60° N so loses a strip of up to 3.8 km along its edge: an excavation in it lies outside.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet geopandas==1.2.0 pandas==3.1.1 shapely==2.2.0 pyproj==3.7.2 rasterio==1.4.4

"$work/venv/bin/python" - <<'PY'
import sys

import geopandas as gpd
import pyproj
import rasterio
import rasterio.warp
import shapely

print(f"geopandas {gpd.__version__}, pyproj {pyproj.__version__}, rasterio {rasterio.__version__}")

ZONE, UTM = (12.0, 60.0, 18.0, 62.0), "EPSG:32633"
way = pyproj.Transformer.from_crs(4326, UTM, always_xy=True)
dug = shapely.Point(way.transform(15.0, 60.002))  # 220 m inside, in the middle of the southern edge
zone = gpd.GeoSeries([shapely.box(*ZONE)], crs=4326)
moved = {
    "geopandas to_crs": zone.to_crs(UTM).iloc[0],
    "rasterio transform_geom": shapely.geometry.shape(
        rasterio.warp.transform_geom("EPSG:4326", UTM, shapely.geometry.mapping(zone.iloc[0]))
    ),
    "to_crs of short edges": zone.segmentize(0.02).to_crs(UTM).iloc[0],
}
souths = {
    "pyproj transform_bounds": way.transform_bounds(*ZONE)[1],
    "rasterio transform_bounds": rasterio.warp.transform_bounds("EPSG:4326", UTM, *ZONE)[1],
}
for name, shape in moved.items():
    print(f"{name:25} south at {shape.bounds[1]:9.0f} m, the excavation is inside: {shape.contains(dug)}")
for name, south in souths.items():
    print(f"{name:25} south at {south:9.0f} m")

inside = [shape.contains(dug) for shape in moved.values()]
if inside[0] or inside[1]:
    sys.exit("changed: to_crs or transform_geom keeps long edges where they are")
if not inside[2]:
    sys.exit("changed: short edges do not help")
if any(moved["geopandas to_crs"].bounds[1] - south < 500 for south in souths.values()):
    sys.exit("changed: transform_bounds moves the corners only, as to_crs does")
print("as described: bounds follow the edges, geometries cut the corner")
PY
