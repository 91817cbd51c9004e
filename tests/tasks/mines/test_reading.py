"""Files as people bring them: folders, layers, pictures, labels, coordinates that are loosely written."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import Point, Polygon, box

from tasks.errors import WrongUse
from tasks.mines.outline import sound, square_kilometres
from tasks.mines.reading import read_table
from tasks.mines.sites import sites

PIT, DUMP = box(-69.1, -24.3, -69.07, -24.27), box(-69.02, -24.3, -68.99, -24.27)
OVERLAY = """<GroundOverlay><name>photo</name><Icon><href>a.png</href></Icon><LatLonBox><north>-24.2</north>
<south>-24.3</south><east>-69</east><west>-69.1</west></LatLonBox></GroundOverlay>"""


def placemark(name: str, shape: Polygon = PIT, more: str = "") -> str:
    ring = " ".join(f"{x},{y},0" for x, y in shape.exterior.coords)
    return (
        f"<Placemark><name>{name}</name>{more}<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates>"
        "</LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def label(name: str) -> str:
    return f"<Placemark><name>{name}</name><Point><coordinates>-69.0,-24.3</coordinates></Point></Placemark>"


def folder(name: str, *inside: str) -> str:
    return f"<Folder><name>{name}</name>{''.join(inside)}</Folder>"


def kml(path: Path, *inside: str) -> Path:
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"{''.join(inside)}</Document></kml>"
    )
    return path


def geojson(path: Path, *features: tuple[dict[str, Any], Any]) -> Path:
    rows = [{"type": "Feature", "properties": words, "geometry": geometry} for words, geometry in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    return path


def names(path: Path) -> list[str]:
    return [site.name for site in sites(read_table(path).frame, stem=path.stem)]


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ((folder("Notes"), folder("Pits", placemark("P1"))), ["P1"]),
        ((folder("Area", folder("Pits", placemark("P1"), placemark("P2", DUMP))),), ["P1", "P2"]),
        ((folder("Pits", placemark("P1")), folder("Pits", placemark("P2", DUMP))), ["P1", "P2"]),
        ((placemark("P0"), folder("Pits", placemark("P1"), folder("Deep", placemark("P2", DUMP)))), ["P0", "P1", "P2"]),
        ((folder("Pits", placemark("P1")), folder("Offices", label("Gate"))), ["P1", "Gate"]),
        ((folder("Photos", OVERLAY), folder("Pits", placemark("P1"))), ["P1"]),
    ],
    ids=["empty", "nested", "of one name", "at every depth", "of points", "of pictures"],
)
def test_all_folders_of_kml_are_read_and_empty_ones_are_no_choice(
    tmp_path: Path, inside: tuple[str, ...], found: list[str]
) -> None:
    assert names(kml(tmp_path / "a.kml", *inside)) == found
    with zipfile.ZipFile(tmp_path / "b.kmz", "w") as archive:
        archive.write(tmp_path / "a.kml", "doc.kml")
    assert names(tmp_path / "b.kmz") == found


def test_a_folder_can_be_chosen(tmp_path: Path) -> None:
    path = kml(
        tmp_path / "a.kml", *[folder("Pits", placemark(f"P{at}")) for at in (1, 2)], folder("Dumps", placemark("D"))
    )
    assert list(read_table(path, "Pits").frame.Name) == ["P1", "P2"]
    with pytest.raises(WrongUse, match="no layer 'Roads', only Pits, "):
        read_table(path, "Roads")


def test_a_picture_over_the_map_and_a_link_are_no_outlines_and_named(tmp_path: Path) -> None:
    link = "<NetworkLink><name>more</name><Link><href>b.kml</href></Link></NetworkLink>"
    quad = OVERLAY.replace("photo", "tilted").replace("LatLonBox", "x")
    table = read_table(kml(tmp_path / "a.kml", OVERLAY, quad, link, placemark("P1")))
    assert list(table.frame.Name) == ["P1"]
    assert table.aside == [
        "a picture over the map, which is no outline (photo)", "a picture over the map, which is no outline (tilted)",
        "a link to another file, which is not followed (more)",
    ]  # fmt: skip


def test_what_stands_in_extended_data_counts(tmp_path: Path) -> None:
    fields = "".join(f'<SimpleField name="{name}" type="string"/>' for name in ("name", "operator"))
    schema = f'<Schema name="m" id="m">{fields}</Schema>'
    data = '<SimpleData name="name">Cerro Alto</SimpleData><SimpleData name="operator">Acme</SimpleData>'
    more = f'<ExtendedData><SchemaData schemaUrl="#m">{data}</SchemaData></ExtendedData>'
    (site,) = sites(read_table(kml(tmp_path / "a.kml", schema, placemark("", more=more))).frame, stem="a")
    assert (site.name, site.words) == ("Cerro Alto", {"operator": "Acme"})


def test_of_layers_the_one_with_outlines_is_read_and_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    geopandas.GeoDataFrame({"name": ["P"]}, geometry=[PIT], crs=4326).to_file(path, layer="pits")
    geopandas.GeoDataFrame({"name": ["L", "M"]}, geometry=[Point(0, 0), Point(1, 1)], crs=4326).to_file(
        path, layer="labels"
    )
    table = read_table(path)
    assert list(table.frame.name) == ["P"] and table.aside == ["the layer labels (2 points) is left aside"]
    geopandas.GeoDataFrame({"name": ["D"]}, geometry=[DUMP], crs=4326).to_file(path, layer="dumps")
    with pytest.raises(WrongUse, match="the layers pits, dumps: choose one with --layer"):
        read_table(path)
    assert list(read_table(path, "dumps").frame.name) == ["D"]


def test_coordinates_as_text_and_heights_that_are_null_are_read(tmp_path: Path) -> None:
    text = {"type": "Polygon", "coordinates": [[[str(x), str(y)] for x, y in PIT.exterior.coords]]}
    null = {"type": "Polygon", "coordinates": [[[x, y, None] for x, y in DUMP.exterior.coords]]}
    lost = {"type": "Polygon", "coordinates": [[["here", "there"]]]}
    path = geojson(tmp_path / "a.geojson", ({"name": "T"}, text), ({"name": "N"}, null), ({"name": "L"}, lost))
    first, second, third = read_table(path).frame.geometry
    assert first.equals(PIT) and second.equals(DUMP) and third is None


def test_a_shapefile_needs_its_crs_unless_it_is_in_degrees(tmp_path: Path) -> None:
    geopandas.GeoDataFrame({"name": ["P"]}, geometry=[PIT], crs=4326).to_crs(32719).to_file(tmp_path / "utm.shp")
    assert square_kilometres(read_table(tmp_path / "utm.shp").frame.geometry[0]) == pytest.approx(10.12, rel=1e-3)
    (tmp_path / "utm.prj").unlink()
    with pytest.raises(WrongUse, match=r"utm.shp does not say in which coordinates it is .*\.prj is missing"):
        read_table(tmp_path / "utm.shp")
    geopandas.GeoDataFrame({"name": ["P"]}, geometry=[PIT], crs=4326).to_file(tmp_path / "degrees.shp")
    (tmp_path / "degrees.prj").unlink()
    table = read_table(tmp_path / "degrees.shp")
    assert sound(table.frame.geometry[0], max_km2=100) and "taken as degrees" in table.aside[0]


def test_a_zipped_shapefile_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    geopandas.GeoDataFrame({"name": ["P"]}, geometry=[PIT], crs=4326).to_file(tmp_path / "in" / "pits.shp")
    shutil.make_archive(str(tmp_path / "pits"), "zip", tmp_path / "in")
    assert names(tmp_path / "pits.zip") == ["P"]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no file"):
        read_table(tmp_path / "none.geojson")
    (tmp_path / "bad.geojson").write_text("{")
    with pytest.raises(WrongUse, match="no readable outline file"):
        read_table(tmp_path / "bad.geojson")
    (tmp_path / "bad.kmz").write_text("no archive")
    with pytest.raises(WrongUse, match="no readable outline file"):
        read_table(tmp_path / "bad.kmz")
    with pytest.raises(WrongUse, match="no outlines"):
        read_table(geojson(tmp_path / "empty.geojson"))
    with pytest.raises(WrongUse, match="no outlines"):
        read_table(kml(tmp_path / "picture.kml", OVERLAY))


@pytest.mark.shared_data
def test_a_file_of_several_layers_asks_which(shared_data: Path) -> None:
    with pytest.raises(WrongUse, match="--layer"):
        read_table(shared_data / "registry" / "mine_polygons_116_sites.gpkg")


def test_a_shapefile_that_does_not_say_its_letters_is_read_as_windows_wrote_it(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"name": ["Ñandú"]}, geometry=[PIT], crs=4326)
    frame.to_file(tmp_path / "a.shp", encoding="ISO-8859-1")
    assert names(tmp_path / "a.shp") == ["Ñandú"]
    (tmp_path / "a.cpg").unlink()
    assert names(tmp_path / "a.shp") == ["Ñandú"]


def test_geoparquet_is_read(tmp_path: Path) -> None:
    geopandas.GeoDataFrame({"name": ["P"]}, geometry=[PIT], crs=4326).to_crs(32719).to_parquet(tmp_path / "a.parquet")
    assert names(tmp_path / "a.parquet") == ["P"]
    assert read_table(tmp_path / "a.parquet").frame.crs == 4326


def test_text_that_is_no_utf8_and_curves_are_refused_in_words(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", ({"name": "N"}, None))
    path.write_bytes(path.read_bytes().replace(b"N", b"\xd1"))
    with pytest.raises(WrongUse, match="save the file as UTF-8"):
        read_table(path)
    curve = "<gml:ArcString><gml:posList>-69 -24 -69.05 -24.05 -69.1 -24</gml:posList></gml:ArcString>"
    (tmp_path / "a.gml").write_text(
        '<?xml version="1.0"?><a:FeatureCollection xmlns:a="http://a" xmlns:gml="http://www.opengis.net/gml">'
        '<gml:featureMember><a:b fid="b.0"><a:geometryProperty><gml:Curve srsName="EPSG:4326"><gml:segments>'
        f"{curve}</gml:segments></gml:Curve></a:geometryProperty></a:b></gml:featureMember></a:FeatureCollection>"
    )
    with pytest.raises(WrongUse, match="holds curves"):
        read_table(tmp_path / "a.gml")
