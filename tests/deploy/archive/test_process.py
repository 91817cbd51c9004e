"""The Process API, by the requests of the public documentation and by the pixels that lie in the archive."""

import io
import json
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from tests.deploy.archive.conftest import Service

RAW = """//VERSION=3
function setup() { return {input: [{bands: ["B02", "B04", "SCL", "dataMask"], units: "DN"}],
                           output: {bands: 4, sampleType: "UINT16"}} }
function evaluatePixel(s) { return [s.B02, s.B04, s.SCL, s.dataMask] }"""

TRUE_COLOUR = """//VERSION=3
function setup() { return {input: ["B02", "B03", "B04"], output: {bands: 3, sampleType: "AUTO"}} }
function evaluatePixel(sample) { return [2.5 * sample.B04, 2.5 * sample.B03, 2.5 * sample.B02] }"""


class Scene:
    """The clearest scene of the archive as it lies on the disk."""

    def __init__(self, service: Service, collection: str = "sentinel-2-l2a") -> None:
        items = [json.loads(file.read_text()) for file in (service.folder / "items" / collection).glob("*.json")]
        item = min(items, key=lambda one: (one["properties"].get("eo:cloud_cover", 0), one["properties"]["datetime"]))
        self.day = item["properties"]["datetime"][:10]
        self.path = service.folder / item["assets"]["data"]["href"]
        with rasterio.open(self.path) as dataset:
            self.bounds, self.epsg = list(dataset.bounds), dataset.crs.to_epsg()
            self.band = dict(zip(dataset.descriptions, dataset.read(), strict=True))
            self.height, self.width = dataset.shape


def body(scene: Scene, script: str, **changes: Any) -> dict[str, Any]:
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{scene.epsg}"
    span = {"from": f"{scene.day}T00:00:00Z", "to": f"{scene.day}T23:59:59Z"}
    given = {
        "input": {
            "bounds": {"bbox": scene.bounds, "properties": {"crs": crs}},
            "data": [{"type": "sentinel-2-l2a", "dataFilter": {"timeRange": span}}],
        },
        "output": {
            "width": scene.width, "height": scene.height,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
        "evalscript": script,
    }  # fmt: skip
    for path, value in changes.items():
        where: Any = given
        *parents, last = path.split("__")
        for name in parents:
            where = where[int(name)] if isinstance(where, list) else where[name]
        where[last] = value
    return given


def pixels(content: bytes) -> np.ndarray:
    with MemoryFile(content) as memory, memory.open() as dataset:
        return dataset.read()


def test_on_its_own_grid_a_scene_comes_out_as_it_lies_there(service: Service) -> None:
    scene = Scene(service)
    answer = service.process(body(scene, RAW))
    found = pixels(answer.content)
    for k, name in enumerate(("B02", "B04", "SCL")):
        assert (found[k] == scene.band[name]).all()
    assert (found[3] == 1).all()
    units = scene.width * scene.height / 512**2 * 3 / 3  # three bands, dataMask is free
    assert float(answer.headers["x-processingunits-spent"]) == pytest.approx(units, abs=1e-6)
    with MemoryFile(answer.content) as memory, memory.open() as dataset:
        assert (dataset.crs.to_epsg(), list(dataset.bounds)) == (scene.epsg, scene.bounds)


def test_the_documented_true_colour_request_in_degrees(service: Service) -> None:
    scene = Scene(service)
    place = json.loads((service.folder / "places.geojson").read_text())["features"][0]["geometry"]
    ring = np.array(place["coordinates"][0] if place["type"] == "Polygon" else place["coordinates"][0][0])
    bounds = {
        "bbox": [*ring.min(axis=0), *ring.max(axis=0)],
        "properties": {"crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
    }
    answer = service.process(body(scene, TRUE_COLOUR, input__bounds=bounds, output={"width": 64, "height": 48}))
    assert answer.headers["content-type"] == "image/png"
    found = pixels(answer.content)
    assert found.shape == (3, 48, 64) and found.dtype == np.uint8 and found.mean() > 5


def test_web_mercator_and_resolution(service: Service) -> None:
    scene = Scene(service)
    from pyproj import Transformer

    west, south, east, north = Transformer.from_crs(scene.epsg, 3857, always_xy=True).transform_bounds(*scene.bounds)
    bounds = {
        "bbox": [west, south, east, north],
        "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/3857"},
    }
    output = {"resx": 20, "resy": 20, "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]}
    found = pixels(service.process(body(scene, RAW, input__bounds=bounds, output=output)).content)
    assert found.shape == (4, round((north - south) / 20), round((east - west) / 20))
    assert 0.9 < found[3].mean() <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"input__data__0__dataFilter__timeRange": {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}},
        {"input__bounds__bbox": [100000.0, 5000000.0, 101000.0, 5001000.0]},
        {"input__data__0__dataFilter__maxCloudCoverage": -1},
    ],
)
def test_no_matching_scene_is_200_and_zeros(service: Service, changes: dict[str, Any]) -> None:
    answer = service.process(body(Scene(service), RAW, **changes))
    assert answer.status_code == 200
    assert not pixels(answer.content).any()


def test_the_first_in_the_mosaicking_order_lies_on_top(service: Service) -> None:
    scene = Scene(service)
    year = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}
    items = [json.loads(file.read_text()) for file in (service.folder / "items/sentinel-2-l2a").glob("*.json")]
    for order, key in (("mostRecent", "datetime"), ("leastRecent", "datetime"), ("leastCC", "eo:cloud_cover")):
        given = {"timeRange": year, "mosaickingOrder": order}
        found = pixels(service.process(body(scene, RAW, input__data__0__dataFilter=given)).content)
        first = sorted(items, key=lambda one: one["properties"][key], reverse=order == "mostRecent")[0]
        with rasterio.open(service.folder / first["assets"]["data"]["href"]) as dataset:
            stored = dataset.read(dataset.descriptions.index("B02") + 1)
        assert (found[0] == stored)[stored > 0].all()


def test_a_geometry_clips_within_its_box(service: Service) -> None:
    scene = Scene(service)
    west, south, east, north = scene.bounds
    half = [[[west, south], [west, north], [east, south], [west, south]]]
    bounds = {"geometry": {"type": "Polygon", "coordinates": half},
              "properties": {"crs": f"http://www.opengis.net/def/crs/EPSG/0/{scene.epsg}"}}  # fmt: skip
    found = pixels(service.process(body(scene, RAW, input__bounds=bounds)).content)
    assert found[3].mean() == pytest.approx(0.5, abs=0.02)
    assert not found[:, found[3] == 0].any()


def test_reflectance_is_the_default_unit_and_integers_are_rounded_and_clamped(service: Service) -> None:
    scene = Scene(service)
    script = """//VERSION=3
    function setup() { return {input: ["B04"], output: [{id: "a", bands: 1, sampleType: "FLOAT32"},
                                                        {id: "b", bands: 3, sampleType: "UINT8"}]} }
    function evaluatePixel(s) { return {a: [s.B04], b: [300, -5, 1.5]} }"""
    responses = [{"identifier": name, "format": {"type": "image/tiff"}} for name in "ab"]
    given = body(scene, script, output__responses=responses)
    assert service.process(given).status_code == 406
    answer = service.process(given, Accept="application/x-tar")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        files = {member.name: pixels(tar.extractfile(member).read()) for member in tar}  # type: ignore[union-attr]
    assert np.allclose(files["a.tif"][0], scene.band["B04"] / 10_000, atol=1e-6)
    assert (files["b.tif"] == np.array([255, 0, 2])[:, None, None]).all()


def test_without_harmonizing_the_offset_is_in_the_numbers(service: Service) -> None:
    scene = Scene(service)
    given = body(scene, RAW, input__data__0__processing={"harmonizeValues": False})
    found = pixels(service.process(given).content)
    assert (found[0] == scene.band["B02"] + 1000).all()
    assert (found[2] == scene.band["SCL"]).all()


def test_orbit_gives_one_sample_a_day_and_perhaps_none(service: Service) -> None:
    scene = Scene(service)
    script = """//VERSION=3
    function setup() { return {input: ["B02", "dataMask"], mosaicking: "ORBIT",
                               output: {bands: 1, sampleType: "UINT8"}} }
    function evaluatePixel(samples) { return [samples.length] }"""
    year = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}
    answer = service.process(body(scene, script, input__data__0__dataFilter__timeRange=year))
    assert pixels(answer.content).max() == 4
    assert float(answer.headers["x-processingunits-spent"]) == pytest.approx(96 * 96 / 512**2 / 3 * 4, abs=1e-6)


def test_fused_sources_come_under_their_ids_as_lists(service: Service) -> None:
    optical, radar = Scene(service), Scene(service, "sentinel-1-grd")
    script = """//VERSION=3
    function setup() { return {input: [{datasource: "s2", bands: ["B04"]}, {datasource: "s1", bands: ["VV"]}],
                               output: {bands: 2, sampleType: "FLOAT32"}} }
    function evaluatePixel(samples) { return [samples.s2[0].B04, samples.s1[0].VV] }"""
    sources = [
        {"id": "s2", "type": "sentinel-2-l2a", "dataFilter": {"timeRange": _span(optical.day)}},
        {"id": "s1", "type": "sentinel-1-grd", "dataFilter": {"timeRange": _span(radar.day)}},
    ]
    found = pixels(service.process(body(optical, script, input__data=sources)).content)
    assert np.allclose(found[0], optical.band["B04"] / 10_000, atol=1e-6)
    assert np.allclose(found[1], radar.band["VV"], rtol=1e-5)


def _span(day: str) -> dict[str, str]:
    return {"from": f"{day}T00:00:00Z", "to": f"{day}T23:59:59Z"}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("//VERSION=3\nfunction setup() {", "Unexpected end of input"),
        (RAW.replace("s.B02", "nothing.B02"), "nothing is not defined"),
        (RAW.replace("[s.B02, s.B04, s.SCL, s.dataMask]", "[1]"), "requires 4 bands, not 1"),
        (RAW.replace("B02", "B99"), "has no band 'B99'"),
        (RAW.replace('"DN"', '"REFLECTANCE"'), "is not available in units 'REFLECTANCE'"),
        ("function setup() {}", "begin with //VERSION=3"),
    ],
)
def test_a_script_that_cannot_run_is_refused_with_its_fault(service: Service, script: str, words: str) -> None:
    refused = service.process(body(Scene(service), script))
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]


def test_a_script_without_end_is_stopped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.archive.evalscript.TIMEOUT_SECONDS", 1)
    refused = service.process(body(Scene(service), RAW.replace("return [s", "while (true) {} return [s")))
    assert refused.status_code == 400 and "more than 1 s" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"output__width": 2501}, "between 1 and 2500"),
        ({"output__resx": 10}, "only one of 'width' and 'resx'"),
        ({"input__bounds__bbox": [1, 1, 0, 0]}, "must be west, south, east, north"),
        ({"input__bounds__properties__crs": "EPSG:4326"}, "unsupported CRS"),
        ({"input__data__0__type": "landsat"}, "unknown collection 'landsat'"),
        ({"input__data__0__dataFilter__timeRange": {"from": "2026-01-01"}}, "needs 'from' and 'to'"),
        ({"input__data__0__dataFilter__mosaickingOrder": "best"}, "must be one of mostRecent"),
        ({"output__responses": [{"identifier": "other", "format": {"type": "image/tiff"}}]}, "no output 'other'"),
    ],
)
def test_a_wrong_request_is_refused_in_the_words_of_process(
    service: Service, changes: dict[str, Any], words: str
) -> None:
    refused = service.process(body(Scene(service), RAW, **changes))
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["status"], error["reason"]) == (400, "Bad Request") and words in error["message"]


def test_a_broken_scene_is_a_server_error_not_a_silence(service: Service) -> None:
    scene = Scene(service)
    whole = scene.path.read_bytes()
    try:
        scene.path.write_bytes(whole[:3000])
        answer = service.process(body(scene, RAW))
        assert answer.status_code == 500
        words = answer.json()["error"]["message"]
        assert str(scene.path) in words and "import it again" in words
    finally:
        scene.path.write_bytes(whole)


def test_a_band_that_the_scene_lacks_is_zero_where_there_is_data(service: Service, tmp_path: Path) -> None:
    scene = Scene(service)
    found = pixels(service.process(body(scene, RAW.replace('"B04"', '"B01"').replace("s.B04", "s.B01"))).content)
    assert not found[1].any() and (found[3] == 1).all()


def test_requests_at_the_same_time_are_answered(service: Service) -> None:
    scene = Scene(service)
    whole, broken = body(scene, RAW), body(scene, "//VERSION=3\nfunction setup() { return {} }")
    with ThreadPoolExecutor(6) as beside:  # enough to crash V8 where it is let to
        answers = list(beside.map(service.process, [whole, whole, broken] * 12))
    assert [answer.status_code for answer in answers] == [200, 200, 400] * 12
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1


def test_a_far_service_answers_late_and_all_at_once(service: Service) -> None:
    service.gateway.latency = 0.5
    begun = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: service.search(limit=1), range(20)))
    assert all(answer.status_code == 200 for answer in answers)
    assert 0.5 <= time.monotonic() - begun < 20 * 0.5
