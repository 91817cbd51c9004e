import hashlib
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tasks.errors import RasterError
from tasks.rasters.cog import read_raster, write_cog
from tasks.rasters.grid import Grid

GRID = Grid(32643, 300_000, 2_700_000, 300, 280)


def _array() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 10_000, (3, 280, 300), dtype=np.uint16)


def _write(folder: Path) -> tuple[str, str]:
    address = (folder / "mine" / "a.tif").as_uri()
    tags = {"product_ids": "X"}
    checksum = write_cog(
        address, _array(), GRID, descriptions=("B02", "B03", "dataMask"), nodata=None, scales=(1e-4, 1e-4, 1), tags=tags
    )
    return address, checksum


def test_what_is_written_is_read(tmp_path: Path) -> None:
    address, checksum = _write(tmp_path)
    raster = read_raster(address, checksum)
    np.testing.assert_array_equal(raster.array, _array())
    np.testing.assert_array_equal(raster.band("B03"), _array()[1])
    assert raster.descriptions == ("B02", "B03", "dataMask")
    assert raster.grid == GRID
    assert raster.tags["product_ids"] == "X"
    with pytest.raises(RasterError, match="no band 'SCL'"):
        raster.band("SCL")


def test_the_file_is_a_cog_and_nothing_else_is_left(tmp_path: Path) -> None:
    _, checksum = _write(tmp_path)
    (path,) = (tmp_path / "mine").iterdir()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.scales == (1e-4, 1e-4, 1)


def test_a_class_raster_keeps_its_colours(tmp_path: Path) -> None:
    classes = np.full((280, 300), 255, np.uint8)
    address = (tmp_path / "c.tif").as_uri()
    write_cog(address, classes, GRID, descriptions=("class",), nodata=255, colormap={1: (10, 20, 30, 255)})
    with rasterio.open(tmp_path / "c.tif") as dataset:
        assert dataset.colormap(1)[1] == (10, 20, 30, 255)
        assert dataset.nodata == 255


def test_missing_truncated_and_foreign_rasters_are_refused(tmp_path: Path) -> None:
    address, checksum = _write(tmp_path)
    path = tmp_path / "mine" / "a.tif"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(RasterError, match="checksum"):
        read_raster(address, checksum)
    with pytest.raises(RasterError, match="truncated"):
        read_raster(address)
    path.write_text("<html>")
    with pytest.raises(RasterError, match="no GeoTIFF"):
        read_raster(address)
    with pytest.raises(RasterError, match="cannot read"):
        read_raster((tmp_path / "none.tif").as_uri())


def test_an_array_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RasterError, match="does not fit"):
        write_cog((tmp_path / "a.tif").as_uri(), _array()[:, 1:], GRID, descriptions=("a", "b", "c"), nodata=None)
