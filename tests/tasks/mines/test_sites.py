import json
from pathlib import Path

import geopandas
import pytest
import shapely
from shapely.geometry import LineString, Point, Polygon, box

from tasks.mines.outline import sound
from tasks.mines.reading import read_table
from tasks.mines.sites import beside, doubts, sites, slug_of, slugify


def test_slugs() -> None:
    assert slugify("Mina São José (Norte)") == "mina-sao-jose-norte"
    assert slugify("东") == ""
    assert len(slugify("a b" * 50)) <= 63
    assert slug_of("Карьер 5", "", "pits 3") == "pits-3"
    assert slug_of("东", "514", "pits 3") == "514"
    assert slug_of("101", "pits 3") == "101"
    assert slug_of("东", "", "矿 3") == "mine-3"


def _collection(path: Path, *features: tuple[dict, Polygon]) -> Path:
    rows = [{"type": "Feature", "properties": p, "geometry": shapely.geometry.mapping(g)} for p, g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    return path


def test_columns_are_found_under_many_names(tmp_path: Path) -> None:
    licence = shapely.geometry.mapping(box(0, 0, 0.2, 0.2))
    words = {"Mine Name": "Big Pit", "Country / Area": "Chile", "Owner": "X", "licence": licence, "colour": "red"}
    frame = read_table(_collection(tmp_path / "a.geojson", (words, box(0, 0, 0.1, 0.1)))).frame
    (site,) = sites(frame, stem="a")
    assert (site.slug, site.name) == ("big-pit", "Big Pit")
    assert site.words == {"country": "Chile", "operator": "X"}
    assert site.licence is not None and site.licence.equals(box(0, 0, 0.2, 0.2))


def test_rows_of_one_mine_are_one_site_and_namesakes_are_two(tmp_path: Path) -> None:
    path = _collection(
        tmp_path / "a.geojson",
        ({"id": "1", "name": "Pit"}, box(0, 0, 0.1, 0.1)),
        ({"id": "1", "name": "Pit"}, box(1, 0, 1.1, 0.1)),
        ({"id": "2", "name": "Pit"}, box(2, 0, 2.1, 0.1)),
    )
    found = sites(read_table(path).frame, stem="a")
    assert [site.slug for site in found] == ["pit", "pit-2"]
    assert found[0].aoi.area == pytest.approx(0.02)


def test_outlines_of_one_name_are_one_mine_only_when_near_and_of_one_country(tmp_path: Path) -> None:
    path = _collection(
        tmp_path / "a.geojson",
        ({"name": "Pit", "country": "Chile"}, box(0, 60, 0.1, 60.1)),
        ({"name": "Pit", "country": "Chile"}, box(0.9, 60, 1, 60.1)),  # 44 km away at 60° north
        ({"name": "Pit", "country": "Peru"}, box(0.2, 60, 0.3, 60.1)),
        ({"name": "Pit"}, box(5, 60, 5.1, 60.1)),
    )
    found = sites(read_table(path).frame, stem="a")
    assert [site.slug for site in found] == ["pit", "pit-2", "pit-3"]
    assert [site.aoi.area for site in found] == pytest.approx([0.02, 0.01, 0.01])


def test_outlines_between_two_others_join_them(tmp_path: Path) -> None:
    boxes = [box(x, 0, x + 0.1, 0.1) for x in (0, 0.8, 0.4)]
    path = _collection(tmp_path / "a.geojson", *[({"name": "Pit"}, one) for one in boxes])
    (site,) = sites(read_table(path).frame, stem="a")
    assert site.aoi.area == pytest.approx(0.03)


def test_mines_without_names_are_called_after_key_or_file(tmp_path: Path) -> None:
    path = _collection(tmp_path / "a.geojson", ({"tile_id": 514}, box(0, 0, 0.1, 0.1)))
    assert sites(read_table(path).frame, stem="a")[0].name == "Tile 514"
    path = _collection(tmp_path / "b.geojson", ({"x": 1}, box(0, 0, 0.1, 0.1)))
    assert sites(read_table(path).frame, stem="pits")[0].slug == "pits-1"


def test_kml_is_read(tmp_path: Path) -> None:
    ring = "0,0,0 0.1,0,0 0.1,0.1,0 0,0,0"
    polygon = f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
    (tmp_path / "a.kml").write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>East pit</name>'
        f"<Polygon>{polygon}</Polygon></Placemark></Document></kml>"
    )
    (site,) = sites(read_table(tmp_path / "a.kml").frame, stem="a")
    assert site.slug == "east-pit" and sound(site.aoi, max_km2=100)


def _found(
    tmp_path: Path, *rows: tuple[dict, Polygon], stem: str = "a", merge: bool = True
) -> list[tuple[str, str, int]]:
    frame = read_table(_collection(tmp_path / "a.geojson", *rows)).frame
    return [(site.slug, site.name, site.rows) for site in sites(frame, stem="a", merge=merge)]


def _boxes(*words: dict) -> list[tuple[dict, Polygon]]:
    return [(one, box(at / 10, 0, at / 10 + 0.01, 0.01)) for at, one in enumerate(words)]


@pytest.mark.parametrize(
    ("column", "values"),
    [("id", (1, 1, 1)), ("tile_id", ("19KCP", "19KCP", "19KCQ")), ("site_id", ("Chile", "Chile", "Peru")),
     ("slug", ("mine", "mine", "mine")), ("mine_id", (0, 0, 7))],
)  # fmt: skip
def test_a_key_that_several_names_share_is_none_and_said(tmp_path: Path, column: str, values: tuple) -> None:
    words = [{"name": name, column: value} for name, value in zip(("Norte", "Sur", "Este"), values, strict=True)]
    assert [slug for slug, _, _ in _found(tmp_path, *_boxes(*words))] == ["norte", "sur", "este"]
    (said,) = doubts(read_table(tmp_path / "a.geojson").frame)
    assert (
        said == f"'{column}' is no key: {str(values[0]).lower()} stands for 2 names (Norte, Sur)" or "3 names" in said
    )


def test_a_number_in_every_row_is_no_key_where_no_row_has_a_name(tmp_path: Path) -> None:
    assert [slug for slug, _, _ in _found(tmp_path, *_boxes({"id": 1}, {"id": 1}))] == ["a-1", "a-2"]
    assert [slug for slug, _, _ in _found(tmp_path, *_boxes({"tile_id": 514}, {"tile_id": 514}))] == ["tile-514"]


@pytest.mark.parametrize(
    ("column", "values"), [("fid", (1, 2, 3)), ("id", ("ID_0", "ID_1", "ID_2")), ("mine_id", (7, 8, 9))]
)
def test_parts_come_out_alike_with_and_without_a_running_number(tmp_path: Path, column: str, values: tuple) -> None:
    called = ("Concesion A", "Concesion A", "Concesion B")
    plain = _found(tmp_path, *_boxes(*[{"name": name} for name in called]))
    assert plain == [("concesion-a", "Concesion A", 2), ("concesion-b", "Concesion B", 1)]
    words = [{"name": name, column: value} for name, value in zip(called, values, strict=True)]
    assert _found(tmp_path, *_boxes(*words)) == plain
    assert "numbers the rows" in doubts(read_table(tmp_path / "a.geojson").frame)[0]


def test_codes_keep_namesakes_apart(tmp_path: Path) -> None:
    words = [{"name": "Norte", "mine_id": code} for code in ("M0711", "M0086", "M0711")]
    assert _found(tmp_path, *_boxes(*words)) == [("norte", "Norte", 2), ("norte-m0086", "Norte", 1)]


def test_rows_can_be_kept_apart(tmp_path: Path) -> None:
    rows = _boxes({"name": "Pit"}, {"name": "pit "}, {"tile_id": 5, "name": "Dump"})
    assert _found(tmp_path, *rows) == [("pit", "Pit", 2), ("dump", "Dump", 1)]
    assert [slug for slug, _, _ in _found(tmp_path, *rows, merge=False)] == ["pit", "pit-2", "dump"]


@pytest.mark.parametrize("gap", [[514, 515, None], [514, 515, 516.0]])
def test_whole_numbers_stay_whole_beside_gaps_and_points(tmp_path: Path, gap: list) -> None:
    frame = geopandas.GeoDataFrame({"tile_id": gap}, geometry=[shape for _, shape in _boxes({}, {}, {})], crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    found = sites(read_table(tmp_path / "a.gpkg").frame, stem="a")
    assert [(site.slug, site.name) for site in found[:2]] == [("tile-514", "Tile 514"), ("tile-515", "Tile 515")]
    assert (found[2].fault is None) == (gap[2] is not None)


def test_large_whole_numbers_beside_a_gap_stay_apart(tmp_path: Path) -> None:
    words = [{"mine_id": 90071992547409921}, {"mine_id": 90071992547409922}, {"mine_id": None, "name": "Sur"}]
    assert len(_found(tmp_path, *_boxes(*words))) == 3


def test_a_row_without_name_and_key_would_become_another_mine_and_is_at_fault(tmp_path: Path) -> None:
    frame = read_table(_collection(tmp_path / "a.geojson", *_boxes({"tile_id": 514}, {"tile_id": None}))).frame
    first, second = sites(frame, stem="a")
    assert first.fault is None and second.fault is not None and "neither a name nor a 'tile_id'" in second.fault


def test_of_columns_of_one_name_the_one_that_says_something_counts(tmp_path: Path) -> None:
    rows = _boxes({"name": "Uno", "Name": None}, {"name": "", "Name": "Dos"}, {"name": None, "Site Name": "Tres"})
    assert [name for _, name, _ in _found(tmp_path, *rows)] == ["Uno", "Dos", "Tres"]


def test_halves_at_the_180th_meridian_are_near(tmp_path: Path) -> None:
    halves = box(179.99, 66, 180, 66.02), box(-180, 66, -179.98, 66.02)
    assert _found(tmp_path, *[({"name": "Cruce"}, half) for half in halves]) == [("cruce", "Cruce", 2)]


def test_labels_and_roads_of_a_mine_are_beside_it(tmp_path: Path) -> None:
    rows = [
        *_boxes({"name": "Pit"}),
        ({"name": "Pit"}, Point(0.1, 0.1)),
        ({"name": "Road"}, LineString([(0, 0), (1, 1)])),
    ]
    frame = read_table(_collection(tmp_path / "a.geojson", *rows)).frame
    found = sites(frame, stem="a")
    assert [site.slug for site in found] == ["pit", "road"] and sound(found[0].aoi, max_km2=10)
    assert beside(found) == ["Pit: 1 point left aside", "Road: 1 line left aside"]


def test_a_cell_may_hold_a_list(tmp_path: Path) -> None:
    words = [{"name": "Uno", "notes": ["a", "b"]}, {"name": "Dos", "notes": []}]
    first, second = sites(read_table(_collection(tmp_path / "a.geojson", *_boxes(*words))).frame, stem="a")
    assert first.words == {"notes": '["a", "b"]'} and second.words == {}
