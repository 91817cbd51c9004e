import shutil
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import Polygon, box

import sql
from models import zoo
from models.errors import ModelError
from tasks.errors import WrongUse
from tasks.mines import imports, registry

PIT = box(81.1, 21.1, 81.2, 21.2)


def test_a_mine_is_added_and_found(database: sql.Connection) -> None:
    mine = registry.add(database, slug="east-pit", name="East pit", aoi=PIT, licence=PIT.buffer(0.01), country="India")
    found = registry.find(database, "east-pit")
    assert found == mine
    assert found.aoi.equals(PIT) and found.licence is not None
    assert found.country == "India" and found.model is None
    assert found.grid.epsg == 32644
    assert registry.mines(database) == [mine]


def test_a_taken_slug_a_bad_slug_and_an_unknown_mine_are_refused(database: sql.Connection) -> None:
    registry.add(database, slug="east-pit", name="East pit", aoi=PIT)
    with pytest.raises(WrongUse, match="already a mine"):
        registry.add(database, slug="east-pit", name="Other", aoi=PIT)
    with pytest.raises(WrongUse, match="no slug"):
        registry.add(database, slug="East Pit", name="Other", aoi=PIT)
    with pytest.raises(WrongUse, match="did you mean east-pit"):
        registry.find(database, "eastpit")
    with pytest.raises(WrongUse, match="mine list"):
        registry.find(database, "zzz")


def test_the_largest_aoi_is_a_setting(database: sql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_MAX_AOI_KM2", "10")
    with pytest.raises(WrongUse, match="MINECAM_MAX_AOI_KM2"):
        registry.add(database, slug="a", name="A", aoi=PIT)


def test_a_model_is_checked_and_its_file_remembered_wherever_one_is(
    database: sql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="no model 'nonsense' ships"):
        registry.add(database, slug="a", name="A", aoi=PIT, model="nonsense")
    assert registry.add(database, slug="b", name="B", aoi=PIT, model="s2-rgb-mines").model == "s2-rgb-mines"
    shutil.copy(zoo.FOLDER / "s2-rgb-mines.safetensors", tmp_path / "own.safetensors")
    monkeypatch.chdir(tmp_path)
    mine = registry.add(database, slug="c", name="C", aoi=PIT, model="own.safetensors")
    assert mine.model == str(tmp_path / "own.safetensors")
    frame = geopandas.GeoDataFrame({"name": ["D", "E"], "model": ["nonsense", None]}, geometry=[PIT, PIT], crs=4326)
    frame.to_file(tmp_path / "pits.gpkg")
    done = imports.import_outlines(database, tmp_path / "pits.gpkg")
    assert done.added == ["e"] and "no model 'nonsense' ships" in done.refused[0][1]


def test_an_import_can_be_repeated_and_refuses_by_name(database: sql.Connection, tmp_path: Path) -> None:
    bow_tie = Polygon([(0, 0), (0.1, 0.1), (0.1, 0), (0, 0.1)])
    frame = geopandas.GeoDataFrame({"name": ["One", "东", "Bad"]}, geometry=[PIT, PIT, bow_tie], crs=4326)
    frame.to_file(tmp_path / "pits.gpkg")
    first = imports.import_outlines(database, tmp_path / "pits.gpkg")
    assert first.added == ["one", "pits-2"] and first.repaired == [] and first.present == []
    assert [name for name, _ in first.refused] == ["Bad"]
    second = imports.import_outlines(database, tmp_path / "pits.gpkg")
    assert second.added == [] and second.present == ["one", "pits-2"]


def test_an_import_in_metres_lands_in_degrees(database: sql.Connection, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"name": ["One"]}, geometry=[PIT], crs=4326).to_crs(32644)
    frame.to_file(tmp_path / "pits.gpkg")
    imports.import_outlines(database, tmp_path / "pits.gpkg")
    assert registry.find(database, "one").aoi.symmetric_difference(PIT).area < 1e-9


def test_labels_are_published_twice_without_harm(database: sql.Connection) -> None:
    registry.publish_labels(database)
    registry.publish_labels(database)


@pytest.mark.shared_data
def test_real_outlines_go_in(database: sql.Connection, shared_data: Path) -> None:
    folder = shared_data / "registry"
    tiles = imports.import_outlines(database, folder / "mine_polygons_116_sites.gpkg", "polygons_annotated")
    assert len(tiles.added) + len(tiles.refused) == 116
    coal = imports.import_outlines(database, folder / "coal_mine_boundaries.geojson")
    assert len(coal.added) + len(coal.refused) == 250
    assert imports.import_outlines(database, folder / "coal_mine_boundaries.geojson").added == []
