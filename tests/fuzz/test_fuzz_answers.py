"""What the service answers: catalogs, rasters, headers, tokens. Whatever comes, the state is as before or in order."""

import contextlib
import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from shapely.geometry import box

import sql
from models.sensors import SENSOR_SETS
from tasks.acquire.client import LONGEST_PAUSE_MS, forget_tokens, pause
from tasks.acquire.discover import discover
from tasks.acquire.download import download
from tasks.acquire.products import group
from tasks.acquire.request import charged, unpack
from tasks.errors import ServiceError
from tasks.mines import registry
from tasks.rasters.cog import encode_cog
from tests.fuzz.cases import NUMBERS, dumped, fuzz, junk, mangled, mutated, words
from tests.tasks.acquire.test_download import rasters
from tests.tasks.conftest import sentinel_hub
from tests.tasks.nouns import acquisitions

__all__ = ["rasters", "sentinel_hub"]

PRODUCT = {
    "id": "S2A_MSIL2A_20230108T060231_N0509_R091_T42RUN_20230108T090000",
    "properties": {"datetime": "2023-01-08T06:12:31Z", "created": "2023-01-08T09:00:00Z", "eo:cloud_cover": 12.5,
                   "sat:orbit_state": "ascending"},
}  # fmt: skip
PAGE = {"type": "FeatureCollection", "features": [PRODUCT, {**PRODUCT, "id": "B"}], "context": {"returned": 2}}
TOKEN = {"access_token": "a.b.c", "expires_in": 3600, "token_type": "Bearer"}


@pytest.fixture
def mine(database: sql.Connection) -> registry.Mine:
    return registry.add(database, slug="east-pit", name="East pit", aoi=box(81.1, 21.1, 81.101, 21.101))


def rows(database: sql.Connection) -> int:
    return int(database.execute("select count(*) as n from acquisition").fetchone()["n"])  # type: ignore[index]


def test_catalog_products(database: sql.Connection, mine: registry.Mine) -> None:
    """What passes can be stored; what does not is refused in words."""
    keys = {"mine_id": mine.mine_id, "sensor_set": "s2-rgb", "collection": "sentinel-2-l2a"}

    @fuzz("catalog", st.lists(st.one_of(mutated(PRODUCT), junk), min_size=1, max_size=3), st.booleans())
    def one(features: Any, orbits: bool) -> None:
        try:
            found = group(features, by_orbit=orbits)
        except ServiceError:
            return
        with database.transaction(force_rollback=True):
            for each in found:
                assert each.sensing_time.tzinfo is not None and each.product_ids
                assert each.cloud_cover is None or 0 <= each.cloud_cover <= 1
                sql.run(database, "acquisition_discover", **keys, **vars(each))


def test_catalog_answers(database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, monkeypatch) -> None:
    monkeypatch.setenv("MINECAM_SH_ATTEMPTS", "1")
    answers: list[bytes] = []

    def reply(*_: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, answers[-1]

    monkeypatch.setattr(sentinel_hub, "reply", reply)
    whole = dumped(PAGE)

    @fuzz("catalog client", st.one_of(mutated(PAGE).map(dumped), mangled(whole), st.binary(max_size=40)))
    def one(answer: bytes) -> None:
        answers.append(answer)
        with database.transaction(force_rollback=True):
            try:
                discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
            except ServiceError as error:
                assert rows(database) == 0 and "\n" not in str(error) and len(str(error)) < 700


def test_charges() -> None:
    name = st.one_of(st.sampled_from(["X-ProcessingUnits-Spent", "x-processingunits-spent"]), words)

    @fuzz("charged", st.dictionaries(name, st.one_of(words, st.sampled_from(NUMBERS), junk), max_size=3))
    def one(headers: dict[str, Any]) -> None:
        assert 0 <= charged(headers, 0.25) < math.inf


def test_pauses() -> None:
    @fuzz("retry-after", st.one_of(st.none(), words, st.integers().map(str), st.floats().map(str)))
    def one(given: str | None) -> None:
        assert 1 <= pause(given) <= 1.25 * LONGEST_PAUSE_MS


def test_tokens(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.acquire import service
    from tasks.acquire.client import Session
    from tasks.settings import settings

    monkeypatch.setenv("MINECAM_SH_ATTEMPTS", "1")
    answers: list[tuple[int, bytes]] = []
    monkeypatch.setattr(sentinel_hub, "token", lambda _: (answers[-1][0], {}, answers[-1][1]))
    config = service.configuration(settings())
    body = st.one_of(mutated(TOKEN).map(dumped), mangled(dumped(TOKEN)), st.binary(max_size=30))

    @fuzz("token", body, st.sampled_from([200, 200, 200, 201, 400, 401, 403, 429, 500]))
    def one(content: bytes, status: int) -> None:
        answers.append((status, content))
        forget_tokens()
        try:
            token = service.ask(config, lambda: Session(config).token)
        except ServiceError as error:
            assert "\n" not in str(error)
        else:
            assert isinstance(token["access_token"], str)


def tiff(shape: tuple[int, int, int], **profile: Any) -> bytes:
    array = (np.arange(np.prod(shape)) % 997).reshape(shape).astype("uint16")
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=shape[0], height=shape[1], width=shape[2], dtype="uint16", **profile
        ) as to:
            to.write(array)
        return bytes(memory.getbuffer())


TIFFS = [
    tiff((5, 11, 10)), tiff((5, 11, 10), compress="deflate"),
    tiff((5, 11, 10), tiled=True, compress="lzw", blockxsize=16, blockysize=16),
]  # fmt: skip


def test_process_rasters() -> None:
    some = st.one_of(*(mangled(one, head=300) for one in TIFFS), st.binary(max_size=60))

    @fuzz("process tiff", some)
    def one(content: bytes) -> None:
        try:
            array = unpack(content, bands=5, size=(10, 11), dtype="uint16")
        except ServiceError:
            return
        assert array.shape == (5, 11, 10) and array.dtype == np.uint16


def test_a_raster_that_says_it_is_huge_takes_no_memory() -> None:
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", count=5, height=60_000, width=60_000, dtype="uint16", compress="deflate",
                         sparse_ok=True, tiled=True):  # fmt: skip
            pass
        content = bytes(memory.getbuffer())
    with pytest.raises(ServiceError, match="60000"):
        unpack(content, bands=5, size=(10, 11), dtype="uint16")


def test_process_answers(database, mine, sentinel_hub, rasters, monkeypatch) -> None:
    """An acquisition is downloaded or failed, its row in order, whatever is sent with whatever headers."""
    sentinel_hub.features = [PRODUCT]
    discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
    (acquisition,) = acquisitions(database)
    grid = mine.grid
    array = np.full((5, grid.height, grid.width), 1000, np.uint16)
    good = encode_cog(array, grid, descriptions=list("12345"), nodata=None)
    answers: list[tuple[int, dict[str, str], bytes]] = []
    monkeypatch.setattr(sentinel_hub, "reply", lambda *_: answers[-1])
    monkeypatch.setenv("MINECAM_SH_ATTEMPTS", "1")
    headers = st.one_of(st.just("0.25"), words.filter(lambda word: "\n" not in word and "\r" not in word))

    @fuzz(
        "process client", st.one_of(st.just(good), mangled(good, head=400), st.binary(max_size=50)),
        st.sampled_from([200, 200, 200, 204, 206, 301, 400, 403, 404, 418, 500, 503]), headers,
    )  # fmt: skip
    def one(content: bytes, status: int, spent: str) -> None:
        spent = spent.encode("latin-1", "replace").decode("latin-1")
        answers.append((status, {"X-ProcessingUnits-Spent": spent}, content))
        with database.transaction(force_rollback=True):
            with contextlib.suppress(ServiceError):
                download(database, acquisition, mine)
            (row,) = database.execute("select * from acquisition").fetchall()
            assert row["state"] in ("downloaded", "failed")
            assert (row["state"] == "downloaded") == (row["raster"] is not None)
            assert all("\n" not in reason for reason in row["reasons"])


def test_a_bomb_of_brackets(database, mine, sentinel_hub, monkeypatch) -> None:
    monkeypatch.setattr(sentinel_hub, "reply", lambda *_: (200, {}, b"[" * 200_000))
    with pytest.raises(ServiceError):
        discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
