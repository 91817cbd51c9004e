"""Exports: what the views say of a mine, as a file for other programs."""

import json
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

import sql
from tasks.errors import WrongUse

What = Literal["segments", "changes", "history", "alerts", "observations"]
"""What can be exported: the views current_segment, current_change, mine_history, alert and observation of a mine."""

Format = Literal["geoparquet", "gpkg", "geojson", "csv"]

SUFFIX: dict[Format, str] = {"geoparquet": ".parquet", "gpkg": ".gpkg", "geojson": ".geojson", "csv": ".csv"}
"""Formats, and how the names of their files end."""

DRIVER = {"gpkg": "GPKG", "geojson": "GeoJSON"}


def read(connection: sql.Connection, *, what: What, mine: str) -> pd.DataFrame:
    """Return `what` of `mine` in the order of time; a GeoDataFrame in EPSG:4326 where it has outlines."""
    with connection.cursor() as cursor:
        cursor.execute(sql.query(f"export_{what}"), {"mine": mine})
        assert cursor.description is not None
        columns = [column.name for column in cursor.description]
        frame = pd.DataFrame(cursor.fetchall(), columns=columns)
    if "geom" not in frame:
        return frame
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(frame.pop("geom").to_numpy(object)), crs="EPSG:4326")


def write(frame: pd.DataFrame, path: Path, *, what: What, kind: Format) -> None:
    """Write `frame` to `path` as `kind` of file; it appears whole or not at all.

    Lists, such as product ids, are JSON where a format has none. Raises WrongUse for GeoJSON without outlines.
    """
    placed = isinstance(frame, gpd.GeoDataFrame)
    if kind == "geojson" and not placed:
        raise WrongUse(f"{what} have no outlines: choose csv, gpkg or geoparquet")
    unfinished = path.with_name(f".{path.stem}.part{path.suffix}")
    unfinished.unlink(missing_ok=True)
    if kind == "geoparquet":
        frame.to_parquet(unfinished, index=False)
    elif kind == "csv":
        flat = _flat(frame)
        (pd.DataFrame(flat).assign(geometry=flat.geometry.to_wkt()) if placed else flat).to_csv(unfinished, index=False)
    else:
        pyogrio.write_dataframe(_flat(frame), unfinished, driver=DRIVER[kind], layer=what)
    unfinished.replace(path)


def _flat(frame: Any) -> Any:
    lists = [name for name in frame if frame[name].map(lambda value: isinstance(value, list)).any()]
    return frame.assign(**{name: frame[name].map(json.dumps) for name in lists})
