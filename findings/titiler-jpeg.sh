#!/usr/bin/env bash
# titiler draws tiles of a raster by its colour table. One expects that a raster of five classes has five colours.
# The address in its TileJSON names no format, and then the format depends on the tile: PNG where a pixel of it is
# nodata, JPEG where all are seen. In the middle of a mine there are thousands of colours that are no class, at its edge
# five. Who looks up a class by its colour, or compares two dates by tiles, is right at the edge only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet \
  titiler.core==2.4.0 rio-tiler==9.4.12 rasterio==1.4.4 fastapi==0.150.0 httpx==0.28.1 numpy==2.4.6

cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.metadata
import sys

import morecantile
import numpy as np
import rasterio
from fastapi import FastAPI
from fastapi.testclient import TestClient
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from titiler.core.factory import TilerFactory

print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("titiler.core", "rio-tiler", "rasterio")))

classes = np.random.default_rng(1).integers(0, 5, (60, 60)).repeat(10, axis=0).repeat(10, axis=1).astype(np.uint8)
colours = {0: (0, 0, 0, 255), 1: (255, 0, 0, 255), 2: (0, 255, 0, 255), 3: (0, 0, 255, 255), 4: (255, 255, 0, 255)}
with rasterio.open(
    "classes.tif", "w", driver="COG", width=600, height=600, count=1, dtype="uint8", nodata=255, crs="EPSG:32633",
    transform=from_origin(500000, 5200000, 10, 10),
) as dataset:  # fmt: skip
    dataset.write(classes, 1)
    dataset.write_colormap(1, colours)

app = FastAPI()
app.include_router(TilerFactory().router)
client = TestClient(app)
about = client.get("/WebMercatorQuad/tilejson.json", params={"url": "classes.tif"}).json()
west, south, east, north = about["bounds"]
middle, edge = ((west + east) / 2, (south + north) / 2), (west, (south + north) / 2)


def tile(at: tuple[float, float], suffix: str = "") -> tuple[str, int]:
    """Return the content type and the number of colours of the tile at longitude and latitude."""
    place = morecantile.tms.get("WebMercatorQuad").tile(*at, 14)
    address = about["tiles"][0].replace("{y}", f"{place.y}{suffix}").format(z=place.z, x=place.x)
    answer = client.get(address)
    answer.raise_for_status()
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        return answer.headers["content-type"], len(np.unique(dataset.read([1, 2, 3]).reshape(3, -1), axis=1).T)


found = {"middle": tile(middle), "edge": tile(edge), "middle, asked for as .png": tile(middle, ".png")}
for where, (kind, count) in found.items():
    print(f"{where}: {kind}, {count} colours")
if found["middle"][0] != "image/jpeg" or found["middle"][1] <= 100:
    sys.exit("changed: a tile without nodata is no JPEG of many colours")
if found["edge"] != ("image/png", 5) or found["middle, asked for as .png"] != ("image/png", 5):
    sys.exit("changed: a tile with nodata, or one asked for as PNG, has not just the five colours")
print("as described: five classes have five colours at the edge and many more in the middle")
PY
