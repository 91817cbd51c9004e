"""Token and Catalog, by request and answer pairs of the public documentation."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.archive.catalog import months
from deploy.archive.cql import conditions
from deploy.archive.failures import Refused
from deploy.archive.server import CATALOG
from tests.deploy.archive.conftest import Service


def place(service: Service) -> dict[str, Any]:
    return json.loads((service.folder / "places.geojson").read_text())["features"][0]


def test_a_token_is_given_to_who_is_known(service: Service) -> None:
    assert set(service.token().json()) == {"access_token", "expires_in", "token_type"}
    refused = service.token("wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_without_a_token_nothing_is_answered(service: Service) -> None:
    refused = httpx.post(f"{service.url}{CATALOG}/search", json={})
    assert refused.status_code == 401
    assert set(refused.json()) == {"code", "description"}


def test_a_search_finds_items_newest_first_with_what_it_cost(service: Service) -> None:
    found = service.search(intersects=place(service)["geometry"])
    items = found.json()["features"]
    times = [item["properties"]["datetime"] for item in items]
    assert len(items) == 4 and times == sorted(times, reverse=True)
    assert found.json()["context"] == {"limit": 10, "returned": 4}
    assert float(found.headers["x-processingunits-spent"]) == 0.12  # 0.01 of a million km² × 12 months
    assert {item["type"] for item in items} == {"Feature"}


def test_pages_follow_next_until_it_is_absent(service: Service) -> None:
    first = service.search(limit=3).json()
    assert first["context"] == {"limit": 3, "returned": 3, "next": 3}
    second = service.search(limit=3, next=3).json()
    assert second["context"] == {"limit": 3, "returned": 1}
    assert len({item["id"] for item in first["features"] + second["features"]}) == 4


def test_search_by_get_as_documented(service: Service) -> None:
    bounds = ",".join(str(n) for n in service.search().json()["features"][0]["bbox"])
    token = service.token().json()["access_token"]
    query = {"bbox": bounds, "datetime": "2026-01-01T00:00:00Z/..", "collections": "sentinel-1-grd", "limit": 2}
    found = httpx.get(
        f"{service.url}{CATALOG}/search", params=query, headers={"Authorization": f"Bearer {token}"}
    ).json()
    assert [item["collection"] for item in found["features"]] == ["sentinel-1-grd"] * 2


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ({"filter": "eo:cloud_cover <= 100"}, 4),
        ({"filter": "eo:cloud_cover < 0"}, 0),
        ({"filter": {"op": ">=", "args": [{"property": "eo:cloud_cover"}, 0]}, "filter-lang": "cql2-json"}, 4),
        ({"bbox": [0, 0, 1, 1]}, 0),
        ({"datetime": "2026-01-18T00:00:00Z/2026-02-01T00:00:00Z"}, 1),
        ({"limit": 5000}, 4),
    ],
)
def test_what_a_search_is_narrowed_by(service: Service, words: dict[str, Any], count: int) -> None:
    assert len(service.search(**words).json()["features"]) == count


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"datetime": "2026-01-01"}, "no full date-time"),
        ({"datetime": None}, "'datetime' is required"),
        ({"collections": ["sentinel-2-l2a", "sentinel-1-grd"]}, "exactly one collection"),
        ({"bbox": [2, 0, 1, 1]}, "is not west, south, east, north"),
        ({"bbox": [0, 0, 1, 1], "intersects": {"type": "Point", "coordinates": [0, 0]}}, "only one of"),
        ({"filter": "platform = 'x'"}, "not supported for property 'platform'"),
        ({"filter": "eo:cloud_cover < 5 or eo:cloud_cover > 9"}, "joined by AND"),
        ({"query": {}}, "unknown parameter 'query'"),
    ],
)
def test_a_wrong_search_is_refused_in_the_catalogs_words(service: Service, words: dict[str, Any], message: str) -> None:
    refused = service.search(**words)
    assert refused.status_code == 400
    assert refused.json()["code"] == "BadRequest" and message in refused.json()["description"]


def test_an_unknown_collection_is_not_found(service: Service) -> None:
    assert service.search(collections=["sentinel-9"]).status_code == 404


def test_fields_choose_what_is_sent(service: Service) -> None:
    fields = {"include": ["id", "properties.datetime"], "exclude": ["geometry", "assets", "links", "bbox", "type"]}
    item = service.search(fields=fields, limit=1).json()["features"][0]
    assert set(item) == {"id", "properties"} and set(item["properties"]) == {"datetime"}


def test_too_many_requests_are_told_to_wait_in_milliseconds(service: Service) -> None:
    service.gateway.requests_per_minute = 1
    service.search()
    refused = service.search()
    assert refused.status_code == 429
    assert refused.json()["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1000 < int(refused.headers["Retry-After"]) <= 60_000


def test_spent_units_are_403_and_faults_come_as_ordered(service: Service) -> None:
    service.gateway.processing_units = 0.1
    assert service.search().status_code == 200
    refused = service.process({})
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "ACCESS_INSUFFICIENT_PROCESSING_UNITS"
    service.gateway.processing_units = None
    service.gateway.faults.append(Refused(503, "away"))
    assert [service.search().status_code for _ in range(2)] == [503, 200]


@given(st.datetimes(datetime(2016, 1, 1), datetime(2030, 1, 1)), st.integers(1, 800))
def test_months_count_those_begun(start: datetime, days: int) -> None:
    assert months(start, start) == 1
    found = months(start, start + timedelta(days=days))
    assert days / 31 <= found <= days / 28 + 1


def test_conditions_read_between_and_quotes() -> None:
    found = conditions(
        "eo:cloud_cover between 5 and 10 AND sat:orbit_state='ascending'",
        language=None,
        queryables=["eo:cloud_cover", "sat:orbit_state"],
    )
    assert [one.symbol for one in found] == [">=", "<=", "="]
    assert all(one.holds({"eo:cloud_cover": 7, "sat:orbit_state": "ASCENDING"}) for one in found)
