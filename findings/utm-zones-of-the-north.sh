#!/usr/bin/env bash
# "The UTM zone of a place" seems to be one thing. In the west of Norway and on Svalbard zones are wider or missing.
# sentinelhub and utm know that; geopandas' estimate_utm_crs does not, and names the zone by longitude alone.
# Each is a valid projected CRS, but a mine whose grid was laid by one and whose picture was asked for by the other has
# two grids that no shift brings together: the raster is refused, or warped once more than needed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet sentinelhub==3.12.0 utm==0.9.0 geopandas==1.2.0 pandas==3.1.1

HOME="$work" "$work/venv/bin/python" - <<'PY'
import sys

import geopandas as gpd
import sentinelhub
import shapely
import utm

print(f"sentinelhub {sentinelhub.__version__}, utm 0.9.0, geopandas {gpd.__version__}")

PLACES = {  # longitude, latitude
    "Ljubljana": (14.5, 46.1),
    "west of Norway": (5.3, 60.4),
    "Svalbard, west": (10.0, 78.0),
    "Svalbard, east": (20.0, 78.5),
}
found = {}
for name, (longitude, latitude) in PLACES.items():
    point = gpd.GeoSeries([shapely.Point(longitude, latitude)], crs="EPSG:4326")
    zones = (
        int(sentinelhub.CRS.get_utm_from_wgs84(longitude, latitude).value) - 32600,
        utm.from_latlon(latitude, longitude)[2],
        point.estimate_utm_crs().to_epsg() - 32600,
    )
    found[name] = zones
    where = f"{name:15} {longitude:4.1f}° E {latitude:4.1f}° N"
    print(f"{where}: zone by sentinelhub {zones[0]}, utm {zones[1]}, geopandas {zones[2]}")

if found.pop("Ljubljana") != (33, 33, 33):
    sys.exit("changed: they disagree elsewhere too")
if [zones[:2] for zones in found.values()] != [(32, 32), (33, 33), (33, 33)]:
    sys.exit("changed: sentinelhub or utm no longer keeps to the zones of Norway and Svalbard")
if [zones[2] for zones in found.values()] != [31, 32, 34]:
    sys.exit("changed: geopandas no longer names the zone by longitude alone")
print("as described: sentinelhub and utm keep to the exceptions of the north, geopandas does not")
PY
