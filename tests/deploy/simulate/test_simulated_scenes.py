"""The archive folder that `make` writes: complete, deterministic, and what the contract says."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from shapely.geometry import shape

from deploy.simulate import make
from tasks.errors import WrongUse

SIZE = 160


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    make(folder, mines=4, dates=4, size=SIZE, seed=7, step_days=90)
    return folder


def items(folder, collection):
    return [json.loads(path.read_text()) for path in sorted((folder / "items" / collection).glob("*.json"))]


def test_items_are_stac_and_lead_to_their_scenes(archive):
    optical, radar = items(archive, "sentinel-2-l2a"), items(archive, "sentinel-1-grd")
    assert len(optical) == len(radar) == 16
    for item in optical + radar:
        assert item["id"].startswith("SIM_S") and item["stac_version"] == "1.0.0"
        assert item["properties"]["minecam:simulated"] is True
        assert item["properties"]["datetime"] < item["properties"]["created"]
        assert shape(item["geometry"]).is_valid
        with rasterio.open(archive / item["assets"]["data"]["href"]) as scene:
            assert scene.crs.to_epsg() == item["properties"]["proj:epsg"]
            assert scene.shape == (SIZE, SIZE) and scene.res == (10, 10)
    assert all(0 <= item["properties"]["eo:cloud_cover"] <= 100 for item in optical)
    assert all(item["properties"]["sat:orbit_state"] == "ascending" for item in radar)


def test_bands_and_types(archive):
    optical, radar = items(archive, "sentinel-2-l2a")[0], items(archive, "sentinel-1-grd")[0]
    with rasterio.open(archive / optical["assets"]["data"]["href"]) as scene:
        assert scene.descriptions[:3] == ("B02", "B03", "B04") and scene.descriptions[-1] == "SCL"
        assert set(scene.dtypes) == {"uint16"} and scene.nodata == 0
    with rasterio.open(archive / radar["assets"]["data"]["href"]) as scene:
        assert scene.descriptions == ("VV", "VH") and set(scene.dtypes) == {"float32"}
        planes = scene.read()
    assert (planes > 0).all() and 0.01 < np.median(planes[0]) < 1 and planes[0].mean() > planes[1].mean()


def test_truth_lies_on_the_grid_of_the_scene(archive):
    seen = set()
    for item in items(archive, "sentinel-2-l2a"):
        with rasterio.open(archive / item["assets"]["data"]["href"]) as scene:
            bounds, crs = scene.bounds, scene.crs
        found = list(archive.glob(f"truth/*/{item['properties']['datetime'][:10]}.tif"))
        truths = [rasterio.open(path) for path in found]
        match = [t for t in truths if t.crs == crs and t.bounds == bounds]
        assert len(match) == 1
        seen |= set(np.unique(match[0].read(1)))
        for truth in truths:
            truth.close()
    assert seen == set(range(11))


def test_places_lie_inside_their_scenes(archive):
    places = json.loads((archive / "places.geojson").read_text())["features"]
    assert len({place["properties"]["slug"] for place in places}) == 4
    footprints = [shape(item["geometry"]) for item in items(archive, "sentinel-2-l2a")]
    for place in places:
        aoi, licence = shape(place["geometry"]), shape(place["properties"]["licence"])
        assert aoi.is_valid and licence.is_valid and licence.area < aoi.area
        assert sum(footprint.contains(aoi) for footprint in footprints) == 4
        assert place["properties"]["country"] == "Simulated" and place["properties"]["name"].endswith("(simulated)")


def test_partial_swath_is_zero_in_every_band(tmp_path):
    make(tmp_path, mines=1, dates=8, size=96, seed=3, step_days=20, sentinel1=False)
    last = max(items(tmp_path, "sentinel-2-l2a"), key=lambda item: item["properties"]["datetime"])
    with rasterio.open(tmp_path / last["assets"]["data"]["href"]) as scene:
        planes = scene.read()
    missing = (planes == 0).all(axis=0)
    assert 0.2 < missing.mean() < 0.8
    assert (planes[:10, ~missing] > 0).all()


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        make(tmp_path / name, mines=1, dates=2, size=96, seed=4, start=date(2026, 3, 1))
    make(tmp_path / "other", mines=1, dates=2, size=96, seed=5, start=date(2026, 3, 1))
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    scene = next(f for f in files if f.match("scenes/*/SIM_S2*.tif"))
    assert (tmp_path / "one" / scene).read_bytes() != (tmp_path / "other" / scene).read_bytes()


def test_senseless_counts_are_refused(tmp_path):
    with pytest.raises(WrongUse, match="at least 1 mine"):
        make(tmp_path, mines=0)
    assert not list(tmp_path.iterdir())


def test_places_of_others_stay(tmp_path: Path) -> None:
    for count in (2, 1):
        make(tmp_path, mines=count, dates=1, size=96, sentinel1=False)
    features = json.loads((tmp_path / "places.geojson").read_text())["features"]
    assert len({feature["properties"]["slug"] for feature in features}) == len(features) == 2
