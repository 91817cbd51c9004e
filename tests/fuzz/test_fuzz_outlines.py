"""Outlines as people bring them: geometries, GeoJSON, KML and GeoPackage files, and tables of words."""

import contextlib
import json
import math
from importlib import import_module
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import strategies as st

import sql
from models.errors import ModelError
from tasks.errors import WrongUse
from tasks.mines import imports, registry
from tasks.mines.outline import sound_aoi
from tasks.mines.reading import read_table
from tasks.mines.sites import sites
from tests.fuzz.cases import NUMBERS, WORDS, dumped, fuzz, mangled, mutated, words

RING = [[81.1, 21.1], [81.12, 21.1], [81.12, 21.12], [81.1, 21.12], [81.1, 21.1]]
FEATURE = {
    "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [RING]},
    "properties": {"slug": "east-pit", "name": "East pit", "country": "India", "notes": "by the river",
                   "licence": None},
}  # fmt: skip
FILE = {"type": "FeatureCollection", "features": [FEATURE, {**FEATURE, "properties": {"name": "West pit", "id": 7}}]}
KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<name>mines</name><Placemark>
<name>East pit</name><description>by the river</description><Polygon><outerBoundaryIs><LinearRing><coordinates>
81.1,21.1 81.12,21.1 81.12,21.12 81.1,21.12 81.1,21.1</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Folder></Document></kml>"""  # fmt: skip

near = st.sampled_from(
    [-180.0, -90.0, 0.0, 21.1, 21.12, 81.1, 81.12, 90.0, 180.0, *map(float, NUMBERS[:5]), math.nan, math.inf, 1e300]
)
points = st.lists(st.tuples(near, near), min_size=0, max_size=6)


def rows(database: sql.Connection) -> int:
    return int(database.execute("select count(*) as n from mine").fetchone()["n"])  # type: ignore[index]


def test_geometries() -> None:
    """What passes can be measured and downloaded; what does not is refused with the reason."""

    @st.composite
    def shapes(draw: st.DrawFn) -> Any:
        ring = draw(points)
        kind = draw(
            st.sampled_from(["polygon", "polygon", "polygon", "line", "point", "many", "hole", "empty", "none"])
        )
        try:
            with np.errstate(all="ignore"):
                polygon = shapely.Polygon(ring)
                return {
                    "polygon": lambda: polygon,
                    "line": lambda: shapely.LineString(ring),
                    "point": lambda: shapely.Point(ring[0]),
                    "many": lambda: shapely.GeometryCollection([polygon, shapely.Polygon(draw(points))]),
                    "hole": lambda: shapely.Polygon(RING, [draw(points)]),
                    "empty": lambda: shapely.Polygon(),
                    "none": lambda: None,
                }[kind]()
        except (ValueError, IndexError, shapely.errors.ShapelyError):
            return None

    @fuzz("outline geometry", shapes())
    def one(shape: Any) -> None:
        try:
            outline = sound_aoi(shape, max_km2=10_000)
        except WrongUse as error:
            assert str(error)
            return
        assert outline.geometry.is_valid and outline.geometry.area > 0


def imported(database: sql.Connection, path: Path, radius: float | None = None) -> None:
    """Import a file; refused as a whole it leaves nothing, otherwise each mine is in it once or refused by name."""
    with database.transaction(force_rollback=True):
        try:
            done = imports.import_outlines(database, path, radius=radius)
        except WrongUse as error:
            assert str(error) and rows(database) == 0
            return
        assert rows(database) == len(done.added)
        for slug in done.added:
            assert registry.find(database, slug).grid.width > 0
        assert all(reason for _, reason in done.refused)


def test_geojson_files(database: sql.Connection, tmp_path: Path) -> None:
    path, whole = tmp_path / "mines.geojson", dumped(FILE)

    @fuzz("outline geojson", st.one_of(mutated(FILE).map(dumped), mangled(whole), st.binary(max_size=60)))
    def one(content: bytes) -> None:
        path.write_bytes(content)
        imported(database, path)


def test_kml_files(database: sql.Connection, tmp_path: Path) -> None:
    path, whole = tmp_path / "mines.kml", KML.encode()
    word = words.map(lambda text: whole.replace(b"East pit", text.encode("utf-8", "surrogatepass")))

    @fuzz("outline kml", st.one_of(mangled(whole), word))
    def one(content: bytes) -> None:
        path.write_bytes(content)
        imported(database, path)


def test_registers_of_points(database: sql.Connection, tmp_path: Path) -> None:
    path, whole = tmp_path / "mines.csv", "Name;Lat;Lon;Name;\nNorte;-24,3;-69,1;;\nSur;24°18'S;69.1 W;x;\n".encode()

    @fuzz("outline csv", st.one_of(mangled(whole), st.binary(max_size=60)))
    def one(content: bytes) -> None:
        path.write_bytes(content)
        imported(database, path, radius=2000)


def test_geopackages(database: sql.Connection, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"name": ["East pit"]}, geometry=[shapely.Polygon(RING)], crs=4326)
    path = tmp_path / "mines.gpkg"
    frame.to_file(path)
    whole = path.read_bytes()
    page = whole.rfind(b"East pit")
    assert page > 0

    @fuzz("outline gpkg", st.one_of(mangled(whole), mangled(whole, head=200), st.integers(0, 3000)))
    def one(content: Any) -> None:
        if isinstance(content, int):  # near the row itself
            at = page - 200 + content % 400
            content = whole[:at] + b"\xff" + whole[at + 1 :]
        path.write_bytes(content)
        imported(database, path)


def test_tables_of_words(database: sql.Connection) -> None:
    """Whatever the columns of a table hold, each mine has a slug, a name, and words that the database takes."""
    import_module("models.zoo")  # torch takes its time, which is no case's
    columns = [
        "slug",
        "id",
        "name",
        "country",
        "commodity",
        "operator",
        "type",
        "notes",
        "licence",
        "Mine Name",
        "model",
    ]
    text = words.filter(lambda word: "\ud800" not in word)  # pandas holds no halves of pairs
    cell = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(NUMBERS),
        text,
        st.just("s2-rgb-mines"),
        st.just(json.dumps(FEATURE["geometry"])),
    )

    @fuzz("sites", st.lists(st.dictionaries(st.sampled_from(columns), cell, max_size=6), min_size=1, max_size=3))
    def one(records: list[dict[str, Any]]) -> None:
        frame = geopandas.GeoDataFrame(
            {name: [record.get(name) for record in records] for name in columns},
            geometry=[shapely.box(81.1 + at, 21.1, 81.11 + at, 21.11) for at in range(len(records))], crs=4326,
        )  # fmt: skip
        found = sites(frame, stem="mines")
        assert len({site.slug for site in found}) == len(found) > 0
        for site in found:
            assert site.name and site.name == " ".join(site.name.split())
            with database.transaction(force_rollback=True), contextlib.suppress(WrongUse, ModelError):
                mine = registry.add(database, slug=site.slug, name=site.name, aoi=site.aoi, **site.words)
                assert mine.name == site.name and "\n" not in (mine.country or "")


def test_words_of_a_mine(database: sql.Connection) -> None:
    long = st.sampled_from(WORDS)

    @fuzz("mine words", long, words, words, words)
    def one(slug: str, name: str, country: str, notes: str) -> None:
        with database.transaction(force_rollback=True):
            try:
                mine = registry.add(
                    database, slug=slug, name=name, country=country, notes=notes, aoi=shapely.Polygon(RING)
                )
            except WrongUse:
                assert rows(database) == 0
                with pytest.raises(WrongUse, match="there is no mine"):
                    registry.find(database, slug)
                return
            assert registry.find(database, slug) == mine


def test_a_bomb_of_brackets(tmp_path: Path) -> None:
    (tmp_path / "mines.geojson").write_text('{"type":"FeatureCollection","features":' + "[" * 100_000)
    with pytest.raises(WrongUse):
        read_table(tmp_path / "mines.geojson")
