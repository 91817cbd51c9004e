#!/usr/bin/env bash
# pyogrio.read_dataframe reads through Arrow with `use_arrow=True`, which is faster. One expects the same table.
# Of a shapefile without .cpg, as older programs write it, the plain way takes text for ISO-8859-1, as the format says;
# through Arrow it is taken for UTF-8, and the first accent ends in UnicodeDecodeError, unless `encoding` is given.
# Registers of mines are full of such files, and of accents.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet pyogrio==0.13.0 geopandas==1.2.0 shapely==2.2.0 pandas==3.1.1 pyarrow==26.0.1

cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

print(f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}")
mine = gpd.GeoDataFrame({"name": ["Ñandú"]}, geometry=[shapely.box(-69.1, -24.3, -69.07, -24.27)], crs=4326)
mine.to_file("mine.shp", encoding="ISO-8859-1")
Path("mine.cpg").unlink()


def name(**options: object) -> str:
    """Return the name in the shapefile as it is read with `options`."""
    try:
        return str(pyogrio.read_dataframe("mine.shp", **options).name[0])
    except UnicodeDecodeError as error:
        return f"UnicodeDecodeError: {error}"


plain, arrow = name(), name(use_arrow=True)
told = name(use_arrow=True, encoding=pyogrio.read_info("mine.shp")["encoding"])
print(f"plain: {plain}\nwith use_arrow: {arrow}\nwith use_arrow and the encoding of read_info: {told}")
if plain != "Ñandú" or told != "Ñandú":
    sys.exit("changed: the plain way, or the one with the encoding, does not read the name")
if arrow == plain:
    sys.exit("changed: the way through Arrow reads the same as the plain one")
print("as described: the same file cannot be read through Arrow")
PY
