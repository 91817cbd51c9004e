from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy import ndimage

from models.sensors import sensor_set
from tasks.acquire.download import band_names
from tasks.errors import WrongUse
from tasks.rasters.cog import Raster
from tasks.rasters.grid import Grid
from tasks.settings import settings
from tasks.validate.clouds import BANDS, cloud_source, coarse, csmask, merged, scene_classes
from tasks.validate.validate import validity

needs_csmask = pytest.mark.skipif(not find_spec("ukis_csmask"), reason="no csmask here: pip install 'minecam[csmask]'")
GROUND = (0.05, 0.08, 0.10, 0.25, 0.22, 0.15)
CLOUD = (0.65, 0.63, 0.62, 0.66, 0.45, 0.35)
SIDE = 300


def raster(of: str, collection: str, planes: np.ndarray, scl: int = 5) -> Raster:
    """A raster of the sensor set `of` with `planes` of BANDS, all of one scene class and inside the swath."""
    names = band_names(sensor_set(of).bands, collection)
    bands = dict(zip(BANDS, planes, strict=True))
    shape = planes.shape[1:]
    bands |= dict.fromkeys(("B05", "B06", "B07", "B8A"), planes[3])
    rest = {"SCL": np.full(shape, scl), "dataMask": np.ones(shape)}
    array = np.stack([bands[name] * 10_000 if name in bands else rest[name] for name in names]).astype(np.uint16)
    return Raster(array, names, Grid(32644, 0, 0, shape[1], shape[0]), {"collection": collection})


@pytest.fixture(scope="module")
def cloudy() -> np.ndarray:
    """Uneven bare ground, and a cloud of a kilometre in its middle."""
    rng = np.random.default_rng(1)
    uneven, fuzzy = (ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), scale) for scale in (8, 6))
    away = np.hypot(*np.ogrid[-SIDE // 2 : SIDE // 2, -SIDE // 2 : SIDE // 2])
    cloud = np.clip((60 - away) / 15 + 0.3 * fuzzy / fuzzy.std(), 0, 1)
    ground = np.array(GROUND)[:, None, None] * (1 + 0.15 * uneven / uneven.std())
    return (ground * (1 - cloud) + np.array(CLOUD)[:, None, None] * cloud).astype(np.float32)


def test_what_csmask_finds_replaces_what_scl_says_of_clouds_only():
    scl = np.array([[0, 1, 11, 5, 3, 8, 9, 10, 6]], np.uint16)
    nothing, cloud, shadow = (np.full(scl.shape, found, np.uint8) for found in (0, 1, 2))
    assert merged(scl, nothing).tolist() == [[0, 1, 11, 5, 7, 7, 7, 7, 6]]
    assert set(merged(scl, cloud)[0, 1:].tolist()) == {9} and merged(scl, cloud)[0, 0] == 0
    assert set(merged(scl, shadow)[0, 1:].tolist()) == {3}
    assert merged(None, cloud).tolist() == [[9] * 9] and merged(None, nothing).tolist() == [[7] * 9]


def test_coarse_pixels_are_means_also_at_the_edge():
    small = coarse(np.arange(20, dtype=np.float32).reshape(1, 4, 5))
    assert small.shape == (1, 2, 2)
    assert small[0, 0, 0] == pytest.approx(np.mean([0, 1, 2, 5, 6, 7, 10, 11, 12]))
    assert small[0, 1, 1] == pytest.approx(np.mean([18, 19, 19]))


def test_scl_decides_unless_csmask_is_asked_for(cloudy):
    assert (scene_classes(raster("s2-6", "sentinel-2-l2a", cloudy)) == 5).all()
    assert cloud_source(raster("s2-6", "sentinel-2-l2a", cloudy)) == "scl"
    assert scene_classes(raster("s2-6", "sentinel-2-l1c", cloudy)) is None
    assert cloud_source(raster("s2-6", "sentinel-2-l1c", cloudy)) == "nothing"


@pytest.mark.skipif(bool(find_spec("ukis_csmask")), reason="csmask is installed here")
def test_without_csmask_the_setting_says_what_to_install(monkeypatch):
    monkeypatch.setenv("MINECAM_CLOUD_MASK", "csmask")
    with pytest.raises(
        WrongUse, match=r"^MINECAM_CLOUD_MASK=csmask: it is not installed: pip install 'minecam\[csmask\]'"
    ):
        settings()


@needs_csmask
@pytest.mark.parametrize("collection", ["sentinel-2-l2a", "sentinel-2-l1c"])
@pytest.mark.parametrize("of", ["s2-6", "s2-10"])
def test_csmask_hides_a_cloud_that_nothing_else_tells(of, collection, cloudy, monkeypatch):
    monkeypatch.setenv("MINECAM_CLOUD_MASK", "csmask")
    scene = raster(of, collection, cloudy)
    assert not validity(scene, 2)[130:170, 130:170].any()
    assert cloud_source(scene).startswith("csmask 1.")


@needs_csmask
def test_csmask_leaves_bands_that_it_cannot_use_to_scl(cloudy, monkeypatch):
    monkeypatch.setenv("MINECAM_CLOUD_MASK", "csmask")
    scene = raster("s2-rgb", "sentinel-2-l2a", cloudy, scl=8)
    assert (scene_classes(scene) == 8).all() and cloud_source(scene) == "scl"


@needs_csmask
def test_csmask_of_a_scene_of_a_few_pixels_and_of_none(cloudy):
    assert csmask(cloudy[:, :7, :5], np.ones((7, 5), bool), "l2a").shape == (7, 5)
    assert not csmask(cloudy[:, :7, :5], np.zeros((7, 5), bool), "l2a").any()


@needs_csmask
@pytest.mark.shared_data
def test_csmask_on_a_real_mine(shared_data):
    clear, cloudy = (real(shared_data / "series" / "mine_1" / f"{day}.tif") for day in ("2023-05-08", "2023-07-02"))
    assert (csmask(*clear, "l2a") == 0)[clear[1]].mean() > 0.8
    assert (csmask(*cloudy, "l2a") == 1)[cloudy[1]].mean() > 0.8


def real(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with rasterio.open(path) as dataset:
        planes = dataset.read([dataset.descriptions.index(name) + 1 for name in BANDS])
    return (planes / 10_000).astype(np.float32), (planes > 0).all(axis=0)
