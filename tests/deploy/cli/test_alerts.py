import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from typer.testing import CliRunner

from deploy.cli.alerts import app
from tasks.errors import WrongUse
from tasks.mines import registry

AOI = shapely.box(69.0, 33.0, 69.02, 33.02)


def _alerts(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def two_alerts(database, home):
    """A confirmed alert and an expired one at the mine `pit`; none at `quiet`."""
    registry.add(database, slug="quiet", name="Quiet", aoi=AOI)
    mine = registry.add(database, slug="pit", name="Pit", aoi=AOI)
    time = datetime(2023, 1, 1, tzinfo=UTC)
    acquisition = database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids)"
        " values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}') returning acquisition_id",
        (mine.mine_id, time.date(), time),
    ).fetchone()["acquisition_id"]
    epoch = database.execute(
        "insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version,"
        " class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares)"
        " values (%s, %s, 's2-rgb', %s, 'm', 'c', '0', '-', '-', '-', '-', 1, 1) returning epoch_id",
        (acquisition, mine.mine_id, time),
    ).fetchone()["epoch_id"]
    for state, severity in (("expired", 3), ("confirmed", 2)):
        database.execute(
            "insert into alert (mine_id, rule_id, state, severity, hectares, measured, first_time, last_time,"
            " first_epoch_id, last_epoch_id, observations, geom)"
            " values (%s, 1, %s, %s, 4.5, 4.5, %s, %s, %s, %s, '{1,0,1}', (select aoi from mine where mine_id = %s))",
            (mine.mine_id, state, severity, time, time, epoch, epoch, mine.mine_id),
        )


def test_standing_alerts_or_all_of_one_mine_or_every_one(two_alerts) -> None:
    (row,) = json.loads(_alerts("--json"))
    assert (row["mine"], row["rule"], row["state"], row["hectares"]) == ("pit", "new-digging", "confirmed", 4.5)
    assert (row["latitude"], row["longitude"]) == (pytest.approx(33.01), pytest.approx(69.01))
    assert [row["state"] for row in json.loads(_alerts("--all", "--json"))] == ["expired", "confirmed"]
    assert json.loads(_alerts("--mine", "quiet", "--json")) == []
    assert "no alerts stand" in _alerts("--mine", "quiet")
    with pytest.raises(WrongUse, match="did you mean pit"):
        _alerts("--mine", "pitt")


def test_the_table_and_the_help(two_alerts, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    table = _alerts()
    assert "new-digging" in table and "2/3" in table
    assert "minecam alerts --mine" in _alerts("--help")


def raised(database, alert_id: int) -> None:
    values = "(%s, 'confirmed', 'minecam', 'w')"
    database.execute(f"insert into alert_event (alert_id, to_state, actor, why) values {values}", (alert_id,))


def test_a_person_decides_and_that_is_kept(two_alerts, database) -> None:
    (row,) = json.loads(_alerts("--json"))
    number = str(row["alert_id"])
    raised(database, row["alert_id"])
    assert "new-digging at pit) was confirmed: acknowledged" in _alerts("acknowledge", number, "--why", "on site")
    assert json.loads(_alerts("--json"))[0]["state"] == "acknowledged"
    assert "was acknowledged: resolved" in _alerts("resolve", number, "--why", "filled in", "--by", "eva")
    history = database.execute("select to_state, actor, why from alert_history order by alert_event_id").fetchall()
    assert [tuple(event.values()) for event in history][2] == ("resolved", "eva", "filled in") and history[1]["actor"]
    with pytest.raises(WrongUse, match="is resolved"):
        _alerts("acknowledge", number, "--why", "again")


def test_the_evidence_is_shown_and_written(two_alerts, database, tmp_path: Path) -> None:
    (row,) = json.loads(_alerts("--json"))
    raised(database, row["alert_id"])
    shown = _alerts("show", str(row["alert_id"]), "--folder", str(tmp_path / "evidence"))
    assert shown.startswith("MineCam: new-digging confirmed at Pit, 4.50 ha") and "openstreetmap" in shown
    outline = json.loads((tmp_path / "evidence" / f"alert-{row['alert_id']}.geojson").read_text())
    assert outline["geometry"]["type"] == "MultiPolygon" and outline["properties"]["hectares"] == 4.5
    assert (tmp_path / "evidence" / f"alert-{row['alert_id']}.md").read_text().startswith("## MineCam: new-digging")
    told = json.loads(_alerts("show", str(row["alert_id"]), "--json"))
    assert (told["mine"], told["state"], told["measured"], told["unit"]) == ("pit", "confirmed", 4.5, "ha")
    assert told["first_time"] == "2023-01-01T00:00:00+00:00" and told["observations"] == [1, 0, 1]
    assert told["product_ids"] == ["X"] and told["before_time"] is None
    assert told["geometry"] == outline["geometry"] and outline["properties"] == {
        name: value for name, value in told.items() if name not in ("geometry", "files")
    }
    with pytest.raises(WrongUse, match="there is no alert 99"):
        _alerts("show", "99")
    with pytest.raises(WrongUse, match="cannot be written to"):
        _alerts("show", str(row["alert_id"]), "--folder", "/proc/evidence")
