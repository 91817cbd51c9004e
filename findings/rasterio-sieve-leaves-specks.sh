#!/usr/bin/env bash
# rasterio.features.sieve(raster, size) gives regions smaller than `size` pixels to their largest neighbour. One expects
# that none is left. Two small regions that are each other's largest neighbour stay, as long as what surrounds them is
# smaller still; a second call, when that has gone, removes them. So sieving is not idempotent.
# The minimum mapping unit of a monitor is not kept by one call: ragged ground leaves specks below it, which are stored,
# counted and alerted on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet rasterio==1.4.4 numpy==2.4.6

"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import rasterio
from rasterio.features import rasterize, shapes, sieve

print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")
UNIT = 20


def sizes(classes: np.ndarray) -> list[int]:
    """Return the pixels of each 4-connected region."""
    regions = [(geometry, number) for number, (geometry, _) in enumerate(shapes(classes, connectivity=4))]
    return sorted(np.bincount(rasterize(regions, out_shape=classes.shape, dtype=np.int32).ravel()).tolist())


# A field (0) with two regions of 6 pixels side by side (1, 2), and around them a fringe of single pixels (3, 4).
ragged = np.zeros((12, 16), np.uint8)
fringe = np.add.outer(range(4), range(8)) % 2 + 3
ragged[4:8, 4:12] = fringe
ragged[5:7, 5:8], ragged[5:7, 8:11] = 1, 2
once = sieve(ragged, UNIT, connectivity=4)
twice = sieve(once, UNIT, connectivity=4)
for name, classes in (("before", ragged), ("sieved once", once), ("sieved twice", twice)):
    print(f"{name:12} regions of {sizes(classes)} pixels")

noise = np.random.default_rng(1).integers(0, 4, (100, 100)).astype(np.uint8)
left = [sum(size < UNIT for size in sizes(classes)) for classes in (noise, sieve(noise, UNIT, connectivity=4))]
print(f"random classes: {left[0]} regions below {UNIT} pixels before, {left[1]} after sieve(..., {UNIT})")

if sizes(once) != [6, 6, 180]:
    sys.exit("changed: one call no longer leaves two small regions beside each other")
if sizes(twice) != [192]:
    sys.exit("changed: a second call does not take what the first has left")
if not left[1]:
    sys.exit("changed: no region below the size is left in noise")
print("as described: regions of 6 pixels outlive sieve(..., 20), and a second call removes them")
PY
