"""The commands of zones, on a real database: what they register, refuse, and let go."""

import json
from pathlib import Path

import geopandas
import pytest
import shapely
from shapely.geometry import box
from typer.testing import CliRunner

import sql
from deploy.cli.zone import app
from tasks.errors import WrongUse
from tasks.mines import registry, zones
from tests.sql.test_long_edges import dug


def _minecam(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def _file(path: Path, *shapes: shapely.Geometry, **columns: list[str | None]) -> str:
    geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=4326).to_file(path)
    return str(path)


@pytest.fixture
def park(tmp_path: Path) -> str:
    return _file(tmp_path / "park.geojson", box(81.11, 21.1, 82, 22), name=["Old Spring"])


@pytest.fixture
def mine(database: sql.Connection, home: Path) -> registry.Mine:
    registry.publish_labels(database)
    return registry.add(database, slug="east-pit", name="East pit", aoi=box(81.1, 21.1, 81.12, 21.12))


def test_a_zone_is_added_listed_and_retired(mine: registry.Mine, database: sql.Connection, park: str) -> None:
    assert "no zones yet" in _minecam("list")
    said = _minecam("add", park, "--kind", "protected")
    assert said.startswith("registered old-spring, protected, 9,186.96") and "1 mine (east-pit)" in said
    (row,) = json.loads(_minecam("list", "--json"))
    assert (row["slug"], row["kind"], row["mines"], row["retired_at"]) == (
        "old-spring", "protected", ["east-pit"], None)  # fmt: skip
    assert _minecam("list").split()[:5] == ["Zone", "Kind", "km²", "Mines", "Name"]

    dug(database, mine, box(81.105, 21.105, 81.115, 21.115))
    inside = "select place, hectares from mined_outside('east-pit')"
    (found,) = database.execute(inside).fetchall()
    assert found["place"] == "protected: Old Spring" and found["hectares"] == pytest.approx(57.4, abs=0.2)
    said = _minecam("retire", "old-spring", "--why", "the park was moved", "--by", "Ada")
    assert "counts no more" in said and "east-pit" in said and "inside-zone" in said
    assert database.execute(inside).fetchall() == []
    assert len(database.execute("select * from mined_outside('east-pit', current_date - 1)").fetchall()) == 1
    assert "no zones yet" in _minecam("list")
    (row,) = json.loads(_minecam("list", "--retired", "--json"))
    assert (row["retired_why"], row["retired_by"]) == ("the park was moved", "Ada")
    assert "Retired" in _minecam("list", "--retired")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["add", "--kind", "park"], "'park' is no kind of zone: choose one of protected, "),
     (["add"], "it has no kind: choose one of"), (["add", "--kind", "water", "--slug", "No"], "no slug"),
     (["retire", "east", "--why", "so"], "no zone 'east'")],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(home: Path, park: str, words: list[str], said: str) -> None:
    given = [words[0], park, *words[1:]] if words[0] == "add" else words
    with pytest.raises(WrongUse, match=said):
        _minecam(*given)


def test_a_zone_is_registered_once_and_retired_once(home: Path, park: str) -> None:
    _minecam("add", park, "--kind", "water")
    with pytest.raises(WrongUse, match="already a zone 'old-spring'"):
        _minecam("add", park, "--kind", "water")
    with pytest.raises(WrongUse, match="say why"):
        _minecam("retire", "old-spring", "--why", " ")
    _minecam("retire", "old-spring", "--why", "moved")
    with pytest.raises(WrongUse, match="is retired since"):
        _minecam("retire", "old-spring", "--why", "moved")
    with pytest.raises(WrongUse, match="was a zone 'old-spring', retired on"):
        _minecam("add", park, "--kind", "water")
    assert "retired on" in _minecam("import", park, "--kind", "water", status=1)


def test_an_import_takes_the_kinds_of_a_column(home: Path, tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    path = _file(
        tmp_path / "zones.gpkg", box(1, 1, 2, 2), box(3, 3, 4, 4), box(5, 5, 6, 6), bow,
        name=["Creek", "Village", "Forest", "Bow"], Kind=["water", "town", None, "water"],
    )  # fmt: skip
    done = json.loads(_minecam("import", path, "--kind", "protected", "--json"))
    assert sorted(done["added"]) == ["creek", "forest"]
    assert {name: reason.split(":")[0] for name, reason in done["refused"]}.keys() == {"Village", "Bow"}
    assert {row["slug"]: row["kind"] for row in json.loads(_minecam("list", "--json"))} == {
        "creek": "water", "forest": "protected"}  # fmt: skip
    again = json.loads(_minecam("import", path, "--kind", "protected", "--json"))
    assert sorted(again["present"]) == ["creek", "forest"] and again["added"] == []


@pytest.mark.parametrize("kind", zones.KINDS)
def test_zones_are_as_large_as_they_are(home: Path, tmp_path: Path, kind: str) -> None:
    path = _file(tmp_path / "north.geojson", box(0, 0, 179, 90), name=["North"])
    assert "registered north" in _minecam("add", path, "--kind", kind)
    (row,) = json.loads(_minecam("list", "--json"))
    assert row["km2"] == pytest.approx(510_065_622 / 2 * 179 / 360, rel=1e-3)
