"""The budget: prices as the local archive charges them, and a month that runs short, through the real client."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

import pytest
from shapely.geometry import box

import sql
from models.sensors import SENSOR_SETS
from tasks.acquire import budget
from tasks.acquire.budget import Month, pixels_units, search_units
from tasks.acquire.discover import discover
from tasks.acquire.download import download
from tasks.acquire.request import price
from tasks.errors import ServiceDown, ServiceError, WrongUse
from tasks.mines import registry
from tasks.rasters.grid import Grid
from tasks.settings import settings
from tests.tasks import nouns
from tests.tasks.acquire.test_download import _discovered, _row, mine, rasters

__all__ = ["mine", "rasters"]


def grid(side):
    return Grid(32644, 0, 0, side, side)


@pytest.mark.parametrize(
    ("side", "bands", "radar", "units"),
    [(512, 3, False, 1.0), (512, 4, False, 4 / 3), (1024, 3, False, 4.0), (10, 3, False, 0.01), (10, 1, False, 0.005),
     (512, 2, True, 10 / 3)],
)  # fmt: skip
def test_pixels_cost_by_area_bands_and_processing(side, bands, radar, units):
    assert pixels_units(side * side, bands, radar=radar) == pytest.approx(units)


def test_a_search_costs_by_area_and_months_begun():
    small, country = box(81.1, 21.1, 81.3, 21.3), box(81, 21, 91, 31)
    assert search_units(small, date(2024, 1, 1), date(2024, 1, 31)) == 0.01
    assert search_units(small, date(2024, 1, 15), date(2024, 2, 14)) == 0.01
    assert search_units(small, date(2024, 1, 1), date(2024, 2, 1)) == 0.02
    assert search_units(small, date(2018, 1, 1), date(2023, 12, 31)) == pytest.approx(0.72)
    assert search_units(country, date(2024, 1, 1), date(2024, 1, 1)) == 1.0


@pytest.mark.parametrize(
    ("spent", "made", "units", "lacking"),
    [(0, 0, 10, None), (0, 0, 10.1, "processing units are spent"), (9, 0, 1.5, "9.00 of 10 processing units"),
     (0, 100, 1, "100 of 100 requests are made"), (0, 99, 1, None)],
)  # fmt: skip
def test_the_truth_table_of_a_month(spent, made, units, lacking):
    said = Month(made, spent, 100, 10, 0.5).lacks(units)
    assert (said is None) if lacking is None else (lacking in said and said.startswith("waiting for budget"))
    assert Month(made, spent, None, None, 0.5).lacks(units) is None


def test_what_the_month_cannot_pay_waits_and_goes_on_when_it_can(database, mine, sentinel_hub, rasters, monkeypatch):
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_N0509_")
    monkeypatch.setenv("MINECAM_PU_MONTH", "0.2")
    asked = len(sentinel_hub.requests)
    download(database, acquisition, mine)
    row = _row(database)
    assert (row.state, row.tries, len(sentinel_hub.requests)) == ("discovered", 0, asked)
    assert row.reasons[0].startswith("waiting for budget: 0.01 of 0.2 processing units are spent this month")
    monkeypatch.setenv("MINECAM_PU_MONTH", "5")
    download(database, row, mine)
    assert (_row(database).state, _row(database).reasons) == ("downloaded", [])
    month = budget.this_month(database)
    assert month.requests == 2 and month.processing_units == pytest.approx(0.26) and month.forecast > 0.26


def test_what_the_account_cannot_pay_waits_however_often_it_is_asked_for(database, mine, sentinel_hub, rasters):
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_N0509_")
    for _ in range(settings().max_tries + 1):
        sentinel_hub.failures = [(403, {"error": {"code": "ACCESS_INSUFFICIENT_PROCESSING_UNITS"}})]
        with pytest.raises(ServiceDown, match=r"waiting for budget: .* processing units are spent"):
            download(database, _row(database), mine)
    row = _row(database)
    assert (row.state, row.tries) == ("discovered", 0) and row.reasons[0].startswith("waiting for budget")
    assert download(database, acquisition, mine)[1] == [] and _row(database).state == "downloaded"


def test_no_search_without_budget(database, mine, sentinel_hub, monkeypatch, caplog):
    monkeypatch.setenv("MINECAM_REQUESTS_MONTH", "1")
    days = {"start": date(2023, 1, 1), "end": date(2023, 1, 31)}
    discover(database, mine, SENSOR_SETS["s2-rgb"], **days)
    asked = len(sentinel_hub.requests)
    assert discover(database, mine, SENSOR_SETS["s2-rgb"], **days) == 0 and len(sentinel_hub.requests) == asked
    assert "east-pit is not searched for, waiting for budget: 1 of 1 requests" in caplog.text


def test_requests_that_fail_are_paid_as_well(database, mine, sentinel_hub, rasters):
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_N0509_")
    sentinel_hub.truncate = True
    download(database, acquisition, mine)
    rows = database.execute("select kind, processing_units, acquisition_id from charge order by charge_id").fetchall()
    assert [(row["kind"], round(row["processing_units"], 2)) for row in rows] == [("search", 0.01), ("process", 0.25)]
    assert rows[1]["acquisition_id"] == acquisition.acquisition_id


def test_the_price_of_an_acquisition_is_that_of_its_parts(mine):
    row = nouns.acquisition()
    units, requests = price(row, grid(2600))
    assert requests == 4 and units == pytest.approx(2600 * 2600 / 512**2 * 4 / 3, rel=0.01)


@pytest.mark.parametrize(
    ("priority", "watched", "spent", "waits"),
    [("high", {"high", "normal"}, 9.9, False), ("normal", {"high", "normal"}, 7.9, False),
     ("normal", {"high", "normal"}, 8.0, True), ("normal", {"normal", "low"}, 9.9, False),
     ("low", {"normal", "low"}, 8.0, True), ("low", {"high", "normal", "low"}, 6.0, True),
     ("low", {"high", "normal", "low"}, 5.9, False), ("low", {"low"}, 9.9, False), ("high", {"high"}, 10.0, True)],
)  # fmt: skip
def test_the_truth_table_of_priorities(priority, watched, spent, waits):
    month = Month(0, spent, None, 10.0, 0.5, priorities=tuple(watched), reserve=0.2)
    lacking = month.lacks(0.1, priority=priority)
    assert bool(lacking) is waits
    if waits and priority != "high":
        assert "are kept for mines of higher priority" in lacking


def test_the_last_of_a_month_is_for_mines_of_high_priority(database, mine, sentinel_hub, rasters, monkeypatch):
    acquisition = _discovered(database, mine, sentinel_hub, "S2A_MSIL2A_20230108T060231_N0509_R091_T42RUN")
    (spent,) = database.execute("select processing_units from charge").fetchall()
    needed = spent["processing_units"] + price(acquisition, mine.grid)[0]
    monkeypatch.setenv("MINECAM_PU_MONTH", f"{1.1 * needed}")
    registry.add(database, slug="first", name="First", aoi=mine.aoi, priority="high")
    download(database, acquisition, mine)
    assert "20 % are kept for mines of higher priority" in _row(database).reasons[0]
    registry.prioritise(database, mine.slug, "high")
    assert [one.slug for one in registry.mines(database)] == ["east-pit", "first"]
    download(database, _row(database), registry.find(database, mine.slug))
    assert _row(database).state == "downloaded"
    with pytest.raises(WrongUse, match="'urgent' is no priority: choose of high, normal, low"):
        registry.prioritise(database, mine.slug, "urgent")


def test_a_full_minute_is_waited_for(database, mine, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        database.execute("update charge set at = at - interval '20 seconds'")

    monkeypatch.setattr(budget.time, "sleep", sleep)
    monkeypatch.setenv("MINECAM_PU_MINUTE", "1")

    def pay(units):
        assert isinstance(budget.reserve(database, "process", [(mine, None, units)], priority="high"), budget.Charge)

    pay(5.0)  # larger than a minute's: it must not wait for ever
    database.execute("update charge set at = at - interval '2 minutes'")
    pay(0.8)
    pay(0.2)
    assert slept == []
    pay(0.3)
    assert len(slept) == 3 and slept[0] == pytest.approx(60, abs=1) and slept[2] == pytest.approx(20, abs=1)
    monkeypatch.setenv("MINECAM_REQUESTS_MINUTE", "2")
    pay(0.01)
    assert len(slept) == 3
    pay(0.01)
    assert len(slept) == 6
    database.execute("update charge set at = now() + interval '1 hour'")  # the clock was set back
    pay(5.0)
    assert len(slept) == 6


@pytest.mark.parametrize(("limits", "served"), [
    ({"PU_MONTH": "2.0"}, 8), ({"REQUESTS_MONTH": "5"}, 5), ({"PU_MONTH": "0.2"}, 0), ({"PU_MONTH": "100"}, 24),
])  # fmt: skip
def test_workers_keep_to_the_month_together(database_url, mine, monkeypatch, limits, served):
    """However many ask at once, and whatever is under way: to the unit and to the request."""
    for name, value in limits.items():
        monkeypatch.setenv(f"MINECAM_{name}", value)

    def ask(_):
        with sql.connect(database_url, role="ingest") as connection:
            charges = [budget.reserve(connection, "process", [(mine, None, 0.25)], priority="high") for _ in range(3)]
            time.sleep(0.05)  # under way
            for charge in charges:
                if not isinstance(charge, str):
                    charge.settle(connection, 0.25)
            return [not isinstance(charge, str) for charge in charges]

    with ThreadPoolExecutor(8) as pool:
        assert sum(sum(done) for done in pool.map(ask, range(8))) == served


def test_workers_keep_to_the_minute_together(database, database_url, mine, monkeypatch):
    monkeypatch.setenv("MINECAM_REQUESTS_MINUTE", "4")
    waited = []

    def wait(seconds):
        waited.append(seconds)
        raise TimeoutError

    monkeypatch.setattr(budget.time, "sleep", wait)

    def ask(_):
        with sql.connect(database_url, role="ingest") as connection, suppress(TimeoutError):
            budget.reserve(connection, "process", [(mine, None, 0.25)], priority="high")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    month = budget.this_month(database)
    assert (month.requests, month.processing_units, len(waited)) == (4, 1.0, 4)
    assert all(50 < seconds <= 60 for seconds in waited)


def test_what_a_killed_worker_has_asked_for_stays_charged_and_what_was_refused_does_not(database, mine):
    killed, refused, other = (
        budget.reserve(database, "process", [(mine, None, 0.25)], priority="high") for _ in range(3)
    )
    assert budget.this_month(database).processing_units == 0.75 and isinstance(killed, budget.Charge)
    with pytest.raises(ServiceError), refused.unless_served(database):
        raise ServiceError("it is down")
    other.settle(database, 0.5)
    month = budget.this_month(database)
    assert (month.requests, month.processing_units) == (2, 0.75)
    seen = database.execute("select downloads, requests, processing_units from budget").fetchall()
    assert [tuple(row.values()) for row in seen] == [(2, 2, 0.75)]
    left = database.execute("select charge_id from charge where settled_at is null").fetchall()
    assert [row["charge_id"] for row in left] == list(killed.rows)
