import json
import math
from pathlib import Path

import geopandas
import pytest
import shapely
from shapely.geometry import Point, Polygon, box
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


def _table(path: Path, *rows: tuple[str, Polygon | Point]) -> Path:
    frame = geopandas.GeoDataFrame({"name": [name for name, _ in rows]}, geometry=[one for _, one in rows], crs=4326)
    frame.to_file(path)
    return path


def test_what_is_put_together_or_left_aside_is_said_and_can_be_refused(home: Path, tmp_path: Path) -> None:
    pits = _table(
        tmp_path / "pits.geojson",
        ("Pit", box(1, 1, 1.1, 1.1)), ("Pit", box(1.2, 1, 1.3, 1.1)), ("Pit", Point(1, 1)), ("Gate", Point(1, 1)),
    )  # fmt: skip
    said = CliRunner().invoke(app, ["import", str(pits)]).output
    assert (
        "1 added, 0 already registered, 1 refused" in said
        and "pit, of 2 rows" in said
        and "note: Pit: 1 point left aside" in said
    )
    assert "refused Gate: the outline is 1 point" in said
    done = json.loads(_minecam("import", str(pits), "--parts", "separate", "--json"))
    assert done["present"] == ["pit"] and done["added"] == ["pit-2"] and done["merged"] == {}


def test_a_mine_is_added_though_labels_stand_beside_its_outline(home: Path, tmp_path: Path) -> None:
    said = _minecam("add", str(_table(tmp_path / "a.geojson", ("Pit", box(1, 1, 1.1, 1.1)), ("Gate", Point(1, 1)))))
    assert said.startswith("registered pit, 123") and "note: Gate: 1 point left aside" in said


def test_small_mines_are_told_in_hectares(home: Path, tmp_path: Path) -> None:
    quarry = box(-69.1, -24.3, -69.0995, -24.2996)
    assert "registered cantera, 0.22 ha" in _minecam("add", str(_table(tmp_path / "a.geojson", ("Cantera", quarry))))
    assert "0.22 ha" in _minecam("list")


BOW_TIE = Polygon([(0.9, 0.9), (1.2, 1.2), (1.2, 0.9), (0.9, 1.2)])


def test_all_polygons_of_a_licence_file_count_and_a_fault_is_that_of_the_licence(
    home: Path, outline: Path, tmp_path: Path
) -> None:
    bad = _table(tmp_path / "bad.geojson", ("x", BOW_TIE), ("y", box(2, 2, 2.1, 2.1)))
    with pytest.raises(WrongUse, match="the licence crosses itself"):
        _minecam("add", str(outline), "--licence", str(bad))
    with pytest.raises(WrongUse, match="the licence is 1 point, not a polygon: draw it"):
        _minecam("add", str(outline), "--licence", str(_table(tmp_path / "p.geojson", ("x", Point(1, 1)))))
    good = _table(
        tmp_path / "b.gpkg", ("x", box(1, 1, 1.1, 1.1)), ("beacon", Point(1, 1)), ("y", box(1.05, 1, 1.2, 1.1))
    )
    said = _minecam("add", str(outline), "--licence", str(good))
    assert "note: licence: put together of x, y" in said and "licence: beacon: 1 point left aside" in said
    licence = shapely.geometry.shape(json.loads(_minecam("show", "east-pit", "--json"))["licence"])
    assert licence.equals(box(1, 1, 1.2, 1.1)) and len(licence.geoms) == 1


def test_points_become_circles_where_that_is_wanted(home: Path, tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text("Name;Latitude;Longitude;Country\nNorte;-24,3;-69,1;Chile\nSur;;;Chile\n", encoding="utf-8-sig")
    for command in ("add", "import"):
        with pytest.raises(WrongUse, match=r"register.csv holds 1 point and no outlines: .*--buffer 2km"):
            _minecam(command, str(register))
    said = CliRunner().invoke(app, ["import", str(register), "--buffer", "2km"]).output
    assert "1 added, 0 already registered, 1 refused" in said and "norte: a circle around a point" in said
    mine = json.loads(_minecam("show", "norte", "--json"))
    assert mine["km2"] == pytest.approx(4 * math.pi, rel=1e-3) and mine["country"] == "Chile"
    assert mine["notes"] == "AOI: 2000 m around 1 point, no drawn outline"


def test_a_licence_of_several_layers_names_the_option_that_chooses(home: Path, outline: Path, tmp_path: Path) -> None:
    path = tmp_path / "permits.gpkg"
    for layer, west in (("old", 81.0), ("new", 81.05)):
        frame = geopandas.GeoDataFrame({"name": [layer]}, geometry=[box(west, 21, west + 0.2, 21.2)], crs=4326)
        frame.to_file(path, layer=layer)
    with pytest.raises(WrongUse, match="the layers old, new: choose one with --licence-layer"):
        _minecam("add", str(outline), "--licence", str(path))
    _minecam("add", str(outline), "--licence", str(path), "--licence-layer", "new")
    licence = shapely.geometry.shape(json.loads(_minecam("show", "east-pit", "--json"))["licence"])
    assert licence.bounds[0] == 81.05


def test_a_mine_across_180_degrees_is_shown_with_its_bounds(home: Path, tmp_path: Path) -> None:
    wrapped = Polygon([(179.99, 66), (-179.98, 66), (-179.98, 66.02), (179.99, 66.02)])
    assert "registered cape, 3.04 km²" in _minecam("add", str(_table(tmp_path / "a.geojson", ("Cape", wrapped))))
    assert json.loads(_minecam("show", "cape", "--json"))["bounds"] == [179.99, 66, -179.98, 66.02]
