"""Exports come back as what the views say, in every format."""

import itertools
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import geopandas as gpd
import pandas as pd
import pyarrow.dataset
import pyarrow.types as is_of
import pyogrio
import pytest
from pyarrow import parquet

import sql
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.report.export import SUFFIX, What, read, write

HISTORY = Path(__file__).parents[2] / "sql" / "history.sql"


@pytest.fixture
def history(database: sql.Connection) -> sql.Connection:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    return database


def test_every_format_holds_every_row(history: sql.Connection, tmp_path: Path) -> None:
    for what in get_args(What):
        frame = read(history, what=what, mine="east-pit")
        placed = isinstance(frame, gpd.GeoDataFrame)
        for kind, suffix in SUFFIX.items():
            path = tmp_path / f"{what}{suffix}"
            if kind == "geojson" and not placed:
                with pytest.raises(WrongUse, match="have no outlines: choose csv"):
                    write(frame, path, what=what, kind=kind)
                continue
            write(frame, path, what=what, kind=kind)
            back = _back(path, kind, placed)
            assert len(back) == len(frame) > 0 and set(frame) - {"geometry"} <= set(back)
            if placed and kind != "csv":
                assert back.crs == "EPSG:4326" and back.geometry.geom_equals_exact(frame.geometry, 1e-7).all()
    assert not list(tmp_path.glob(".*")), "nothing unfinished is left"


def _back(path: Path, kind: str, placed: bool) -> pd.DataFrame:
    if kind == "csv":
        return pd.read_csv(path)
    if kind == "geoparquet":
        return gpd.read_parquet(path) if placed else pd.read_parquet(path)
    return gpd.read_file(path)


def test_a_mine_without_history_gives_an_empty_file(history: sql.Connection, tmp_path: Path) -> None:
    history.execute("insert into mine (slug, name, aoi) select 'new-pit', 'New Pit', aoi from mine limit 1")
    frame = read(history, what="segments", mine="new-pit")
    for kind, suffix in SUFFIX.items():
        write(frame, tmp_path / f"none{suffix}", what="segments", kind=kind)
        assert (tmp_path / f"none{suffix}").exists()


STATES = ("full", "empty", "null")


@pytest.fixture
def states(history: sql.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Path]]:
    """Writes what a mine with much to tell gives, one with nothing, and one whose every value is null."""
    history.execute("insert into mine (slug, name, aoi) select 'new-pit', 'New Pit', aoi from mine limit 1")
    arrow = import_module("sql.arrow")
    query = arrow.query

    def make(what: What, kind: str) -> dict[str, Path]:
        paths = {state: tmp_path / f"{state}-{what}{SUFFIX[kind]}" for state in STATES}
        write(read(history, what=what, mine="east-pit"), paths["full"], what=what, kind=kind)
        write(read(history, what=what, mine="new-pit"), paths["empty"], what=what, kind=kind)
        with monkeypatch.context() as patched:
            alone = "select q.* from (values (1)) one left join ({}) q on false"
            patched.setattr(arrow, "query", lambda name: alone.format(query(name)))
            write(read(history, what=what, mine="east-pit"), paths["null"], what=what, kind=kind)
        return paths

    return make


@pytest.mark.parametrize("what", get_args(What))
def test_geoparquet_of_any_mines_is_read_together(states: Callable[..., dict[str, Path]], what: What) -> None:
    paths = states(what, "geoparquet")
    [schema] = {str(parquet.read_schema(path).remove_metadata()) for path in paths.values()}
    assert "null" not in schema.replace("not null", "")
    placed = "geometry: binary" in schema
    rows = sum(parquet.read_metadata(path).num_rows for path in paths.values())
    for order in itertools.permutations(map(str, paths.values())):
        together = pyarrow.dataset.dataset(list(order)).to_table()
        assert len(together) == rows and not any(is_of.is_null(kind) for kind in together.schema.types)
        frames = [gpd.read_parquet(path) if placed else pd.read_parquet(path) for path in order]
        assert len(pd.concat(frames)) == rows
        if find_spec("duckdb"):
            import duckdb  # type: ignore[import-not-found]

            names = ", ".join(f"'{path}'" for path in order)
            assert duckdb.sql(f"select count(*) from read_parquet([{names}])").fetchone() == (rows,)
    if placed:
        assert all(gpd.read_parquet(path).crs == "EPSG:4326" for path in paths.values())


@pytest.mark.parametrize("what", get_args(What))
def test_geopackages_of_any_mines_have_the_same_layer(states: Callable[..., dict[str, Path]], what: What) -> None:
    about = [pyogrio.read_info(path, layer=what) for path in states(what, "gpkg").values()]
    [columns] = {tuple(zip(one["fields"], one["dtypes"], one["ogr_types"], strict=True)) for one in about}
    [(geometry, crs)] = {(one["geometry_type"], one["crs"]) for one in about}
    placed = what in ("segments", "changes", "alerts")
    assert (geometry, crs) == (("MultiPolygon", "EPSG:4326") if placed else (None, None))
    times = {name for name, kind, _ in columns if kind.startswith("datetime64")}
    assert times >= {name for name, *_ in columns if name.endswith(("_time", "_at"))}
    assert {one["features"] for one in about} >= {0, 1}


@pytest.mark.parametrize("kind", ["csv", "geojson"])
@pytest.mark.parametrize("what", get_args(What))
def test_text_has_the_same_columns_whatever_a_mine_has_to_tell(
    states: Callable[..., dict[str, Path]], what: What, kind: str
) -> None:
    if kind == "geojson" and what in ("history", "observations"):
        return
    paths = states(what, kind)
    if kind == "csv":
        assert len({path.read_text().splitlines()[0] for path in paths.values()}) == 1
        return
    full, empty, null = (pyogrio.read_info(paths[state]) for state in STATES)
    assert list(full["fields"]) == list(null["fields"]) and full["crs"] == empty["crs"] == "EPSG:4326"


def test_every_type_of_the_database_has_its_own(history: sql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    values = (
        "true as a, 1::int2 as b, 1.5::real as c, 1.25::numeric as d, 'x'::text as e, '{\"a\": [1]}'::jsonb as f,"
        " '2024-05-01'::date as g, '2024-05-01 10:00+02'::timestamptz as h, array['x', null] as i, array[1.5] as j,"
        " '{}'::text[] as k, 'y'::varchar as l"
    )
    arrow = import_module("sql.arrow")
    monkeypatch.setattr(arrow, "query", lambda _: f"select {values}")
    table = sql.table(history, "any")
    assert [str(kind) for kind in table.schema.types] == [
        "bool", "int64", "double", "double", "string", "string", "date32[day]", "timestamp[us, tz=UTC]",
        "list<item: string>", "list<item: double>", "list<item: string>", "string",
    ]  # fmt: skip
    [row] = table.to_pylist()
    assert row["f"] == '{"a": [1]}' and row["h"].isoformat() == "2024-05-01T08:00:00+00:00"
    assert row["i"] == ["x", None] and row["k"] == []
    monkeypatch.setattr(arrow, "query", lambda _: "select point(1, 2) as place")
    with pytest.raises(TypeError, match="place is of type point"):
        sql.table(history, "any")
