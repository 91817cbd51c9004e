"""The local archive: what its server is asked, what lies in its folder, and what is imported into it."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import rasterio
from hypothesis import strategies as st
from starlette.testclient import TestClient

from deploy.archive import catalog, process
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.cql import conditions
from deploy.archive.evalscript import Evalscript
from deploy.archive.failures import Refused
from deploy.archive.folder import Folder
from deploy.archive.importing import import_folder
from deploy.archive.process_request import parsed
from deploy.archive.server import CATALOG, PROCESS, TOKEN, Archive
from tasks.acquire.request import evalscript
from tasks.errors import WrongUse
from tests.deploy.archive.test_importing import picture
from tests.fuzz.cases import dumped, fuzz, junk, mangled, mutated, scalars, words

QUERYABLE = ("eo:cloud_cover",)
FILTER = {"op": "and", "args": [{"op": "<=", "args": [{"property": "eo:cloud_cover"}, 30]},
                                {"op": "between", "args": [{"property": "eo:cloud_cover"}, [0, 30]]}]}  # fmt: skip
SEARCH = {"collections": ["sentinel-2-l2a"], "datetime": "2023-01-01T00:00:00Z/2023-12-31T23:59:59Z", "limit": 5,
          "bbox": [-44.0, -20.1, -43.9, -20.0], "filter": FILTER, "filter-lang": "cql2-json", "next": 0,
          "fields": {"include": ["id", "properties"], "exclude": ["assets"]}}  # fmt: skip
ASKED = {
    "input": {
        "bounds": {"bbox": [610000, 7789700, 610400, 7790000],
                   "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32723"}},
        "data": [{"type": "sentinel-2-l2a", "processing": {"harmonizeValues": True, "upsampling": "NEAREST"},
                  "dataFilter": {"timeRange": {"from": "2023-01-08T00:00:00Z", "to": "2023-01-08T23:59:59Z"},
                                 "mosaickingOrder": "mostRecent", "maxCloudCoverage": 100}}],
    },
    "output": {"width": 8, "height": 6, "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
    "evalscript": evalscript(("B02",), "sentinel-2-l2a"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one scene."""
    root = tmp_path_factory.mktemp("archive")
    picture(root / "own" / "pit_2023-01-08.tif")
    assert import_folder(root / "own", root / "archive").scenes == 1
    return root / "archive"


def test_searches(folder: Path) -> None:
    scenes = Folder(folder).scenes("sentinel-2-l2a")

    @fuzz("archive search", mutated(SEARCH, most=3))
    def one(body: Any) -> None:
        try:
            asked = catalog.parsed(body)
        except Refused as refused:
            assert 400 <= refused.status < 500 and dumped(refused.body(catalog=True))
            return
        assert 0.01 <= asked.processing_units <= 1
        found = catalog.search(asked, scenes, lambda _: [])
        assert len(found["features"]) <= asked.limit and json.dumps(found)


def test_requests_of_pixels(folder: Path) -> None:
    every = Folder(folder)

    @fuzz("archive process", mutated(ASKED, most=2))
    def one(body: Any) -> None:
        try:
            parsed(body)
            answer = process.process(body, "*/*", every.scenes)
        except Refused as refused:
            assert refused.status in (400, 406) and dumped(refused.body(catalog=False))
            return
        assert answer.content and answer.units > 0


def test_filters() -> None:
    text = "eo:cloud_cover <= 30 AND eo:cloud_cover between 0 and 30"
    mixed = mangled(text.encode()).map(lambda one: one.decode("latin-1"))

    @fuzz("archive filter", st.one_of(mixed, words, mutated(FILTER), junk), scalars)
    def one(given: Any, cloud: Any) -> None:
        try:
            found = conditions(given, language=None, queryables=QUERYABLE)
        except Refused as refused:
            assert refused.status == 400
            return
        for each in found:
            assert each.holds({"eo:cloud_cover": cloud}) in (True, False)


def test_evalscripts() -> None:
    whole = ASKED["evalscript"]
    setups = mutated({"input": [{"bands": ["B02", "dataMask"], "units": "DN"}], "output": {"bands": 2, "id": "x"}})
    script = st.one_of(
        mangled(str(whole).encode()).map(lambda one: one.decode("latin-1")),
        setups.map(lambda setup: f"//VERSION=3\nfunction setup() {{ return {json.dumps(setup)} }}"),
    )

    @fuzz("archive evalscript", script)
    def one(text: str) -> None:
        try:
            made = Evalscript(text)
        except Refused as refused:
            assert refused.status == 400
            return
        assert made.mosaicking and all(isinstance(each.bands, tuple) for each in made.inputs)


def test_the_server(folder: Path) -> None:
    """It never answers 5xx, whatever the path, the token's form, the body."""
    client = TestClient(Archive(folder).app(), raise_server_exceptions=False)
    form = {"grant_type": "client_credentials", "client_id": LOCAL_CLIENT, "client_secret": LOCAL_CLIENT}
    bearer = {"Authorization": f"Bearer {client.post(TOKEN, data=form).json()['access_token']}"}
    path = st.one_of(
        st.sampled_from([PROCESS, f"{CATALOG}/search", TOKEN, "/health", f"{CATALOG}/collections"]),
        words.map(lambda word: f"{CATALOG}/collections/sentinel-2-l2a/items/{quote(word, errors='replace')}"),
    )
    body = st.one_of(
        mutated(SEARCH).map(dumped), mutated(ASKED).map(dumped), mangled(dumped(SEARCH)), st.binary(max_size=40)
    )

    @fuzz("archive request", st.sampled_from(["POST", "POST", "GET", "PUT"]), path, body, st.booleans())
    def one(method: str, address: str, content: bytes, known: bool) -> None:
        answer = client.request(method, address, content=content, headers=bearer if known else {})
        assert answer.status_code < 500, (method, address, content)


def test_items(folder: Path, tmp_path: Path) -> None:
    """A broken item is left out; those beside it are served."""
    (good,) = (folder / "items" / "sentinel-2-l2a").glob("*.json")
    items = tmp_path / "items" / "sentinel-2-l2a"
    items.mkdir(parents=True)
    shutil.copy(good, items / "good.json")
    sample = json.loads(good.read_text())

    @fuzz("archive item", st.one_of(mutated(sample).map(dumped), mangled(good.read_bytes()), st.binary(max_size=20)))
    def one(content: bytes) -> None:
        (items / "other.json").write_bytes(content)
        found = Folder(tmp_path).scenes("sentinel-2-l2a")
        assert 1 <= len(found) <= 2
        asked = catalog.parsed({**SEARCH, "fields": None})
        assert json.dumps(catalog.search(asked, found, lambda _: []))


def test_scenes_to_import(folder: Path, tmp_path: Path) -> None:
    """A broken GeoTIFF is refused by name; nothing of it stays in the archive."""
    good = (folder.parent / "own" / "pit_2023-01-08.tif").read_bytes()

    @fuzz("archive tiff", st.one_of(mangled(good, head=400), st.binary(max_size=40)))
    def one(content: bytes) -> None:
        own, archive = tmp_path / "own", tmp_path / "archive"
        for each in (own, archive):
            shutil.rmtree(each, ignore_errors=True)
        own.mkdir()
        (own / "pit_2023-01-08.tif").write_bytes(content)
        done = import_folder(own, archive)
        items, scenes = list(archive.glob("items/*/*")), list(archive.glob("scenes/*/*"))
        assert len(items) == len(scenes) == done.scenes == 1 - len(done.refused)


@pytest.mark.parametrize(
    ("table", "whole"),
    [("pairs.csv", "id,split,label,category,t0_start,t0_end,t1_start,t1_end,mined_before\n"
                   "pit,val,1,mine,2021-01-01,2021-12-31,2023-01-01,2023-12-31,0\n"),
     ("sites.csv", "chip,site,split,commodity_guess,notes\npit,a,train,gold,by the river\n"),
     ("series.csv", "mine,date\npit,2023-01-08\npit,2023-01-18\n")],
)  # fmt: skip
def test_tables(table: str, whole: str, tmp_path: Path) -> None:
    """A broken table, or one that names files that are not there, imports nothing and says so."""
    (tmp_path / "own").mkdir()

    @fuzz(
        "archive tables",
        st.one_of(
            mangled(whole.encode()), words.map(lambda one: whole.replace("pit", one).encode("utf-8", "surrogatepass"))
        ),
    )
    def one(content: bytes) -> None:
        (tmp_path / "own" / table).write_bytes(content)
        try:
            done = import_folder(tmp_path / "own", tmp_path / "archive")
        except WrongUse as error:
            assert str(error)
        else:
            assert done.scenes == 0
        assert not list(tmp_path.glob("archive/scenes/*/*")) and not list(tmp_path.glob("*.tif"))


def test_places(folder: Path, tmp_path: Path) -> None:
    """A places file that is none of ours stays as it is."""
    places = folder / "places.geojson"
    whole, sample = places.read_bytes(), json.loads(places.read_text())
    picture(tmp_path / "own" / "pit_2023-01-08.tif")

    @fuzz("archive places", st.one_of(mutated(sample).map(dumped), mangled(whole), st.binary(max_size=20)))
    def one(content: bytes) -> None:
        archive = tmp_path / "archive"
        shutil.rmtree(archive, ignore_errors=True)
        archive.mkdir()
        (archive / "places.geojson").write_bytes(content)
        try:
            done = import_folder(tmp_path / "own", archive)
        except WrongUse:
            assert (archive / "places.geojson").read_bytes() == content and not (archive / "scenes").exists()
        else:
            assert done.scenes + len(done.refused) == 1
            assert len(list(archive.glob("scenes/*/*.tif"))) == done.scenes


def test_a_scene_that_says_it_is_huge(tmp_path: Path) -> None:
    with rasterio.open(
        tmp_path / "pit_2023-01-08.tif",
        "w",
        driver="GTiff",
        count=3,
        height=60_000,
        width=60_000,
        dtype="uint16",
        compress="deflate",
        tiled=True,
        sparse_ok=True,
        crs="EPSG:32723",
    ) as raster:
        raster.descriptions = ("B02", "B03", "B04")
    done = import_folder(tmp_path, tmp_path / "archive")
    assert done.scenes == 0 and "memory" in done.refused[0][1]
