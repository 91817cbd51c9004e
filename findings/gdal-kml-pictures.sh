#!/usr/bin/env bash
# pyogrio (GDAL, driver LIBKML) reads KML, as Google Earth writes it. One expects its placemarks as rows.
# A picture that is draped over the map (GroundOverlay) is a row too, its frame a polygon, like an outline; only that its
# column `tessellate` is empty, or `icon` filled, tells it from one. Names of all folders are layers, empty ones too.
# A folder of mines with a scanned map over them, and 112 km² called "photo" are watched as a mine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet pyogrio==0.13.0 geopandas==1.2.0 shapely==2.2.0 pandas==3.1.1

cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from pathlib import Path

import pyogrio

print(f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}")
Path("mines.kml").write_text(
    """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<GroundOverlay><name>photo</name><Icon><href>map.png</href></Icon>
<LatLonBox><north>-24.2</north><south>-24.3</south><east>-69</east><west>-69.1</west></LatLonBox></GroundOverlay>
<Placemark><name>Cerro Alto</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
-69.10,-24.30 -69.07,-24.30 -69.07,-24.27 -69.10,-24.27 -69.10,-24.30
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""
)
rows = pyogrio.read_dataframe("mines.kml")
found = {row.Name: row.geometry.geom_type for row in rows.itertuples()}
print(f"rows: {found}")
if found != {"photo": "Polygon", "Cerro Alto": "Polygon"}:
    sys.exit("changed: a picture over the map is no polygon any more")
area = rows.set_index("Name").to_crs(32719).geometry.area / 1e6
print(f"km²: {area.round(1).to_dict()}")
print("as described: the frame of the picture is a polygon of 112 km² beside the outline of 10")
PY
