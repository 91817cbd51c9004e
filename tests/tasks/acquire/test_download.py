from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from py_mini_racer import MiniRacer
from shapely.geometry import box

import sql
from models.sensors import SENSOR_SETS
from tasks.acquire.discover import discover
from tasks.acquire.download import download, failed
from tasks.acquire.request import band_names, evalscript, parts
from tasks.mines import registry
from tasks.rasters.cog import read_raster
from tasks.rasters.grid import Grid
from tasks.records import Acquisition
from tests.tasks.nouns import acquisitions


def _run(script: str, sample: dict[str, float]) -> tuple[dict, list[float]]:
    engine = MiniRacer()
    engine.eval(script)
    engine.eval(f"var sample = {sample}")
    return dict(engine.execute("setup()")), list(engine.execute("evaluatePixel(sample)"))


def test_the_optical_script_gives_scaled_reflectance_and_masks() -> None:
    script = evalscript(("B02", "B03"), "sentinel-2-l2a")
    assert script.startswith("//VERSION=3\n")
    setup, pixel = _run(script, {"B02": 0.12345, "B03": 1.2, "SCL": 4, "dataMask": 1})
    assert setup["input"][0]["units"] == ["REFLECTANCE", "REFLECTANCE", "DN", "DN"]
    assert setup["output"]["bands"] == 4 and setup["output"]["sampleType"] == "UINT16"
    assert pixel == [1235, 12000, 4, 1] or pixel == [1234, 12000, 4, 1]


def test_l1c_has_no_scl() -> None:
    setup, pixel = _run(evalscript(("B02",), "sentinel-2-l1c"), {"B02": 0.1, "dataMask": 1})
    assert setup["input"][0]["bands"] == ["B02", "dataMask"] and pixel == [1000, 1]
    assert band_names(("B02",), "sentinel-2-l1c") == ("B02", "dataMask")


def test_the_radar_script_gives_linear_power() -> None:
    setup, pixel = _run(evalscript(("VV", "VH"), "sentinel-1-grd"), {"VV": 0.25, "VH": 0.05, "dataMask": 1})
    assert setup["output"]["sampleType"] == "FLOAT32" and pixel == [0.25, 0.05, 1]


def test_parts_tile_the_grid() -> None:
    covered = np.zeros((5100, 2600), int)
    grid = Grid(32644, 0, 0, 2600, 5100)
    for part in parts(grid):
        assert part.width <= 2500 and part.height <= 2500
        covered[grid.slices(part)] += 1
    assert (covered == 1).all()


@pytest.fixture
def mine(database: sql.Connection) -> registry.Mine:
    return registry.add(database, slug="east-pit", name="East pit", aoi=box(81.1, 21.1, 81.12, 21.12))


@pytest.fixture
def rasters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINECAM_RASTERS", tmp_path.as_uri())
    return tmp_path


def _discovered(
    database: sql.Connection, mine: registry.Mine, service: Any, name: str, **properties: Any
) -> Acquisition:
    service.features = [{"id": name, "properties": {"datetime": "2023-01-08T06:12:31Z", **properties}}]
    sensor_set = SENSOR_SETS["s1" if name.startswith("S1") else "s2-rgb"]
    discover(database, mine, sensor_set, start=date(2023, 1, 1), end=date(2023, 1, 31))
    return _row(database)


def _row(database: sql.Connection) -> Acquisition:
    (row,) = acquisitions(database)
    return row


def test_an_acquisition_is_downloaded_once(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, rasters: Path
) -> None:
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_MSIL2A_20230108T060231_N0509_R091_T42RUN")
    download(database, acquisition, mine)
    row = _row(database)
    assert row.state == "downloaded" and row.processing_units == 0.25 and row.downloaded_at
    assert row.raster == f"{rasters.as_uri()}/east-pit/s2-rgb/2023-01-08-{row.acquisition_id}.tif"
    raster = read_raster(row.raster, row.checksum)
    assert raster.descriptions == ("B02", "B03", "B04", "SCL", "dataMask") and raster.grid == mine.grid
    assert raster.tags["baseline"] == "05.09" and raster.tags["harmonised"] == "true"
    assert raster.tags["attribution"] == "contains modified Copernicus Sentinel data 2023"
    asked = len(sentinel_hub.requests)
    download(database, row, mine)
    assert len(sentinel_hub.requests) == asked


def test_the_request_asks_for_the_whole_day_on_the_grid(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, rasters: Path
) -> None:
    download(database, _discovered(database, mine, sentinel_hub, "SIM_S2A_N0509_"), mine)
    path, body = sentinel_hub.requests[-1]
    (source,) = body["input"]["data"]
    assert path == "/api/v1/process"
    assert source["dataFilter"]["timeRange"] == {"from": "2023-01-08T00:00:00Z", "to": "2023-01-08T23:59:59Z"}
    assert source["processing"] == {"harmonizeValues": True}
    assert body["input"]["bounds"]["bbox"] == list(mine.grid.bounds)
    assert body["input"]["bounds"]["properties"]["crs"].endswith("/32644")
    assert (body["output"]["width"], body["output"]["height"]) == (mine.grid.width, mine.grid.height)
    assert read_raster(_row(database).raster).tags["attribution"] == "simulated by MineCam"


def test_radar_is_terrain_corrected_gamma0_of_one_orbit(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, rasters: Path
) -> None:
    sentinel_hub.bands, sentinel_hub.dtype = 3, "float32"
    acquisition = _discovered(database, mine, sentinel_hub, "S1A_IW", **{"sat:orbit_state": "descending"})
    download(database, acquisition, mine)
    source = sentinel_hub.requests[-1][1]["input"]["data"][0]
    assert source["type"] == "sentinel-1-grd" and source["dataFilter"]["orbitDirection"] == "DESCENDING"
    assert source["processing"]["backCoeff"] == "GAMMA0_TERRAIN"
    assert _row(database).raster.endswith(f"/s1/2023-01-08-descending-{acquisition.acquisition_id}.tif")


def test_two_collections_of_one_day_have_rasters_of_their_own(
    database: sql.Connection,
    mine: registry.Mine,
    sentinel_hub: Any,
    rasters: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for collection, bands in (("sentinel-2-l2a", 5), ("sentinel-2-l1c", 4)):
        monkeypatch.setenv("MINECAM_COLLECTION", collection)
        sentinel_hub.bands = bands
        sentinel_hub.features = [{"id": f"{collection}_N0509_", "properties": {"datetime": "2023-01-08T06:12:31Z"}}]
        discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
        for row in acquisitions(database, "state = 'discovered'"):
            download(database, row, mine)
    rows = acquisitions(database)
    assert [read_raster(row.raster, row.checksum).tags["collection"] for row in rows] == [
        "sentinel-2-l2a",
        "sentinel-2-l1c",
    ]


@pytest.mark.parametrize(
    ("misfortune", "reason", "units"),
    [
        ({"truncate": True}, "truncated", 0.25),
        ({"bands": 4}, "array of", 0.25),
        ({"dtype": "uint8"}, "uint8 values", 0.25),
        ({"failures": [(400, {"error": {"message": "no"}})]}, "answered 400: no", 0),
    ],
)
def test_what_cannot_be_used_is_failed_and_can_be_tried_again(
    database: sql.Connection,
    mine: registry.Mine,
    sentinel_hub: Any,
    rasters: Path,
    misfortune: dict[str, Any],
    reason: str,
    units: float,
) -> None:
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_N0509_")
    sound = {name: getattr(sentinel_hub, name) for name in misfortune}
    vars(sentinel_hub).update(misfortune)
    download(database, acquisition, mine)
    row = _row(database)
    assert (row.state, row.tries, row.processing_units) == ("failed", 1, units)
    assert reason in row.reasons[0] and not list(rasters.rglob("*.*"))
    vars(sentinel_hub).update(sound)
    download(database, row, mine)
    row = _row(database)
    assert (row.state, row.reasons, row.tries) == ("downloaded", [], 1)


def test_what_failed_after_the_download_is_not_paid_again(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, rasters: Path
) -> None:
    download(database, _discovered(database, mine, sentinel_hub, "S2A_N0509_"), mine)
    row, asked = _row(database), len(sentinel_hub.requests)
    file = Path(row.raster.removeprefix("file://"))
    failed(database, row, RuntimeError("the disk is full"))
    download(database, _row(database), mine)
    assert (_row(database).state, len(sentinel_hub.requests)) == ("downloaded", asked)
    failed(database, row, RuntimeError("the disk is full"))
    file.write_bytes(b"damaged")
    download(database, _row(database), mine)
    assert (_row(database).state, len(sentinel_hub.requests)) == ("downloaded", asked + 1)
    assert read_raster(row.raster, _row(database).checksum).grid == mine.grid
