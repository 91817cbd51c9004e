"""Exports: what the views say of a mine, as a file for other programs.

What a column is follows from the database alone: files of a mine with much to tell and of one with nothing have the
same columns of the same types, so that they can be read together.
"""

import json
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from pyarrow import parquet

import sql
from tasks.errors import WrongUse

What = Literal["segments", "changes", "history", "alerts", "observations"]
"""What can be exported: the views current_segment, current_change, mine_history, alert and observation of a mine."""

Format = Literal["geoparquet", "gpkg", "geojson", "csv"]

SUFFIX: dict[Format, str] = {"geoparquet": ".parquet", "gpkg": ".gpkg", "geojson": ".geojson", "csv": ".csv"}
"""Formats, and how the names of their files end."""

DRIVER = {"gpkg": "GPKG", "geojson": "GeoJSON"}
OUTLINES = "MultiPolygon"
"""The geometry type of all that has outlines."""


def read(connection: sql.Connection, *, what: What, mine: str) -> pd.DataFrame:
    """Return `what` of `mine` in the order of time, in Arrow types; with outlines as a GeoDataFrame in EPSG:4326."""
    table = sql.table(connection, f"export_{what}", mine=mine)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    if "geom" not in frame:
        return frame
    outlines = shapely.from_wkb(frame.pop("geom").to_numpy(object, na_value=None))
    return gpd.GeoDataFrame(frame, geometry=outlines, crs="EPSG:4326")


def write(frame: pd.DataFrame, path: Path, *, what: What, kind: Format) -> None:
    """Write `frame`, as `read` returns it, to `path` as `kind` of file; it appears whole or not at all.

    Lists, such as product ids, stay lists in GeoParquet and are JSON elsewhere. Raises WrongUse for GeoJSON without
    outlines.
    """
    placed = isinstance(frame, gpd.GeoDataFrame)
    if kind == "geojson" and not placed:
        raise WrongUse(f"{what} have no outlines: choose csv, gpkg or geoparquet")
    unfinished = path.with_name(f".{path.stem}.part{path.suffix}")
    unfinished.unlink(missing_ok=True)
    if kind == "geoparquet":
        parquet.write_table(_table(frame), unfinished)
    elif kind == "csv":
        _csv(_flat(_table(frame))).to_csv(unfinished, index=False)
    else:
        where = {"geometry_name": "geometry", "geometry_type": OUTLINES, "crs": "EPSG:4326"} if placed else {}
        pyogrio.write_arrow(_flat(_table(frame)), unfinished, driver=DRIVER[kind], layer=what, **where)
    unfinished.replace(path)


def _table(frame: pd.DataFrame) -> pa.Table:
    """Return the columns of `frame`, outlines as WKB; its metadata say where they are, as GeoParquet has it."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    plain = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns="geometry")), preserve_index=False)
    table = plain.append_column("geometry", pa.array(shapely.to_wkb(frame.geometry.to_numpy()), pa.binary()))
    about = {"encoding": "WKB", "geometry_types": [OUTLINES], "crs": pyproj.CRS("EPSG:4326").to_json_dict()}
    if frame.geometry.notna().any():
        about["bbox"] = frame.total_bounds.tolist()
    told = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": about}}
    return table.replace_schema_metadata({"geo": json.dumps(told)})


def _flat(table: pa.Table) -> pa.Table:
    """Return `table` with its lists as JSON."""
    for number, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [None if value is None else json.dumps(value) for value in table[number].to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    return table


def _csv(table: pa.Table) -> Any:
    """Return `table` as a spreadsheet takes it: outlines as WKT, whole numbers without a point."""
    whole = {pa.int64(): pd.Int64Dtype()}
    flat = table.to_pandas(types_mapper=whole.get)
    return flat.assign(geometry=shapely.to_wkt(shapely.from_wkb(flat["geometry"]))) if "geometry" in flat else flat
