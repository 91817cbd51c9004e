import json

from shapely.geometry import box
from typer.testing import CliRunner

from deploy.cli import app
from tasks import budget, registry


def _cost(*words: str) -> str:
    result = CliRunner().invoke(app, ["cost", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_spent_left_and_forecast(database, home, monkeypatch) -> None:
    monkeypatch.setenv("MINECAM_PU_MONTH", "100")
    assert _cost().startswith("this month: 0.00 of 100 processing units, 0 of 10000 requests")
    for slug, east in (("pit", 69.0), ("other", 70.0)):
        mine = registry.add(database, slug=slug, name=slug, aoi=box(east, 33.0, east + 0.02, 33.02))
        budget.charge(database, mine, "search", 0.01)
        budget.charge(database, mine, "process", 2.0)
    said = json.loads(_cost("--mine", "pit", "--json"))
    assert (said["processing_units"], said["requests"], said["limit"], said["waiting"]) == (4.02, 4, 100, 0)
    assert said["forecast"] >= 4.0
    (row,) = said["mines"]
    assert (row["mine"], row["searches"], row["downloads"], row["processing_units"]) == ("pit", 1, 1, 2.01)
    assert "2.010" in _cost() and "other" in _cost()
