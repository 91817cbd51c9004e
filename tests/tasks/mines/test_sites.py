import json
from pathlib import Path

import pytest
import shapely
from shapely.geometry import Polygon, box

from tasks.errors import WrongUse
from tasks.mines.outline import sound
from tasks.mines.sites import read_frame, sites, slug_of, slugify


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
    frame = read_frame(_collection(tmp_path / "a.geojson", (words, box(0, 0, 0.1, 0.1))))
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
    found = sites(read_frame(path), stem="a")
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
    found = sites(read_frame(path), stem="a")
    assert [site.slug for site in found] == ["pit", "pit-2", "pit-3"]
    assert [site.aoi.area for site in found] == pytest.approx([0.02, 0.01, 0.01])


def test_outlines_between_two_others_join_them(tmp_path: Path) -> None:
    boxes = [box(x, 0, x + 0.1, 0.1) for x in (0, 0.8, 0.4)]
    path = _collection(tmp_path / "a.geojson", *[({"name": "Pit"}, one) for one in boxes])
    (site,) = sites(read_frame(path), stem="a")
    assert site.aoi.area == pytest.approx(0.03)


def test_mines_without_names_are_called_after_key_or_file(tmp_path: Path) -> None:
    path = _collection(tmp_path / "a.geojson", ({"tile_id": 514}, box(0, 0, 0.1, 0.1)))
    assert sites(read_frame(path), stem="a")[0].name == "Tile 514"
    path = _collection(tmp_path / "b.geojson", ({"x": 1}, box(0, 0, 0.1, 0.1)))
    assert sites(read_frame(path), stem="pits")[0].slug == "pits-1"


def test_kml_is_read(tmp_path: Path) -> None:
    ring = "0,0,0 0.1,0,0 0.1,0.1,0 0,0,0"
    polygon = f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
    (tmp_path / "a.kml").write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>East pit</name>'
        f"<Polygon>{polygon}</Polygon></Placemark></Document></kml>"
    )
    (site,) = sites(read_frame(tmp_path / "a.kml"), stem="a")
    assert site.slug == "east-pit" and sound(site.aoi, max_km2=100)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no file"):
        read_frame(tmp_path / "none.geojson")
    (tmp_path / "bad.geojson").write_text("{")
    with pytest.raises(WrongUse, match="no readable outline file"):
        read_frame(tmp_path / "bad.geojson")
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(WrongUse, match="no outlines"):
        read_frame(tmp_path / "empty.geojson")


@pytest.mark.shared_data
def test_a_file_of_several_layers_asks_which(shared_data: Path) -> None:
    with pytest.raises(WrongUse, match="--layer"):
        read_frame(shared_data / "registry" / "mine_polygons_116_sites.gpkg")
