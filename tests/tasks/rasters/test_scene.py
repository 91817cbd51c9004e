"""GeoTIFFs of one's own, read as scenes."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from deploy.simulate import make_chips
from tasks.errors import WrongUse
from tasks.rasters.scene import read_scene


def test_scale_offset_and_nodata_of_a_file_are_heeded(tmp_path: Path) -> None:
    make_chips(tmp_path, chips=1, size=64, seed=3)
    scene = tmp_path / "images" / "sim_0000.tif"
    with rasterio.open(scene) as dataset:
        stored, names, profile = dataset.read(), dataset.descriptions, dataset.profile
    stored = stored.astype(np.int32)
    stored[:, :5] = -1000  # nodata, but not 0
    shifted = tmp_path / "shifted.tif"
    with rasterio.open(shifted, "w", **{**profile, "dtype": "int32", "nodata": -1000}) as dataset:
        dataset.write(np.where(stored == -1000, -1000, stored + 1000))
        dataset.descriptions, dataset.scales, dataset.offsets = names, [1e-4] * 10, [-0.1] * 10
    planes, valid, _ = read_scene(shifted, ("B04", "B02"))
    assert not valid[:5].any() and valid[5:].all()
    assert planes[:, 5:] == pytest.approx(1e-4 * stored[[names.index("B04"), names.index("B02")], 5:], abs=1e-6)


def test_a_file_that_is_no_raster_or_lacks_a_band_is_named(tmp_path: Path) -> None:
    make_chips(tmp_path, chips=1, size=64, seed=3)
    with pytest.raises(WrongUse, match="lacks B99: name its bands"):
        read_scene(tmp_path / "images" / "sim_0000.tif", ("B04", "B99"))
    with pytest.raises(WrongUse, match="cannot be read as a raster"):
        read_scene(tmp_path / "sites.csv", ("B04",))
