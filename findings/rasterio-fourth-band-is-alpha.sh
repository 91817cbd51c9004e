#!/usr/bin/env bash
# Four bands of a satellite (blue, green, red, near infrared) are written to a GeoTIFF, with their names. One expects
# them to be four bands of ground, whatever their type. Of uint16 and float32 they are; of uint8 (scaled reflectance, to
# save room) GDAL makes the file one of colours, and the fourth band its alpha: where near infrared is 0 (water) no data,
# in all bands. Masked reading loses the lake, rasterio.merge writes 0 over the other bands, and only the type differs.
# Who takes validity from the file's mask loses water from some files only; who ignores alpha classifies masked ground.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet rasterio==1.4.4 numpy==2.4.6

"$work/venv/bin/python" - "$work" <<'PY'
import sys

import numpy as np
import rasterio
from rasterio.merge import merge
from rasterio.transform import from_origin

print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")

# 10 × 10 pixels: the upper half is water, dark in near infrared, the lower half is land.
names = ("B02", "B03", "B04", "B08")
planes = np.full((4, 10, 10), 90)
planes[3, :5] = 0
seen, merged = {}, {}
for kind in ("uint8", "uint16", "float32"):
    path = f"{sys.argv[1]}/{kind}.tif"
    form = {"driver": "GTiff", "count": 4, "height": 10, "width": 10, "dtype": kind, "crs": "EPSG:32633"}
    with rasterio.open(path, "w", transform=from_origin(500000, 100000, 10, 10), **form) as raster:
        raster.write(planes.astype(kind))
        raster.descriptions = names
    with rasterio.open(path) as raster:
        seen[kind] = float((raster.dataset_mask() > 0).mean())
        merged[kind] = [int(value) for value in merge([raster])[0][:, 0, 0]]
        shown = [one.name for one in raster.colorinterp]
        print(f"{kind:8} {raster.descriptions} shows as {shown}")
    print(f"{'':8} {100 * seen[kind]:.0f} % has data (expected 100)")
    print(f"{'':8} water after merge {merged[kind]} (expected [90, 90, 90, 0])")
if seen != {"uint8": 0.5, "uint16": 1.0, "float32": 1.0}:
    sys.exit("changed: what a fourth band hides is no longer just what is 0 in it in files of uint8")
if merged["uint8"] != [0, 0, 0, 0] or merged["uint16"] != [90, 90, 90, 0]:
    sys.exit("changed: merge no longer loses the other bands of water in files of uint8")
print("as described: near infrared in the fourth band of a uint8 GeoTIFF is taken for alpha, and water for no data")
PY
