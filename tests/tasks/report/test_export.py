"""Exports come back as what the views say, in every format."""

from pathlib import Path
from typing import get_args

import geopandas as gpd
import pandas as pd
import pytest

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
