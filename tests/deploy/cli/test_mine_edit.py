"""Mines that are edited, retired and resumed by command: what is said, and what is kept."""

import json
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import box
from typer.testing import CliRunner

import sql
from deploy.cli import app
from tasks.errors import WrongUse
from tasks.mines import registry
from tests.sql.test_long_edges import dug

WHY = ("--why", "surveyed anew", "--by", "Ada")
AOI = box(81.1, 21.1, 81.12, 21.12)


def _minecam(*words: str) -> str:
    result = CliRunner().invoke(app, ["mine", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def _file(path: Path, *shapes: object) -> str:
    geopandas.GeoDataFrame({"name": ["East"] * len(shapes)}, geometry=list(shapes), crs=4326).to_file(path)
    return str(path)


@pytest.fixture
def mine(database: sql.Connection, home: Path) -> registry.Mine:
    registry.publish_labels(database)
    mine = registry.add(database, slug="east-pit", name="East pit", aoi=AOI, licence=AOI, country="India")
    dug(database, mine, box(81.105, 21.105, 81.115, 21.115))
    return registry.find(database, "east-pit")


def test_a_redrawn_outline_says_what_is_to_be_made_anew(
    mine: registry.Mine, database: sql.Connection, tmp_path: Path
) -> None:
    said = _minecam("edit", "east-pit", "--outline", _file(tmp_path / "a.geojson", box(81.1, 21.1, 81.14, 21.12)), *WHY)
    assert "4.60 km² became 9.20 km²; the outline before is kept" in said
    assert "1 epoch is of the outline before" in said and "`minecam run east-pit --from 2024-01-01 --rerun`" in said
    (kept,) = database.execute("select *, st_astext(geom) as was from mine_edit").fetchall()
    assert (kept["edit"], kept["who"], kept["why"]) == ("aoi", "Ada", "surveyed anew") and "81.12" in kept["was"]
    assert registry.find(database, "east-pit").licence == mine.licence


def test_a_licence_and_words_are_edited_and_what_was_is_kept(
    mine: registry.Mine, database: sql.Connection, tmp_path: Path
) -> None:
    west = _file(tmp_path / "west.geojson", box(81.1, 21.1, 81.11, 21.12))
    said = _minecam("edit", "east-pit", "--licence", west, "--name", "East", "--country", "IN", *WHY)
    assert "name, country changed" in said and "from the next epoch on" in said and "km² became" not in said
    kept = {row["edit"]: row for row in database.execute("select * from mine_edit").fetchall()}
    assert kept.keys() == {"licence", "words"} and kept["words"]["words"] == {"name": "East pit", "country": "India"}
    after = registry.find(database, "east-pit")
    assert after.licence is not None and after.licence.bounds[2] == 81.11 and after.aoi_since is None
    assert [row["place"] for row in database.execute("select * from mined_outside('east-pit')").fetchall()] == [
        "outside the licence"]  # fmt: skip
    assert "no licence" in _minecam("edit", "east-pit", "--no-licence", *WHY)
    assert registry.find(database, "east-pit").licence is None


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "nothing of 'east-pit' would change"), (["--country", "India"], "would change"),
     (["--outline", "same"], "would change"), (["--outline", "two"], "holds 2"),
     (["--licence", "bow"], "the licence crosses itself"), (["--model", "none-such"], "none-such")],
)  # fmt: skip
def test_an_edit_that_cannot_be_changes_nothing(
    mine: registry.Mine, database: sql.Connection, tmp_path: Path, words: list[str], said: str
) -> None:
    from shapely.geometry import Polygon

    files = {
        "same": _file(tmp_path / "same.geojson", AOI),
        "bow": _file(tmp_path / "bow.geojson", Polygon([(81, 21), (82, 22), (82, 21), (81, 22)])),
        "two": _file(tmp_path / "two.geojson", AOI, box(10, 10, 10.1, 10.1)),
    }
    with pytest.raises(Exception, match=said):
        _minecam("edit", "east-pit", *(files.get(word, word) for word in words), *WHY)
    assert registry.find(database, "east-pit") == mine
    assert database.execute("select * from mine_edit").fetchall() == []


def test_a_mine_is_retired_and_resumed(mine: registry.Mine, database: sql.Connection, tmp_path: Path) -> None:
    assert "its past (1 epoch) stays" in _minecam("retire", "east-pit", "--why", "closed")
    assert "no mines yet" in _minecam("list") and "east-pit" in _minecam("list", "--retired")
    assert json.loads(_minecam("show", "east-pit", "--json"))["retired_at"] is not None
    history = "select count(*) as n from current_segment where mine = 'east-pit'"
    assert database.execute(history).fetchone() == {"n": 1}
    outline = _file(tmp_path / "east.geojson", AOI)
    with pytest.raises(WrongUse, match=r"'east-pit' is retired since .*: have it watched again by"):
        _minecam("add", outline, "--slug", "east-pit")
    with pytest.raises(WrongUse, match="retired already"):
        _minecam("retire", "east-pit", "--why", "closed")
    with pytest.raises(WrongUse, match="is retired since"):
        CliRunner().invoke(app, ["run", "east-pit"], catch_exceptions=False)
    assert "watched again" in _minecam("resume", "east-pit", "--why", "digging goes on")
    assert "East pit" in _minecam("list")
    with pytest.raises(WrongUse, match="nothing to resume"):
        _minecam("resume", "east-pit", "--why", "so")
    edits = database.execute("select edit, why from mine_edit order by at").fetchall()
    assert [row["edit"] for row in edits] == ["retired", "resumed"]
