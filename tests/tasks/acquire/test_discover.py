from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

import sql
from models.sensors import SENSOR_SETS
from tasks.acquire.discover import discover, window
from tasks.acquire.products import baseline, group
from tasks.errors import ServiceError, WrongUse
from tasks.mines import registry

TODAY = date(2026, 6, 30)
days = st.dates(date(2015, 1, 1), TODAY)


def _window(**given: Any) -> tuple[date, date]:
    return window(
        **{"start": None, "end": None, "latest": None, "searched": None, **given}, today=TODAY, lookback_days=30,
        overlap_days=10,
    )  # fmt: skip


def test_windows() -> None:
    assert _window() == (date(2026, 5, 31), TODAY)
    assert _window(latest=date(2026, 6, 25)) == (date(2026, 6, 15), TODAY)
    assert _window(latest=date(2024, 6, 25)) == (date(2024, 6, 15), TODAY)
    assert _window(searched=date(2026, 4, 30)) == (date(2026, 3, 31), TODAY)
    assert _window(searched=date(2027, 1, 1)) == _window()  # the clock was set back
    assert _window(searched=date(2020, 1, 1), end=date(2020, 3, 31)) == (date(2020, 3, 1), date(2020, 3, 31))
    assert _window(start=date(2020, 1, 1), end=date(2020, 1, 1)) == (date(2020, 1, 1), date(2020, 1, 1))
    assert _window(end=date(2020, 3, 31), latest=TODAY) == (date(2020, 3, 1), date(2020, 3, 31))
    with pytest.raises(WrongUse, match="ends"):
        _window(start=date(2020, 1, 2), end=date(2020, 1, 1))


@given(st.none() | days, st.none() | days)
def test_a_default_window_is_never_empty(end: date | None, latest: date | None) -> None:
    first, last = _window(end=end, latest=latest)
    assert first <= last


def _product(name: str, when: str, **properties: Any) -> dict[str, Any]:
    return {"id": name, "properties": {"datetime": when, **properties}}


def test_products_of_one_day_are_one_acquisition() -> None:
    features = [
        _product("S2B_MSIL2A_X_N0509_B", "2023-01-08T06:12:31.024Z", **{"eo:cloud_cover": 30.0}),
        _product(
            "S2A_MSIL2A_X_N0400_A", "2023-01-08T06:12:16Z", **{"eo:cloud_cover": 10, "created": "2023-01-09T00:00:00Z"}
        ),
        _product("S2A_MSIL2A_X_N0509_C", "2023-01-03T06:12:16Z"),
    ]
    first, second = group(features, by_orbit=False)
    assert (first.sensing_date, first.cloud_cover, first.published_at) == (date(2023, 1, 3), None, None)
    assert second.product_ids == ["S2A_MSIL2A_X_N0400_A", "S2B_MSIL2A_X_N0509_B"]
    assert second.sensing_time == datetime(2023, 1, 8, 6, 12, 16, tzinfo=UTC)
    assert second.baseline == "05.09"
    assert second.cloud_cover == pytest.approx(0.2)
    assert second.published_at == datetime(2023, 1, 9, tzinfo=UTC)


S2 = "S2A_MSIL2A_20180608T061231_N{}_R048_T44RMN_{}"


@pytest.mark.parametrize("ids", [
    (S2.format("9999", "20180609T101010"), S2.format("0500", "20230815T101010")),
    (S2.format("0500", "20230815T101010"), S2.format("0300", "20230714T101010")),
    (S2.format("0500", "20230815T101010.SAFE"), S2.format("9999", "20180609T101010.SAFE")),
])  # fmt: skip
def test_the_baseline_is_that_of_the_newest_processing(ids: tuple[str, str]) -> None:
    (one,) = group([_product(name, "2018-06-08T06:12:31Z") for name in ids], by_orbit=False)
    assert one.baseline == "05.00" and one.product_ids == sorted(ids)


def test_where_ids_do_not_say_when_the_publication_does() -> None:
    made = [("X_N9999_A", "2018-06-09T00:00:00Z"), ("X_N0500_B", "2023-08-15T00:00:00Z")]
    features = [_product(name, "2018-06-08T06:12:31Z", created=when) for name, when in made]
    (one,) = group(features, by_orbit=False)
    assert one.baseline == "05.00"


def test_a_pass_on_both_sides_of_midnight_is_one_acquisition() -> None:
    slices = ("2024-01-01T23:59:57Z", "2024-01-02T00:00:22Z", "2024-01-02T00:00:47Z")
    features = [_product(f"S1_{when}", when, **{"sat:orbit_state": "ascending"}) for when in slices]
    later = _product("S1_later", "2024-01-02T12:10:00Z", **{"sat:orbit_state": "ascending"})
    other = _product("S1_other", "2024-01-02T00:00:30Z", **{"sat:orbit_state": "descending"})
    found = group([*reversed(features), later, other], by_orbit=True)
    assert [(one.sensing_date.day, one.orbit_direction, len(one.product_ids)) for one in found] == [
        (1, "ascending", 3), (2, "descending", 1), (2, "ascending", 1),
    ]  # fmt: skip


def test_orbits_are_kept_apart_for_radar() -> None:
    features = [
        _product("A", "2023-01-08T00:30:00Z", **{"sat:orbit_state": "descending"}),
        _product("B", "2023-01-08T12:30:00Z", **{"sat:orbit_state": "ASCENDING"}),
    ]
    assert [one.orbit_direction for one in group(features, by_orbit=True)] == ["descending", "ascending"]
    assert len(group(features, by_orbit=False)) == 1


def test_a_day_is_a_utc_day() -> None:
    (one,) = group([_product("A", "2023-01-08T23:30:00-02:00")], by_orbit=False)
    assert one.sensing_date == date(2023, 1, 9)


@pytest.mark.parametrize(
    "feature", [{}, {"id": "A"}, {"id": "A", "properties": {"datetime": "soon"}}, {"properties": None}]
)
def test_products_without_id_or_time_are_left_out(feature: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ServiceError, match="without id or time"):
        group([feature], by_orbit=False)
    caplog.clear()
    (one,) = group([feature, _product("A", "2023-01-08T06:00:00Z")], by_orbit=False)
    assert one.product_ids == ["A"] and "1 products without id or time, which are left out" in caplog.text


def test_baselines() -> None:
    assert baseline("SIM_S2A_MSIL2A_20230108T060231_N0509_R091_T42RUN_20230108T062956") == "05.09"
    assert baseline("S1A_IW_GRDH_1SDV_20230108T004512") is None


@pytest.fixture
def mine(database: sql.Connection) -> registry.Mine:
    return registry.add(database, slug="east-pit", name="East pit", aoi=box(81.1, 21.1, 81.12, 21.12))


def test_discovery_can_be_repeated(database: sql.Connection, mine: registry.Mine, sentinel_hub: Any) -> None:
    sentinel_hub.features = [
        _product(f"S2A_MSIL2A_{day}_N0509", f"2023-01-{day:02}T06:00:00Z", **{"eo:cloud_cover": 40})
        for day in range(1, 6)
    ]
    given = {"start": date(2023, 1, 1), "end": date(2023, 1, 31)}
    assert discover(database, mine, SENSOR_SETS["s2-10"], **given) == 5
    assert discover(database, mine, SENSOR_SETS["s2-10"], **given) == 0
    assert discover(database, mine, SENSOR_SETS["s2-rgb"], **given) == 5
    path, body = sentinel_hub.requests[0]
    assert path.endswith("/catalog/1.0.0/search") and body["collections"] == ["sentinel-2-l2a"]
    assert body["datetime"] == "2022-12-31T23:50:00Z/2023-02-01T00:09:59Z"
    assert body["intersects"]["type"] == "MultiPolygon" and body["limit"] == 100 and "filter" not in body
    assert len([1 for path, _ in sentinel_hub.requests if path.endswith("/search")]) == 9


@pytest.mark.parametrize(("first", "last", "new"), [(8, 8, 1), (8, 9, 1), (9, 9, 0), (9, 31, 0), (1, 7, 0), (1, 31, 1)])
def test_a_range_that_ends_in_a_pass_finds_all_of_it_or_nothing(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, first: int, last: int, new: int
) -> None:
    times = ("2023-01-08T23:59:57Z", "2023-01-09T00:00:22Z")
    sentinel_hub.features = [_product(f"S1A_{at}", at, **{"sat:orbit_state": "ascending"}) for at in times]
    days = {"start": date(2023, 1, first), "end": date(2023, 1, last)}
    assert discover(database, mine, SENSOR_SETS["s1"], **days) == new
    for row in database.execute("select sensing_date, product_ids from acquisition").fetchall():
        assert (row["sensing_date"], len(row["product_ids"])) == (date(2023, 1, 8), 2)


def test_the_next_search_starts_at_the_watermark(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINECAM_MAX_TILE_CLOUD", "0.8")
    sentinel_hub.features = [_product("S2A_N0509_", "2023-01-20T06:00:00Z")]
    discover(database, mine, SENSOR_SETS["s2-10"], start=date(2023, 1, 1))
    discover(database, mine, SENSOR_SETS["s2-10"])
    body = sentinel_hub.requests[-1][1]
    assert body["datetime"].startswith("2023-01-09T23:50:00Z/")
    assert body["filter"] == "eo:cloud_cover <= 80"


def test_an_outage_after_a_mine_is_registered_hides_no_day(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any
) -> None:
    database.execute("update mine set registered_at = now() - interval '90 days'")
    begun = []
    for _ in range(2):
        discover(database, mine, SENSOR_SETS["s2-rgb"])
        begun.append(datetime.now(UTC).date() - date.fromisoformat(sentinel_hub.requests[-1][1]["datetime"][:10]))
    assert [back.days in (120, 121) for back in begun] == [True, False] and begun[1].days in (30, 31)  # about midnight


def test_radar_is_searched_in_its_own_collection(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any
) -> None:
    sentinel_hub.features = [_product("S1A", "2023-01-20T00:30:00Z", **{"sat:orbit_state": "descending"})]
    assert discover(database, mine, SENSOR_SETS["s1"], start=date(2023, 1, 1)) == 1
    assert sentinel_hub.requests[-1][1]["collections"] == ["sentinel-1-grd"]
    with pytest.raises(WrongUse, match="two collections"):
        discover(database, mine, SENSOR_SETS["s1-s2"])


def test_a_reply_without_context_is_a_service_error(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinel_hub, "_page", lambda begin: {"features": []})
    with pytest.raises(ServiceError, match="unusable"):
        discover(database, mine, SENSOR_SETS["s2-10"])


def test_newer_products_supersede_and_what_the_catalog_leaves_out_does_not(
    database: sql.Connection, mine: registry.Mine, sentinel_hub: Any
) -> None:
    def search(*names: str, second: int = 31) -> int:
        sentinel_hub.features = [_product(name, f"2023-01-08T06:12:{second}Z") for name in names]
        return discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))

    def current() -> list[str]:
        (row,) = database.execute("select product_ids from acquisition where superseded_at is null").fetchall()
        return list(row["product_ids"])

    assert search("east_N0509_") == 1
    assert search("west_N0509_", "east_N0509_", second=11) == 1  # one more tile of the same day
    assert search("east_N0509_", "west_N0509_") == 0  # the order means nothing
    assert search("west_N0509_") == 0 and current() == ["east_N0509_", "west_N0509_"]  # a tile is away for a while
    assert search("east_N0511_") == 1 and current() == ["east_N0511_"]  # reprocessed, while the other tile is away
    assert search("east_N0509_", "west_N0509_") == 0  # the old ones come back
    assert search("east_N0511_", "west_N0509_") == 1 and current() == ["east_N0511_", "west_N0509_"]
    assert search("east_N0509_", "east_N0511_", "west_N0509_") == 1  # all at once: no row has seen these together
    for names in (("east_N0511_",), ("east_N0509_", "west_N0509_"), ("west_N0509_",)):
        assert search(*names) == 0
    rows = database.execute("select * from acquisition order by acquisition_id").fetchall()
    assert len(rows) == 5 and [row["superseded_at"] is None for row in rows] == [False] * 4 + [True]
    assert rows[0]["superseded_why"] == "newer products: east_N0509_, west_N0509_"
    assert {row["sensing_time"].second for row in rows} == {31}  # one sensing keeps its time


def test_what_the_catalog_did_not_say_at_first_is_filled_in(database, sentinel_hub) -> None:
    mine = registry.add(database, slug="east-pit", name="East Pit", aoi=box(81.1, 21.1, 81.12, 21.12))
    later = {"eo:cloud_cover": 20, "created": "2023-01-09T00:00:00Z"}
    for told in ({}, later, {"eo:cloud_cover": 90, "created": "2023-01-10T00:00:00Z"}, {}):
        sentinel_hub.features = [_product("S2A_N0509_", "2023-01-08T06:12:16Z", **told)]
        discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
    (row,) = database.execute("select cloud_cover, published_at from acquisition").fetchall()
    assert row == {"cloud_cover": pytest.approx(0.2), "published_at": datetime(2023, 1, 9, tzinfo=UTC)}
