#!/usr/bin/env bash
# GeoDataFrame.to_parquet and pyogrio.write_dataframe write tables whose columns have a type. One expects that two tables
# of the same columns give files of the same columns.
# A column that holds nothing but nulls becomes one of the type null in GeoParquet and text in GeoPackage, lists that are
# all empty become lists of null: such a file and one with values cannot be read together, in one of the two orders.
# Tables of mines: a mine without refused days beside one with some.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet geopandas==1.2.0 pyogrio==0.13.0 pyarrow==26.0.1 pandas==3.1.1 shapely==2.2.0

cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd
import pyarrow
import pyarrow.dataset
import pyogrio
import shapely
from pyarrow import parquet

print(f"geopandas {gpd.__version__}, pyogrio {pyogrio.__version__}, pyarrow {pyarrow.__version__}")


def write(name: str, published: list[datetime | None], reasons: list[list[str]]) -> None:
    """Write a table of one mine as GeoParquet and as GeoPackage."""
    table = pd.DataFrame({"published_at": published, "reasons": reasons})
    mine = gpd.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * len(table), crs="EPSG:4326")
    mine.to_parquet(f"{name}.parquet")
    pyogrio.write_dataframe(mine.drop(columns="reasons"), f"{name}.gpkg")


write("some", [datetime(2024, 5, 1, tzinfo=UTC)], [["cloud"]])
write("none", [None], [[]])

types = {}
for name in ("some", "none"):
    schema = parquet.read_schema(f"{name}.parquet")
    types[name] = [str(schema.field(column).type) for column in ("published_at", "reasons")]
    types[name].append(str(pyogrio.read_info(f"{name}.gpkg")["dtypes"][0]))
    print(f"{name}: published_at {types[name][0]}, reasons {types[name][1]}; published_at in GeoPackage {types[name][2]}")


def together(*names: str) -> str:
    """Return what comes of reading files as one table."""
    try:
        return f"{len(pyarrow.dataset.dataset([f'{name}.parquet' for name in names]).to_table())} rows"
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, pyarrow.ArrowTypeError) as error:
        return type(error).__name__


orders = [together("some", "none"), together("none", "some")]
print(f"read together: {orders[0]}; in the other order: {orders[1]}")
if types["none"][0] != "null" or "null" not in types["none"][1]:
    sys.exit("changed: a column without values keeps the type that it has elsewhere in GeoParquet")
if types["none"][2] != "object" or not types["some"][2].startswith("datetime64"):
    sys.exit("changed: a column without values keeps the type that it has elsewhere in GeoPackage")
if set(orders) == {"2 rows"}:
    sys.exit("changed: such files are read together in both orders")
print("as described: the types of columns follow the values")
PY
