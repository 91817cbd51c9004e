#!/usr/bin/env bash
# pyogrio.write_dataframe(..., append=True) adds rows to a layer. One expects that a frame in another CRS is projected
# or refused, and that a number which does not fit its column is refused.
# The coordinates are written as they are under the CRS of the layer, without a word, and the number is clamped to the
# largest of the column's type, with a warning.
# Mines lie in many UTM zones: outlines of two of them in one GeoPackage, and one mine lands hundreds of kilometres off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet pyogrio==0.13.0 geopandas==1.2.0 shapely==2.2.0 pandas==3.1.1

cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

print(f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}, geopandas {gpd.__version__}")


def mine(longitude: float, epsg: int, pixels: int, kind: type) -> gpd.GeoDataFrame:
    """Return a mine at 52° north as a frame in UTM zone `epsg`, with the pixels of its pit as integers of `kind`."""
    here = gpd.GeoSeries([shapely.Point(longitude, 52)], crs="EPSG:4326").to_crs(epsg)
    return gpd.GeoDataFrame({"pixels": np.array([pixels], kind)}, geometry=here)


pyogrio.write_dataframe(mine(15.0, 32633, 1200, np.int16), "mines.gpkg")
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    pyogrio.write_dataframe(mine(21.0, 32634, 70_000, np.int32), "mines.gpkg", append=True)

read = pyogrio.read_dataframe("mines.gpkg")
longitudes = read.to_crs(4326).geometry.x.round(3).tolist()
print(f"warnings: {[str(one.message) for one in said]}")
print(f"CRS of the layer: EPSG:{read.crs.to_epsg()}; longitudes written 15 and 21, read {longitudes}")
print(f"pixels written 1200 and 70000, read {read.pixels.tolist()}")
if read.crs.to_epsg() != 32633 or longitudes != [15, 15]:
    sys.exit("changed: a frame in another CRS is projected now")
if any("crs" in str(one.message).lower() or "reference" in str(one.message).lower() for one in said):
    sys.exit("changed: there is a warning of the other CRS now")
if read.pixels.tolist() != [1200, 32767]:
    sys.exit("changed: a number that does not fit is no longer clamped")
print("as described: the second mine lies at 15° E instead of 21° E, and 70000 became 32767")
PY
