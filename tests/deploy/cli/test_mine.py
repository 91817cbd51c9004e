import json
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import box
from typer.testing import CliRunner

from deploy.cli.mine import app
from tasks.errors import WrongUse


def _minecam(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def outline(tmp_path: Path) -> Path:
    frame = geopandas.GeoDataFrame({"name": ["East pit"]}, geometry=[box(81.1, 21.1, 81.12, 21.12)], crs=4326)
    frame.to_file(tmp_path / "east.geojson")
    return tmp_path / "east.geojson"


def test_a_mine_is_added_listed_and_shown(home: Path, outline: Path) -> None:
    assert "no mines yet" in _minecam("list")
    assert _minecam("add", str(outline), "--country", "India").startswith("registered east-pit, 4.6")
    (row,) = json.loads(_minecam("list", "--json"))
    assert row["slug"] == "east-pit" and row["country"] == "India" and "EPSG:32644" in row["grid"]
    assert _minecam("list").splitlines()[0].split() == ["Slug", "Area", "Country", "Name"]
    assert "India" in _minecam("list") and "East pit" in _minecam("show", "east-pit")
    assert json.loads(_minecam("show", "east-pit", "--json"))["aoi"]["type"] == "MultiPolygon"


def test_an_import_says_what_it_did(home: Path, outline: Path) -> None:
    assert json.loads(_minecam("import", str(outline), "--json"))["added"] == ["east-pit"]
    assert "0 added, 1 already registered, 0 refused" in _minecam("import", str(outline))


def test_an_import_of_nothing_but_refused_mines_fails(home: Path, tmp_path: Path) -> None:
    thin = geopandas.GeoDataFrame({"name": ["A"]}, geometry=[box(1, 1, 1, 1.1)], crs=4326)
    thin.to_file(tmp_path / "thin.gpkg")
    result = CliRunner().invoke(app, ["import", str(tmp_path / "thin.gpkg")])
    assert result.exit_code == 1 and "0 added, 0 already registered, 1 refused" in result.output


def test_adding_many_at_once_is_wrong_use(home: Path, tmp_path: Path) -> None:
    shapes = [box(1, 1, 1.1, 1.1), box(2, 2, 2.1, 2.1)]
    geopandas.GeoDataFrame({"name": ["A", "B"]}, geometry=shapes, crs=4326).to_file(tmp_path / "two.gpkg")
    with pytest.raises(WrongUse, match="minecam mine import"):
        _minecam("add", str(tmp_path / "two.gpkg"))


def test_namesakes_far_apart_are_added_by_import_alone(home: Path, tmp_path: Path) -> None:
    shapes = [box(1, 1, 1.1, 1.1), box(12, 2, 12.1, 2.1)]
    geopandas.GeoDataFrame({"name": ["A", "A"]}, geometry=shapes, crs=4326).to_file(tmp_path / "two.gpkg")
    with pytest.raises(WrongUse, match="2 outlines called A that are no one mine"):
        _minecam("add", str(tmp_path / "two.gpkg"))
    assert json.loads(_minecam("import", str(tmp_path / "two.gpkg"), "--json"))["added"] == ["a", "a-2"]


@pytest.mark.parametrize("command", ["add", "import", "list", "show"])
def test_every_command_has_an_example(command: str) -> None:
    assert f"minecam mine {command}" in _minecam(command, "--help")
