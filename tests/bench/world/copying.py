"""Rows for PostgreSQL's binary COPY, made by numpy: millions a second, where a row at a time makes a hundred thousand.

A column of one width for all rows is all that this needs: numbers, times, and polygons of equally many points.
"""

from typing import Any

import numpy as np
import psycopg

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
EPOCH_2000 = np.datetime64("2000-01-01", "us")


def timestamps(moments: np.ndarray) -> np.ndarray:
    """Return datetime64 as PostgreSQL's timestamptz: big-endian microseconds since 2000."""
    return (moments.astype("datetime64[us]") - EPOCH_2000).astype(np.int64).astype(">i8")


def text(words: str) -> np.ndarray:
    """Return one word for all rows."""
    return np.array([words.encode()], dtype=f"S{max(len(words.encode()), 1)}")


def multipolygons(rings: np.ndarray) -> np.ndarray:
    """Return EWKB MultiPolygons in EPSG:4326 of `rings` float64 (N, points, 2), closed, one ring each."""
    points = rings.shape[1]
    kind = np.dtype([
        ("order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("polygons", "<u4"),
        ("order_", "u1"), ("type_", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("at", "<f8", (points, 2)),
    ])  # fmt: skip
    ewkb = np.zeros(len(rings), kind)
    ewkb["order"] = ewkb["order_"] = ewkb["polygons"] = ewkb["rings"] = 1
    ewkb["type"], ewkb["srid"], ewkb["type_"], ewkb["points"] = 6 | 0x20000000, 4326, 3, points
    ewkb["at"] = rings
    return ewkb.view(f"V{kind.itemsize}")


def rows(columns: list[Any]) -> bytes:
    """Return the rows of `columns` (big-endian arrays, `text`, bytes; None is null), without header and end."""
    numbers = [of.dtype for of in columns if isinstance(of, np.ndarray) and of.dtype.kind in "iuf"]
    if any(dtype.newbyteorder(">") != dtype for dtype in numbers):
        raise ValueError(f"columns of {numbers} are not all big-endian")
    count = max(len(column) for column in columns if isinstance(column, np.ndarray))
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for i, column in enumerate(columns):
        fields.append((f"length{i}", ">i4"))
        if column is not None:
            fields.append((f"value{i}", column.dtype.str))
    table = np.zeros(count, np.dtype(fields))
    table["fields"] = len(columns)
    for i, column in enumerate(columns):
        table[f"length{i}"] = -1 if column is None else column.dtype.itemsize
        if column is not None:
            table[f"value{i}"] = column
    return table.tobytes()


def copy(connection: psycopg.Connection[Any], table: str, names: list[str], blocks: Any) -> int:
    """Write `blocks` (of `rows`) into `table`, and return how many bytes that were."""
    statement = f"copy {table} ({', '.join(names)}) from stdin (format binary)"
    total = 0
    with connection.cursor() as cursor, cursor.copy(statement) as out:  # type: ignore[call-overload]
        out.write(HEADER)
        for block in blocks:
            out.write(block)
            total += len(block)
        out.write(END)
    return total
