"""What a run leaves behind, in a form that can be held against another run's: rows of all tables, files by content.

Ids and times are aside: an id becomes the name of the row that it leads to, a time of recording whether there is one.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import fsspec
import shapely

import sql

NAMES = {
    "mine": ("slug",),
    "zone": ("slug",),
    "rule": ("name",),
    "acquisition": ("mine_id", "sensor_set", "collection", "orbit_direction", "sensing_date", "product_ids"),
    "epoch": ("acquisition_id", "model", "model_checksum", "class_checksum"),
    "comparison": ("epoch_id", "previous_epochs"),
    "alert": ("mine_id", "rule_id", "first_time", "geom"),
    "alert_event": ("alert_id", "from_state", "to_state", "why"),
}
"""What a row is called in the rows that lead to it, by table; every name needs only those before it."""

LISTS = {"previous_epochs": "epoch", "before_epochs": "epoch", "held_against": "acquisition"}
GROUND = ("geom", "aoi", "licence")
PART_OF = ("acquisition_id", "epoch_id", "comparison_id")
"""Columns by which a row is part of another, and superseded with it."""
SPEAK_OF = ("alert", "alert_event")
"""Tables that only speak of an epoch, and stand when it is superseded."""

State = dict[str, list[Any]]


def final_state(
    connection: sql.Connection, rasters: str, *, aside: Collection[str] = (), history: bool = True
) -> State:
    """Return the rows of every table by its name, and as `files` the path and SHA-256 of each file below `rasters`.

    `rasters` is the address of a folder, as MINECAM_RASTERS is.
    `aside` names tables or columns (`charge`, `acquisition.tries`) that do not count. Without `history`, superseded
    rows and what is part of them, files too, do not either: what has become of a mine, not how.
    """
    tables = {name: _rows(connection, name) for name in _tables(connection) if name not in aside}
    names: dict[str, dict[int, str]] = {}
    gone: dict[str, set[int]] = {}
    state: State = {}
    for table in [*(name for name in NAMES if name in tables), *sorted(set(tables) - set(NAMES))]:
        key, rows = f"{table}_id", tables[table]
        if not history:
            gone[key] = {row[key] for row in rows if key in row and _is_gone(table, row, gone)}
            rows = [row for row in rows if not _is_gone(table, row, gone)]
            if table == "validation":  # what was said last
                rows = sorted(rows, key=lambda row: row[key])
                rows = list({(row["acquisition_id"], row["suite"]): row for row in rows}.values())
        if table in NAMES:
            names[table] = {
                row[key]: " ".join(str(_value(one, row[one], names, rasters)) for one in NAMES[table])
                for row in tables[table]
            }
        left_out = {one.removeprefix(f"{table}.") for one in aside} | {key}
        state[table] = _sorted(
            {column: value for column, value in _plain(row, names, rasters).items() if column not in left_out}
            for row in rows
        )
    files = _files(rasters)
    if not history:
        rows = state["acquisition"] + state["epoch"]
        kept = {value for row in rows for column, value in row.items() if column.endswith("checksum")}
        files = [one for one in files if one[1] in kept]
    return {**state, "files": files}


def _tables(connection: sql.Connection) -> list[str]:
    rows = connection.execute(
        "select relname from pg_class where relnamespace = 'minecam'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition and relname <> 'migration'"
    ).fetchall()
    return [row["relname"] for row in rows]


def _rows(connection: sql.Connection, table: str) -> list[sql.Row]:
    return connection.execute(f"select * from minecam.{table}").fetchall()  # type: ignore[call-overload]


def _is_gone(table: str, row: sql.Row, gone: dict[str, set[int]]) -> bool:
    of_others = any(row.get(name) in gone.get(name, ()) for name in PART_OF if name != f"{table}_id")
    return row.get("superseded_at") is not None or (table not in SPEAK_OF and of_others)


def _plain(row: sql.Row, names: dict[str, dict[int, str]], rasters: str) -> sql.Row:
    """Return a row without ids, times of recording and runs."""
    return {name: _value(name, value, names, rasters) for name, value in row.items() if name != "flow_run_id"}


def _value(name: str, value: Any, names: dict[str, dict[int, str]], rasters: str) -> Any:
    if value is None:
        return None
    if name in LISTS:
        found = [names[LISTS[name]][one] for one in value]
        return sorted(found) if name == "held_against" else found  # that one is in order of ids
    if table := next((one for one in names if name in (f"{one}_id", f"first_{one}_id", f"last_{one}_id")), None):
        return names[table][value]
    if name == "at" or (name.endswith("_at") and name != "published_at"):
        return True
    if name in GROUND:
        return _ground(value)
    if name.endswith("raster"):
        return _without_id(value.removeprefix(rasters).strip("/"))
    if name == "why":
        return re.sub(r"\balert \d+", "alert N", value)
    return value


def _ground(value: str) -> str:
    """Return a name for some ground, however its outline is written: where it begins, and with what points on lines."""
    outline = shapely.normalize(shapely.from_wkb(value))
    return hashlib.sha256(shapely.normalize(outline.simplify(1e-7)).wkb).hexdigest()[:16]


def _without_id(path: str) -> str:
    """Return the path of a raster with N instead of the acquisition's id."""
    return re.sub(r"(\d{4}-\d\d-\d\d(?:-[a-z]+)?)-\d+(?=[-.])", r"\1-N", path)


def _sorted(rows: Iterable[sql.Row]) -> list[sql.Row]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def _files(rasters: str) -> list[tuple[str, str]]:
    files, root = fsspec.core.url_to_fs(rasters)
    files.invalidate_cache()
    found = ((path.removeprefix(root).strip("/"), files.cat_file(path)) for path in files.find(root))
    return sorted((_without_id(path), hashlib.sha256(content).hexdigest()) for path, content in found)
