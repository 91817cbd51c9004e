"""What `minecam serve` says over HTTP, with the real tipg on the real database."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyogrio
import pytest

import sql
from deploy.cli.serve import COLLECTIONS, environment
from tasks.mines import registry
from tests.served import serving

HISTORY = Path(__file__).parent.parent.parent / "sql" / "history.sql"
GEOJSON = {"accept": "application/geo+json"}
JSON = {"accept": "application/json"}


EPOCHS = 400
SEGMENTS = 30


@pytest.fixture
def served(home: Path, database: sql.Connection, database_url: str) -> Iterator[str]:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    with serving() as address:
        yield address


def test_it_serves_what_people_may_read(served: str) -> None:
    with httpx.Client(base_url=served, headers=JSON) as ask:
        conforms = ask.get("/conformance").raise_for_status().json()["conformsTo"]
        assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in conforms
        found = ask.get("/collections").raise_for_status().json()["collections"]
        assert sorted(one["id"] for one in found) == sorted(f"minecam.{name}" for name in COLLECTIONS)
        items = "/collections/minecam.current_segment/items"
        question = {"mine": "east-pit", "class": "excavation", "datetime": "2024-05-01T00:00:00Z/..", "limit": 100}
        page = ask.get(items, params=question, headers=GEOJSON).raise_for_status().json()
        assert page["numberMatched"] == 3 == len(page["features"])  # two epochs, one of them by two models
        first = page["features"][0]
        assert first["geometry"]["type"] == "MultiPolygon" and first["properties"]["mine"] == "east-pit"
        one = ask.get(f"{items}/{first['id']}", headers=GEOJSON).raise_for_status().json()
        assert one["properties"] == first["properties"]
        box = {"bbox": "-70,-23,-68,-21", "limit": 1}
        assert ask.get(items, params=box, headers=GEOJSON).json()["features"][0]["properties"]["mine"] == "west-pit"
        tile = ask.get("/collections/minecam.current_segment/tiles/WebMercatorQuad/12/1536/2280")
        assert tile.is_success and tile.headers["content-type"] == "application/vnd.mapbox-vector-tile" and tile.content
        pages = {"accept": "text/html"}
        assert "excavation" in ask.get(items, headers=pages).text and ask.get("/", headers=pages).is_success
        assert ask.get("/collections/minecam.rule/items").status_code == 404


def test_a_database_without_mines_is_served_too(home: Path) -> None:
    with serving() as address:
        found = httpx.get(f"{address}/collections", headers=JSON).raise_for_status().json()["collections"]
    assert {one["id"] for one in found} == {f"minecam.{name}" for name in COLLECTIONS}


@pytest.mark.parametrize(("address", "there"), [
    ("postgresql:///m?host=%2Ftmp%2Fs&user=minecam", "postgresql://minecam@%2Ftmp%2Fs/m?role=minecam_read"),
    ("postgresql://me:p%40ss@db.org:5433/m", "postgresql://me:p%40ss@db.org:5433/m?role=minecam_read"),
])  # fmt: skip
def test_every_address_is_put_as_tipg_takes_it(address: str, there: str) -> None:
    assert environment(address)["DATABASE_URL"] == there


@pytest.fixture
def long_history(served: str, database: sql.Connection) -> str:
    """Where a mine of 400 epochs, one a day from 2023-01-01, of thirty segments each is served: more than tipg puts
    into a tile."""
    database.execute(
        "with m as (insert into mine (slug, name, aoi) values ('long-pit', 'Long Pit',"
        " st_multi(st_makeenvelope(20, 40, 20.03, 40.03, 4326))) returning mine_id),"
        " q as (insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids,"
        " state) select mine_id, 's2-10', 'sentinel-2-l2a', day, day + interval '10 hours', array['S2_' || day],"
        " 'segmented' from m, lateral (select date '2023-01-01' + n as day"
        f" from generate_series(0, {EPOCHS - 1}) n) d returning *),"
        " e as (insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum,"
        " code_version, class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares,"
        " valid_hectares) select acquisition_id, mine_id, sensor_set, sensing_time, 'm', 'c', '0', '-', '-', '-', '-',"
        " 100, 100 from q order by sensing_time returning *)"
        " insert into segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)"
        " select epoch_id, mine_id, 1 + n % 10, sensing_time, 0.3, 0.9, st_multi(st_expand(st_setsrid(st_makepoint("
        "20.002 + n % 6 * 0.005, 40.002 + n / 6 * 0.005), 4326), 0.0003))"
        f" from e, generate_series(0, {SEGMENTS - 1}) n order by sensing_time, n"
    )
    return served


def tile(ask: httpx.Client, collection: str, z: int, folder: Path, **asked: Any) -> list[dict[str, Any]]:
    """Return the attributes of what is in the tile of long-pit at zoom `z`."""
    column, row = int((20.015 + 180) / 360 * 2**z), int(0.37852 * 2**z)
    answer = ask.get(f"/collections/minecam.{collection}/tiles/WebMercatorQuad/{z}/{column}/{row}", params=asked)
    path = folder / f"{z}-{column}-{row}.mvt"
    if not path.write_bytes(answer.raise_for_status().content):
        return []
    return pyogrio.read_dataframe(path, read_geometry=False).to_dict("records")


def test_tiles_hold_all_that_lies_in_them_and_the_latest_first(long_history: None, served: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=long_history, timeout=120) as ask:
        every = tile(ask, "current_segment", 12, tmp_path)
        assert len(every) == EPOCHS * SEGMENTS > 10_000
        for zoom in (0, 3, 8, 12):  # what is smaller than a cell of the grid is there too
            latest = [one for one in tile(ask, "latest_segment", zoom, tmp_path) if one["mine"] == "long-pit"]
            assert len(latest) == SEGMENTS and {one["sensing_time"][:10] for one in latest} == {"2024-02-04"}
        today = [one for one in tile(ask, "segments_on", 12, tmp_path) if one["mine"] == "long-pit"]
        assert sorted(one["segment_id"] for one in today) == sorted(one["segment_id"] for one in latest)
        on = tile(ask, "segments_on", 12, tmp_path, day="2023-03-05")
        assert len(on) == SEGMENTS and {one["sensing_time"][:10] for one in on} == {"2023-03-05"}
        assert tile(ask, "segments_on", 12, tmp_path, day="2022-12-31") == []
        week = tile(ask, "current_segment", 12, tmp_path, datetime="2023-03-05T00:00:00Z/2023-03-12T00:00:00Z")
        assert len(week) == 7 * SEGMENTS
        words = ask.get("/collections/minecam.segments_on/items", params={"day": "2024-13-45"})
        assert words.status_code == 422 and "2024-13-45" in words.json()["detail"]
        page = ask.get(
            "/collections/minecam.segments_on/items", params={"day": "2023-03-05", "limit": 100}, headers=GEOJSON
        )
        assert page.json()["numberMatched"] == SEGMENTS


def test_a_tile_of_too_much_is_refused_in_words(long_history: str, database: sql.Connection, tmp_path: Path) -> None:
    database.execute(
        "insert into segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)"
        " select epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom from segment,"
        " generate_series(1, 8) where st_xmin(geom) > 19"
    )
    with httpx.Client(base_url=long_history, timeout=120) as ask:
        answer = ask.get("/collections/minecam.current_segment/tiles/WebMercatorQuad/12/2275/1550")
        assert answer.status_code == 422 and "there are 108000 features in this tile" in answer.json()["detail"]
        assert "zoom in" in answer.json()["detail"]
        one_day = {"datetime": "2023-03-05T00:00:00Z/2023-03-06T00:00:00Z"}
        assert len(tile(ask, "current_segment", 12, tmp_path, **one_day)) == 9 * SEGMENTS


def test_collections_have_titles_words_and_the_extent_of_their_rows(served: str) -> None:
    with httpx.Client(base_url=served, headers=JSON) as ask:
        found = {one["id"].removeprefix("minecam."): one for one in ask.get("/collections").json()["collections"]}
        for name, one in found.items():
            assert one["title"] == COLLECTIONS[name]["title"] and len(one["description"]) > 10
            alone = ask.get(f"/collections/minecam.{name}").json()
            assert (alone["title"], alone["extent"]) == (one["title"], one["extent"])
        both = [-69.0, -22.02, -44.98, -20.0]
        assert found["latest_segment"]["extent"]["spatial"]["bbox"] == [pytest.approx(both)]
        assert found["segments_on"]["extent"] == found["current_segment"]["extent"] == found["latest_segment"]["extent"]
        [[first, last]] = found["current_segment"]["extent"]["temporal"]["interval"]
        assert (first[:10], last[:10]) == ("2024-01-10", "2024-06-08")
        assert found["zone"]["extent"]["spatial"]["bbox"] == [pytest.approx([-44.995, -20.01, -44.99, -20.0])]
        said = ask.get("/collections/minecam.zone/tiles/WebMercatorQuad/tilejson.json").json()
        assert said["bounds"] == pytest.approx([-44.995, -20.01, -44.99, -20.0])


def test_pages_need_nothing_from_elsewhere(served: str) -> None:
    with httpx.Client(base_url=served, headers={"accept": "text/html"}, follow_redirects=True) as ask:
        pages, waiting = {}, ["/"]
        while waiting and len(pages) < 60:
            address = waiting.pop(0)
            answer = ask.get(address)
            if address in pages or "html" not in answer.headers["content-type"]:
                continue
            pages[address] = answer.raise_for_status().text
            assert not re.search(r"<script|<link(?! rel=.icon. href=.data:)|@import|url\(", pages[address])
            links = re.findall(r'(?:href|src|action)="([^"]*)"', pages[address])
            for link in links:
                assert link.startswith((served, "/", "data:,")), f"{address} names {link}"
                waiting.append(link.removeprefix(served).replace("&amp;", "&") or "/")
        wanted = ("/", "/collections", "/conformance", "/api.html", "/collections/minecam.current_segment/items")
        assert set(wanted) <= set(pages) and len(pages) > 20
        assert "Segments, every epoch" in pages["/"] and "/collections/minecam.latest_segment/items" in pages["/"]
