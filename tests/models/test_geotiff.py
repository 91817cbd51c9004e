"""GeoTIFFs as people bring them, read as reflectance: by `predict`, `archive import` and chips alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from deploy.simulate import make_chips
from models.chips import read_chips
from models.errors import ModelError
from models.geotiff import Picture, read_picture
from models.sensors import sensor_set

BANDS = ("B02", "B03", "B04")
FIRST = slice(0, 20)
"""Rows of the scene that hold no data where a test says so."""


def reflectance() -> np.ndarray:
    """float64 (3, 60, 50)."""
    rng = np.random.default_rng(8)
    shade = rng.lognormal(0, 0.4, (60, 50))
    return np.round(np.stack([at * shade * rng.uniform(0.9, 1.1, shade.shape) for at in (0.04, 0.07, 0.1)]), 4)


def write(path: Path, planes: np.ndarray, names: tuple[str | None, ...] = BANDS, **profile: Any) -> Path:
    count, height, width = planes.shape
    form = {"driver": "GTiff", "crs": "EPSG:32723", "transform": Affine(10, 0, 610000, 0, -10, 7790000)}
    size = {"count": count, "height": height, "width": width, "dtype": planes.dtype.name}
    with rasterio.open(path, "w", **{**form, **size, **profile}) as raster:
        raster.write(planes)
        raster.descriptions = names
    return path


def read(path: Path, bands: tuple[str, ...] = BANDS) -> Picture:
    with rasterio.open(path) as raster:
        return read_picture(raster, bands)


def holds(picture: Picture) -> None:
    """Assert that all but the first rows are seen, with their reflectance, and that nothing stands elsewhere."""
    assert not picture.seen[FIRST].any() and picture.seen[20:].all()
    assert picture.planes[:, 20:] == pytest.approx(reflectance()[:, 20:], abs=1e-6)
    assert (picture.planes[:, FIRST] == 0).all()


@pytest.mark.parametrize(
    ("fill", "kind", "times"),
    [(-9999, "int16", 1e4), (65535, "uint16", 1e4), (1, "uint16", 1e4), (0, "uint16", 1e4), (-32768, "int16", 1e4),
     (-9999, "float32", 1), (np.nan, "float32", 1), (-3.4e38, "float32", 1), (1e20, "float64", 1e4),
     (-999, "int16", 1e4), (65535, "float32", 1)],
)  # fmt: skip
def test_fill_that_no_tag_declares_is_no_data(tmp_path: Path, fill: float, kind: str, times: float) -> None:
    planes = np.round(reflectance() * times, 4)
    planes[:, FIRST] = fill
    picture = read(write(tmp_path / "scene.tif", planes.astype(kind)))
    holds(picture)
    told = any("33 % of its pixels" in note for note in picture.notes)
    assert told == (fill != 0 and not np.isnan(fill))


@pytest.mark.parametrize("way", ["nodata", "mask", "sidecar", "alpha", "unnamed alpha", "dataMask", "one band"])
def test_what_a_file_declares_as_no_data_is_none(tmp_path: Path, way: str) -> None:
    planes, path = np.round(reflectance() * 1e4).astype(np.uint16), tmp_path / "scene.tif"
    planes[:, FIRST] = 4000
    planes[0, FIRST] = 4100
    mask = np.full(planes.shape[1:], 255, np.uint16)
    mask[FIRST] = 0
    if way in ("nodata", "one band"):
        planes[: 1 if way == "one band" else 3, FIRST] = 7777
        write(path, planes, nodata=7777)
    elif way in ("mask", "sidecar"):
        write(path, planes)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=way == "mask"), rasterio.open(path, "r+") as raster:
            raster.write_mask(mask > 0)
        assert path.with_name("scene.tif.msk").exists() == (way == "sidecar")
    else:
        name = {"alpha": "alpha", "unnamed alpha": None, "dataMask": "dataMask"}[way]
        write(path, np.concatenate([planes, mask[None]]), (*BANDS, name))
        if way == "unnamed alpha":
            with rasterio.open(path, "r+") as raster:
                raster.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.alpha)
    holds(read(path))


def test_a_fourth_band_with_a_name_is_no_alpha(tmp_path: Path) -> None:
    planes = np.round(reflectance() * 1e4).astype(np.uint16)
    infrared = planes[2:] * 2
    infrared[:, :5] = 0
    path = write(tmp_path / "scene.tif", np.concatenate([planes, infrared]), (*BANDS, "B08"))
    with rasterio.open(path, "r+") as raster:
        raster.colorinterp = (ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.alpha)
    assert read(path).seen.all()


def test_glint_and_real_negatives_do_not_refuse_a_scene(tmp_path: Path) -> None:
    planes = np.round(reflectance() * 1e4 + 1000).astype(np.uint16)
    planes[2, 30, :20] = 960  # darker than the air was thought to be
    planes[:, 31, :20] = np.array([[17500], [18000], [18500]])
    planes[:, 32, :5] = np.array([[65535], [65535], [64000]])
    path = write(tmp_path / "scene.tif", planes)
    with rasterio.open(path, "r+") as raster:
        raster.scales, raster.offsets = (1e-4,) * 3, (-0.1,) * 3
    picture = read(path)
    assert picture.seen.sum() == 3000 - 5 and not picture.seen[32, :5].any()
    assert picture.planes[:, 31, 0] == pytest.approx([1.65, 1.7, 1.75])


def test_bands_are_found_by_other_names_and_never_twice(tmp_path: Path) -> None:
    planes = reflectance().astype(np.float32)
    assert read(write(tmp_path / "gee.tif", planes, ("B2", "B3", "B4"))).seen.all()
    with pytest.raises(ModelError, match="two bands have the same name"):
        read(write(tmp_path / "twice.tif", planes, ("B2", "B02", "B04")), ("B02",))
    with pytest.raises(ModelError, match="lacks B03, B04"):
        read(write(tmp_path / "other.tif", planes, ("B02", "SR_B3", None)))


def test_the_name_of_a_product_raises_doubt_about_its_offset(tmp_path: Path) -> None:
    planes = np.round(reflectance() * 1e4 + 1000).astype(np.uint16)
    product = "S2A_MSIL2A_20240504T143741_N0510_R096_T19KEQ_20240504T194700"
    with pytest.raises(ModelError, match=r"05\.10"):
        read(write(tmp_path / f"{product}.tif", planes))
    (tmp_path / f"{product}.SAFE").mkdir()
    with pytest.raises(ModelError, match=r"05\.10"):
        read(write(tmp_path / f"{product}.SAFE" / "stack.tif", planes))
    path = write(tmp_path / f"{product}_tagged.tif", planes)
    with rasterio.open(path, "r+") as raster:
        raster.offsets = (-1000,) * 3
    assert read(path).planes == pytest.approx(reflectance(), abs=1e-6)


def test_fill_that_differs_from_band_to_band_is_no_data(tmp_path: Path) -> None:
    planes = np.round(reflectance() * 1e4).astype(np.int32)
    planes[:, FIRST] = np.array([-9999, 0, 65535]).reshape(3, 1, 1)
    holds(read(write(tmp_path / "scene.tif", planes)))


@pytest.mark.parametrize("text", ["ten", "0", "-1", "nan", "inf"])
def test_a_scale_in_words_is_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "scene.tif", np.round(reflectance() * 1e4).astype(np.uint16))
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(reflectance_scale=text)
    with pytest.raises(ModelError, match="reflectance_scale is no scale"):
        read(path)


def test_numbers_that_are_no_brightness_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="complex64"):
        read(write(tmp_path / "scene.tif", reflectance().astype(np.complex64)))


def test_radar_is_linear_power_or_refused(tmp_path: Path) -> None:
    power = np.random.default_rng(3).gamma(4, 0.03, (2, 60, 50)).astype(np.float32)
    power[:, FIRST] = -9999
    assert not read(write(tmp_path / "ok.tif", power, ("VV", "VH")), ("VV", "VH")).seen[FIRST].any()
    for name, planes in (("db", 10 * np.log10(np.abs(power))), ("raw", power * 3000 + 30)):
        with pytest.raises(ModelError, match="Sentinel-1"):
            read(write(tmp_path / f"{name}.tif", planes[:, 20:], ("VV", "VH")), ("VV", "VH"))


@pytest.mark.parametrize(("times", "kind"), [(1e-4, "float32"), (1, "float32"), (1, "int16")])
def test_chips_are_the_same_however_they_are_written(tmp_path: Path, times: float, kind: str) -> None:
    make_chips(tmp_path, chips=1, size=64, seed=3)
    seen = sensor_set("s2-10")
    [before] = read_chips(tmp_path, seen, split="train")
    path = tmp_path / "images" / "sim_0000.tif"
    with rasterio.open(path) as raster:
        planes, names = raster.read(), raster.descriptions
    write(path, (planes * times).astype(kind), names)
    [after] = read_chips(tmp_path, seen, split="train")
    assert after.scene == pytest.approx(before.scene, abs=1e-6) and (after.valid == before.valid).all()
    write(path, (planes / 40).clip(0, 255).astype(np.uint8), names)
    with pytest.raises(ModelError, match=r"chip sim_0000 cannot be used: .*8 bits"):
        read_chips(tmp_path, seen, split="train")
