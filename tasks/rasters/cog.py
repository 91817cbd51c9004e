"""Reads and writes rasters: Cloud-Optimized GeoTIFFs on a mine's grid, at file:// or s3:// addresses.

A raster is written under a temporary name and moved into place, so that what stands at an address is whole.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import fsspec
import numpy as np
from botocore.exceptions import BotoCoreError
from fsspec.implementations.local import LocalFileSystem
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.io import MemoryFile

from tasks.errors import RasterError, RasterLost
from tasks.rasters import shelf
from tasks.rasters.grid import Grid
from tasks.text import one_line

BLOCK = 512
"""Pixels a side of a tile. What is no larger has no overviews, which took a quarter of the bytes and nobody reads; with
ZSTD at its quickest a raster is written in a fifth of the time that DEFLATE took, and no larger."""
REFUSALS = (OSError, ImportError, ValueError, BotoCoreError)
"""What a store raises: a disk, an object store without a key, an address that is none."""


@dataclass(frozen=True, eq=False)
class Raster:
    """What a file holds: `array` (bands, H, W), the names of its bands, its grid and its tags."""

    array: np.ndarray
    descriptions: tuple[str, ...]
    grid: Grid
    tags: dict[str, str]

    def band(self, name: str) -> np.ndarray:
        """Return the (H, W) array of the band called `name`; raises RasterError when there is none."""
        if name not in self.descriptions:
            raise RasterError(f"the raster has no band '{name}', only {', '.join(self.descriptions)}")
        return self.array[self.descriptions.index(name)]


def encode_cog(
    array: np.ndarray,
    grid: Grid,
    *,
    descriptions: Sequence[str],
    nodata: float | None,
    scales: Sequence[float] | None = None,
    tags: Mapping[str, str] | None = None,
    colormap: Mapping[int, tuple[int, ...]] | None = None,
) -> bytes:
    """Return `array`, (bands, H, W) or (H, W), as the bytes of a Cloud-Optimized GeoTIFF on `grid`."""
    planes = array[None] if array.ndim == 2 else array
    if planes.shape != (len(descriptions), grid.height, grid.width):
        raise RasterError(f"an array of shape {planes.shape} does not fit {len(descriptions)} bands on {grid}")
    profile = {
        "driver": "COG", "dtype": planes.dtype.name, "count": len(planes), "height": grid.height, "width": grid.width,
        "crs": grid.crs, "transform": grid.transform, "nodata": nodata, "compress": "zstd", "level": 1,
        "predictor": "yes", "blocksize": min(BLOCK, -(-max(planes.shape[1:]) // 16) * 16),
        "overview_resampling": "nearest",
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(planes)
            dataset.descriptions = tuple(descriptions)
            dataset.update_tags(**(tags or {}))
            if scales is not None:
                dataset.scales = tuple(scales)
            if colormap is not None:
                dataset.write_colormap(1, dict(colormap))
        return bytes(memory.getbuffer())


def write_cog(
    address: str,
    array: np.ndarray,
    grid: Grid,
    *,
    descriptions: Sequence[str],
    nodata: float | None,
    scales: Sequence[float] | None = None,
    tags: Mapping[str, str] | None = None,
    colormap: Mapping[int, tuple[int, ...]] | None = None,
) -> str:
    """Write a raster to `address` and return the SHA-256 of its bytes; raises RasterError when it cannot."""
    content = encode_cog(
        array, grid, descriptions=descriptions, nodata=nodata, scales=scales, tags=tags, colormap=colormap
    )
    try:
        files, path = fsspec.core.url_to_fs(address)
        if isinstance(files, LocalFileSystem):  # in an object store this would make a bucket
            files.makedirs(files._parent(path), exist_ok=True)
        temporary = f"{path}.part"  # always the same: what a killed run has left there is written over
        try:
            files.pipe_file(temporary, content)
            files.mv(temporary, path)
        except BaseException:
            with suppress(*REFUSALS):
                files.rm_file(temporary)
            raise
    except REFUSALS as error:
        raise RasterError(
            f"cannot write {address} ({one_line(error)}): check MINECAM_RASTERS, what it takes to write there, and the "
            "space left"
        ) from error
    return hashlib.sha256(content).hexdigest()


def read_raster(address: str, checksum: str | None = None) -> Raster:
    """Read the raster at `address`.

    Its array is not to be changed: others may be given the same (`shelf`). Raises RasterLost when it is missing,
    truncated, or its SHA-256 is not `checksum`, RasterError when the store does not give it for now.
    """
    try:
        files, path = fsspec.core.url_to_fs(address)
        label = shelf.label(address, checksum, files.info(path))
        if known := shelf.taken(label):
            return known
        content = files.cat_file(path)
    except REFUSALS as error:
        if isinstance(error, FileNotFoundError) and not _without_bucket(error):
            raise RasterLost(f"cannot read the raster {address}: it is missing") from error
        raise RasterError(f"cannot read the raster {address}: {one_line(error)}") from error
    if checksum is not None and hashlib.sha256(content).hexdigest() != checksum:
        raise RasterLost(f"the raster {address} is not what its checksum says: download it again")
    try:
        raster = decode(content)
    except RasterioError as error:
        raise RasterLost(f"the raster {address} is truncated or no GeoTIFF") from error
    shelf.put(label, raster)
    return raster


def _without_bucket(error: Exception) -> bool:
    """Whether an object store says that the bucket itself is missing: then no raster in it counts as lost."""
    answer = getattr(error.__cause__, "response", None) or {}
    return bool(answer.get("Error", {}).get("Code") == "NoSuchBucket")


def decode(content: bytes, *, shape: tuple[int, int, int] | None = None) -> Raster:
    """Return the raster in the bytes of a GeoTIFF; rasterio's errors pass.

    Raises RasterError when it is not of `shape` (bands, H, W), before its pixels take any memory.
    """
    if not content:  # GDAL takes it for a file to be written
        raise RasterioIOError("there is nothing in it")
    # Only as a GeoTIFF: GDAL reads formats that are nothing but the addresses of other files.
    with MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
        found = (dataset.count, dataset.height, dataset.width)
        if shape is not None and found != shape:
            raise RasterError(f"an array of {found}, not {shape}")
        corner = dataset.transform
        epsg = dataset.crs.to_epsg() if dataset.crs else None
        return Raster(
            array=dataset.read(),
            descriptions=tuple(name or "" for name in dataset.descriptions),
            grid=Grid(epsg or 0, corner.c, corner.f, dataset.width, dataset.height),
            tags=dataset.tags(),
        )
