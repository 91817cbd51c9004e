"""Columns of tables as people bring them: what they are called, what their cells say, and which of them is a key."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from tasks.text import clean

COLUMNS = {
    "slug": ("slug",),
    "key": ("mine_id", "gem_mine_id", "site_id", "tile_id", "id", "fid"),
    "name": ("name", "mine_name", "mine", "site", "site_name", "title", "nombre", "nome", "nom", "name2"),
    "country": ("country", "country_area", "country_name", "nation"),
    "commodity": ("commodity", "commodities", "primary_commodity", "primarycommodity", "mineral", "coal_grade"),
    "operator": ("operator", "owner", "company"),
    "mine_type": ("mine_type", "minetype", "minetype1", "type", "mine_feature_subcategory"),
    "licence": ("licence", "license", "concession"),
    "model": ("model",),
    "notes": ("notes", "comment", "description"),
}
"""Column names that files of outlines use for what we record, the likeliest first (GDAL makes `name2` of a second
`name` of KML)."""

COUNTERS = ("id", "fid")
"""Keys that programs write by themselves: a running number, or the same in every row."""

Texts = Mapping[str, str]
"""What the cells of a row say, by column (small letters, digits, `_`); cells that say nothing are left out."""


def texts_of(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return what each row of `table` says; of columns of one name the first that says something counts."""
    columns = [(re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_"), name) for name in table.columns]
    active = getattr(table, "_geometry_column_name", None)
    cells = {at: table.iloc[:, at].tolist() for at, (_, name) in enumerate(columns) if name != active}
    rows: list[dict[str, str]] = []
    for number in range(len(table)):
        row: dict[str, str] = {}
        for at, values in cells.items():
            if said := text_of(values[number]):
                row.setdefault(columns[at][0], said)
        rows.append(row)
    return rows


def text_of(value: Any) -> str:
    """Return what a cell says: whole numbers without a point, though other cells of the column have one or are empty;
    nothing where it is empty."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict | list):
        whole = json.dumps(value, default=lambda part: part.tolist() if hasattr(part, "tolist") else str(part))
        return whole if value else ""
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    return clean(value, lines=True)


def word(row: Texts, what: str) -> str | None:
    """Return what `row` says of `what` (a key of COLUMNS), in the likeliest of its columns that says something."""
    return next((row[column] for column in COLUMNS[what] if column in row), None)


def folded(name: str) -> str:
    """Return a name or key as it is compared: capitals and blanks make no other mine."""
    return clean(name).casefold()


def key_of(rows: Sequence[Texts]) -> tuple[str | None, list[str]]:
    """Return the column that tells the mines of a file apart, and in words why others that are called so do not.

    A key stands for one name: one that several names share is none, nor is a number that merely runs through the rows.
    """
    doubts: list[str] = []
    for column in (*COLUMNS["slug"], *COLUMNS["key"]):
        names: dict[str, dict[str, str]] = defaultdict(dict)
        given = [row for row in rows if column in row]
        for row in given:
            names[folded(row[column])].update(_name(row))
        if not given:
            continue
        shared = next((key for key, several in names.items() if len(several) > 1), None)
        if shared is not None:
            several = list(names[shared].values())
            doubts.append(f"'{column}' is no key: {shared} stands for {len(several)} names ({_listed(several)})")
        elif column in COUNTERS and len(given) > 1 and len(names) == 1 and not any(names.values()):
            doubts.append(f"'{column}' is no key: it is {next(iter(names))} in every row")
        elif column != "slug" and _runs(column, given, names):
            doubts.append(f"'{column}' is no key: it numbers the rows, of which several have one name")
        else:
            return column, doubts
    return None, doubts


def _name(row: Texts) -> dict[str, str]:
    name = word(row, "name")
    return {} if name is None else {folded(name): clean(name)}


def _runs(column: str, given: Sequence[Texts], names: Mapping[str, Any]) -> bool:
    """Say whether `column` numbers rows of which several have one name: another number in each, going up."""
    called = [name for row in given for name in _name(row)]
    if len(names) < len(given) or len(set(called)) == len(called):
        return False
    numbers = [int(row[column]) if re.fullmatch(r"\d{1,18}", row[column], re.ASCII) else None for row in given]
    rising = all(a is not None and b is not None and a < b for a, b in pairwise(numbers))
    return column in COUNTERS or rising


def _listed(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
