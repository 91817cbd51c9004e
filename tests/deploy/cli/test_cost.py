import json
from datetime import date

from shapely.geometry import box
from typer.testing import CliRunner

from deploy.cli import app
from tasks.acquire import budget
from tasks.mines import registry


def _cost(*words: str) -> str:
    result = CliRunner().invoke(app, ["cost", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_spent_left_and_forecast(database, home, monkeypatch) -> None:
    monkeypatch.setenv("MINECAM_PU_MONTH", "100")
    assert _cost().startswith("this month: 0.00 of 100 processing units (100.0 left), 0 of 10000 requests (10000 left)")
    for slug, east in (("pit", 69.0), ("other", 70.0)):
        mine = registry.add(database, slug=slug, name=slug, aoi=box(east, 33.0, east + 0.02, 33.02))
        budget.reserve(database, "search", [(mine, None, 0.01)], priority="high")
        budget.reserve(database, "process", [(mine, None, 2.0)], priority="high")
    said = json.loads(_cost("--mine", "pit", "--json"))
    assert (said["processing_units"], said["requests"], said["limit"], said["waiting"]) == (4.02, 4, 100, 0)
    assert said["forecast"] >= 4.0 and (said["left"], said["requests_left"]) == (95.98, 9996)
    (row,) = said["mines"]
    assert (row["mine"], row["searches"], row["downloads"], row["processing_units"]) == ("pit", 1, 1, 2.01)
    assert "2.010" in _cost() and "other" in _cost()


def test_what_waits_for_budget_is_not_what_waits_for_the_next_run(database, home) -> None:
    mine = registry.add(database, slug="pit", name="Pit", aoi=box(69.0, 33.0, 69.02, 33.02))
    reasons = ["waiting for budget: 9 of 9 requests are made", "cloud over 80 % of the AOI, and released by a person"]
    for day, reason in enumerate(reasons, start=1):
        database.execute(
            "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids,"
            " reasons) values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}', %s)",
            (mine.mine_id, date(2026, 1, day), date(2026, 1, day), [reason]),
        )
    assert json.loads(_cost("--json"))["waiting"] == 1 and "1 acquisitions wait for budget" in _cost()
