"""GeoTIFFs of one's own, read as scenes."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

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
    planes, valid, _, notes = read_scene(shifted, ("B04", "B02"))
    assert not valid[:5].any() and valid[5:].all() and not notes
    assert planes[:, 5:] == pytest.approx(1e-4 * stored[[names.index("B04"), names.index("B02")], 5:], abs=1e-6)


def test_a_file_that_is_no_raster_or_lacks_a_band_is_named(tmp_path: Path) -> None:
    make_chips(tmp_path, chips=1, size=64, seed=3)
    with pytest.raises(WrongUse, match="lacks B99: name its bands"):
        read_scene(tmp_path / "images" / "sim_0000.tif", ("B04", "B99"))
    whole = (tmp_path / "images" / "sim_0000.tif").read_bytes()
    for name, content, said in (
        ("nothing.tif", None, "^there is no file .*nothing.tif$"),
        ("empty.tif", b"", "is empty: copy it again$"),
        ("words.tif", b"hello", "is no GeoTIFF, or is cut off: copy it again, or save it as GeoTIFF$"),
        ("half.tif", whole[:300], "is no GeoTIFF, or is cut off: copy it again, or save it as GeoTIFF$"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(WrongUse, match=said):
            read_scene(tmp_path / name, ("B04",))


def own(path: Path, *, metres: float, crs: str = "EPSG:32723", ground: int = 1800) -> Path:
    """Write a square of `ground` metres of a slope of brightness, with a quarter of SCL cloud, in such pixels."""
    side = round(ground / metres)
    slope = np.linspace(300, 3000, side)
    planes = np.stack([np.tile(slope * times, (side, 1)) for times in (0.5, 1, 0.8)] + [np.full((side, side), 4)])
    planes[3, : side // 2, : side // 2] = 9
    unit = metres / 111_320 if crs == "EPSG:4326" else metres
    corner = (-44.0, -0.01) if crs == "EPSG:4326" else (610000, 7790000)
    form = {"driver": "GTiff", "count": 4, "height": side, "width": side, "dtype": "uint16", "crs": crs}
    with rasterio.open(path, "w", **form, transform=Affine(unit, 0, corner[0], 0, -unit, corner[1])) as dataset:
        dataset.write(planes.astype(np.uint16))
        dataset.descriptions = ("B02", "B03", "B04", "SCL")
    return path


@pytest.mark.parametrize(
    ("metres", "crs"), [(3, "EPSG:32723"), (20, "EPSG:32723"), (3, "EPSG:4326"), (20, "EPSG:4326")]
)
def test_other_pixels_become_ten_metres_in_utm(tmp_path: Path, metres: float, crs: str) -> None:
    planes, valid, profile, notes = read_scene(own(tmp_path / "scene.tif", metres=metres, crs=crs), ("B02", "B03"))
    assert profile["crs"].to_epsg() == 32723 and profile["transform"][:5:4] == (10, -10)
    assert profile["transform"].c % 10 == 0 and "resampled to 10 m" in notes[-1]
    assert planes.shape[1:] == valid.shape == (profile["height"], profile["width"])
    assert abs(profile["width"] - 180) <= 2
    middle = planes[1, 150, 20:-20]
    assert middle == pytest.approx(np.linspace(0.06, 0.27, len(middle)), abs=0.006) and not valid[:85, :85].any()
    assert valid[95:175, 5:175].mean() == 1


@pytest.mark.parametrize(("metres", "crs"), [(9, "EPSG:4326"), (10, "EPSG:32723")])
def test_pixels_of_about_ten_metres_stay_as_they_are(tmp_path: Path, metres: float, crs: str) -> None:
    path = own(tmp_path / "scene.tif", metres=metres, crs=crs)
    planes, _, profile, notes = read_scene(path, ("B02", "B03"))
    with rasterio.open(path) as dataset:
        assert (planes == dataset.read([1, 2]) * np.float32(1e-4)).all()
        assert (profile["transform"], profile["crs"]) == (dataset.transform, dataset.crs) and not notes


@pytest.mark.parametrize(("metres", "crs"), [(30, "EPSG:32723"), (60, "EPSG:32723"), (30, "EPSG:4326")])
def test_coarse_pixels_are_refused(tmp_path: Path, metres: float, crs: str) -> None:
    with pytest.raises(WrongUse, match="too coarse for models of 10 m"):
        read_scene(own(tmp_path / "scene.tif", metres=metres, crs=crs), ("B02", "B03"))
