#!/usr/bin/env bash
# The overviews of a Cloud-Optimized GeoTIFF are taken for smaller copies of the raster. Two things differ.
# 1. With "mode" one expects the commonest code of the pixels. Nodata has no vote: one seen pixel among 64 makes the
#    pixel of the overview "seen". Zoomed out, a mine that was hidden by cloud looks wholly classified.
# 2. Opened at a level (overview_level=), the dataset has no band descriptions, and scale 1 and offset 0 in place of its
#    own: who finds bands by name finds none, and reflectance comes out as digital numbers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet rasterio==1.4.4 numpy==2.4.6

cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin

print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")

NODATA = 255
classes = np.full((1024, 1024), NODATA, np.uint8)
down, across = np.mgrid[0:1024:8, 0:1024:8] + np.random.default_rng(1).integers(0, 8, (2, 128, 128))
classes[down, across] = 3  # one pixel in each 8 × 8 was seen


def levels(way: str) -> list[tuple[float, tuple[object, ...]]]:
    """Return for the raster and its three levels the share of seen pixels, and what the band says of itself."""
    with rasterio.open(
        f"{way}.tif", "w", driver="COG", width=1024, height=1024, count=1, dtype="uint8", nodata=NODATA, blocksize=128,
        overview_resampling=way, crs="EPSG:32633", transform=from_origin(500000, 5200000, 10, 10),
    ) as dataset:  # fmt: skip
        dataset.write(classes, 1)
        dataset.descriptions, dataset.scales, dataset.offsets = ("class",), (0.0001,), (-0.1,)
    found = []
    for level in ({}, {"overview_level": 0}, {"overview_level": 1}, {"overview_level": 2}):
        with rasterio.open(f"{way}.tif", **level) as dataset:
            seen = float((dataset.read(1) != NODATA).mean())
            named = dataset.descriptions + dataset.scales + dataset.offsets
            print(f"{way:7} {dataset.width:4} px: seen {seen:7.2%}; description, scale, offset {named}")
            found.append((seen, named))
    return found


mode, nearest = levels("mode"), levels("nearest")
if not (mode[0][0] < 0.02 and mode[-1][0] == 1):
    sys.exit("changed: nodata has a vote now in overviews by mode")
if not nearest[-1][0] < 0.02:
    sys.exit("changed: overviews by nearest no longer keep the share of what was seen")
if mode[0][1] != ("class", 0.0001, -0.1):
    sys.exit("changed: the raster itself does not keep its description, scale and offset")
if any(named != (None, 1, 0) for _, named in (*mode[1:], *nearest[1:])):
    sys.exit("changed: overviews carry descriptions, scales or offsets now")
print("as described: 1.56 % seen is 100 % seen three levels up, and the levels have neither names nor scales")
PY
