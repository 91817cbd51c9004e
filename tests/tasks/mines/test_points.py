"""Registers of points, as spreadsheets write them, and circles around points."""

import math
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
from shapely.geometry import LineString, MultiPoint, Point

from tasks.errors import WrongUse
from tasks.mines.outline import sound_aoi, square_kilometres
from tasks.mines.points import around, degrees, metres
from tasks.mines.reading import read_table
from tasks.mines.sites import sites
from tasks.rasters.grid import grid_for


@pytest.mark.parametrize(
    "text",
    [
        "name,latitude,longitude\nNorte,-24.3,-69.1\nSur,-24.5,-69.2\n",
        "Name;Lat;Lon\nNorte;-24,3;-69,1\nSur;-24,5;-69,2\n",
        "sep=;\r\nNAME;Y;X\r\nNorte;-24,3;-69,1\r\nSur;-24,5;-69,2\r\n;;\r\n",
        'id\tSite Name\tLatitude\tLongitude\n1\tNorte\t"24°18\'00""S"\t"69°06\'00""W"\n2\tSur\t24.5 S\tW 69.2\n',
        'name,wkt\nNorte,POINT (-69.1 -24.3)\nSur,"POINT (-69.2 -24.5)"\n',
    ],
    ids=["commas", "semicolons and decimal commas", "as Excel", "tabs, degrees and minutes", "WKT"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_points_are_read_as_programs_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding=encoding)
    frame = read_table(tmp_path / "a.csv").frame
    assert [site.name for site in sites(frame, stem="a")] == ["Norte", "Sur"]
    assert [(round(at.x, 9), round(at.y, 9)) for at in frame.geometry] == [(-69.1, -24.3), (-69.2, -24.5)]


def test_names_that_windows_wrote_keep_their_letters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("name;lat;lon\nMina São José;-24,3;-69,1\n".encode("cp1252"))
    assert sites(read_table(tmp_path / "a.csv").frame, stem="a")[0].name == "Mina São José"


def test_a_spreadsheet_is_read(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["Norte"], "lat": [-24.3], "lon": [-69.1]})
    pyogrio.write_dataframe(table, tmp_path / "a.xlsx", driver="XLSX")
    assert read_table(tmp_path / "a.xlsx").frame.geometry[0].equals(Point(-69.1, -24.3))


def test_a_table_without_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,country\nNorte,Chile\n")
    with pytest.raises(WrongUse, match=r"a.csv has no columns 'latitude' and 'longitude'"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("name,lat,lon\n")
    with pytest.raises(WrongUse, match=r"b.csv holds no rows"):
        read_table(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("text", "angle"),
    [("-24.3", -24.3), ("24,3", 24.3), ("1e1", 10.0), ("24°17'24\"S", -24.29), ("24:30", 24.5), ("S 24.5°", -24.5),
     ("1.234,5", None), ("24 17 24 S", None), ("nan", None), ("inf", None), ("", None), (None, None), ("n/a", None)],
)  # fmt: skip
def test_angles(text: str | None, angle: float | None) -> None:
    assert degrees(text) == (None if angle is None else pytest.approx(angle))


@pytest.mark.parametrize(("text", "radius"), [("2km", 2000), ("0.5 km", 500), ("500m", 500), ("0,5KM", 500)])
def test_radii(text: str, radius: float) -> None:
    assert metres(text) == radius


@pytest.mark.parametrize("text", ["2", "2 miles", "-2km", "0m", "5m", "900km", "", "km"])
def test_what_is_no_radius_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="radius"):
        metres(text)


@pytest.mark.parametrize("latitude", [0.0, -24.3, 66.0, 80.0])
@pytest.mark.parametrize("longitude", [-69.1, 180.0, -180.0])
def test_a_circle_is_round_on_the_ground_wherever_it_lies(longitude: float, latitude: float) -> None:
    circle = sound_aoi(around(Point(longitude, latitude), 2000), max_km2=100).geometry
    assert square_kilometres(circle) == pytest.approx(4 * math.pi, rel=1e-3)
    grid = grid_for(circle)
    assert abs(grid.width - 400) <= 3 and abs(grid.height - 400) <= 3


def test_points_that_are_no_place_are_refused() -> None:
    with pytest.raises(WrongUse, match=r"the point leaves ±90° latitude .*swapped"):
        around(Point(-24.3, 121.5), 2000)
    with pytest.raises(WrongUse, match="the point leaves ±180°"):
        around(Point(494927, 7310343), 2000)
    with pytest.raises(WrongUse, match="0° 0°"):
        around(Point(0, 0), 2000)
    assert around(None, 2000).is_empty and around(Point(), 2000).is_empty


def test_only_points_have_circles() -> None:
    assert len(around(MultiPoint([(1, 1), (2, 2)]), 2000).geoms) == 2
    assert around(LineString([(1, 1), (2, 2)]), 2000).is_empty


def test_outlines_in_a_table_are_read(tmp_path: Path) -> None:
    ring = "[[[-69.1,-24.3],[-69.07,-24.3],[-69.07,-24.27],[-69.1,-24.3]]]"
    polygon = '"{""type"":""Polygon"",""coordinates"":' + ring + '}"'
    (tmp_path / "a.csv").write_text(f"name,.geo\nNorte,{polygon}\nSur,broken\n")
    first, second = read_table(tmp_path / "a.csv").frame.geometry
    assert first.area > 0 and second is None


def test_points_of_one_name_are_mines_of_their_own_unless_they_stand_there_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,lat,lon\nHope,-23,119\nHope,-23.001,119.001\nHope,-23.1,119.1\n")
    assert [site.rows for site in sites(read_table(tmp_path / "a.csv").frame, stem="a")] == [2, 1]


def test_columns_of_one_name_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Name,Name,lat,lon\n,Norte,-24.3,-69.1\nSur,x,-24.5,-69.2\n")
    assert [site.name for site in sites(read_table(tmp_path / "a.csv").frame, stem="a")] == ["Norte", "Sur"]
