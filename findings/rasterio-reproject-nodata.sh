#!/usr/bin/env bash
# rasterio.warp.reproject takes src_nodata and dst_nodata. One expects that pixels without data come out as dst_nodata.
# Where src_nodata is given too, dst_nodata is not written: those pixels, and those outside the source, come out as
# src_nodata. With dst_nodata alone, pixels outside come out as dst_nodata, and missing pixels of the source are values.
# A class raster with 255 for "not seen" can so not be warped to one with another code: what was not seen at a mine
# keeps the old code, and who counts pixels by the new one finds that all was seen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet rasterio==1.4.4 numpy==2.4.6

"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject

print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")

# 20 × 20 pixels: the upper half was not seen (255), the lower half is of class 100. The target is 40 × 40 around it.
source = np.full((20, 20), 100, np.uint8)
source[:10] = 255


def warped(**nodata: object) -> dict[int, int]:
    target = np.full((40, 40), 7, np.uint8)
    reproject(
        source, target, resampling=Resampling.nearest,
        src_crs="EPSG:32633", src_transform=from_origin(500000, 100000, 10, 10),
        dst_crs="EPSG:32633", dst_transform=from_origin(499900, 100100, 10, 10), **nodata,
    )  # fmt: skip
    return {int(value): int(count) for value, count in zip(*np.unique(target, return_counts=True))}


both = warped(src_nodata=255, dst_nodata=0)
alone = warped(dst_nodata=0)
same = warped(src_nodata=255, dst_nodata=255)
print(f"src_nodata=255, dst_nodata=0   -> pixels by value {both}   (expected {{0: 1400, 100: 200}})")
print(f"dst_nodata=0                   -> pixels by value {alone}")
print(f"src_nodata=255, dst_nodata=255 -> pixels by value {same}")
if both != {100: 200, 255: 1400}:
    sys.exit("changed: dst_nodata counts now beside src_nodata, or the pixels come out otherwise")
if alone != {0: 1200, 100: 200, 255: 200}:
    sys.exit("changed: dst_nodata alone no longer fills just what lies outside the source")
print("as described: dst_nodata is not written where src_nodata is given")
PY
