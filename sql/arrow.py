"""Reads a query as an Arrow table, whose types are those of the database, whatever values its rows hold."""

from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import tuple_row
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader

from sql.database import Connection, in_words, query

TYPES = {
    "bool": pa.bool_(),
    "int2": pa.int64(), "int4": pa.int64(), "int8": pa.int64(),
    "float4": pa.float64(), "float8": pa.float64(), "numeric": pa.float64(),
    "text": pa.string(), "varchar": pa.string(), "bpchar": pa.string(), "name": pa.string(),
    "json": pa.string(), "jsonb": pa.string(),
    "date": pa.date32(), "timestamptz": pa.timestamp("us", tz="UTC"), "timestamp": pa.timestamp("us"),
    "bytea": pa.binary(),
}  # fmt: skip
"""Arrow types by those of PostgreSQL; arrays become lists of them, JSON its text."""


def table(connection: Connection, name: str, /, **parameters: Any) -> pa.Table:
    """Run `queries/<name>.sql` and return its rows; outlines are asked for as `st_asbinary`.

    Raises DatabaseFailed as `in_words` does, and TypeError for a column of a type that has no place in TYPES.
    """
    with in_words(), connection.cursor(row_factory=tuple_row) as cursor:
        for kind, loader in (("json", TextLoader), ("jsonb", TextLoader), ("numeric", FloatLoader)):
            cursor.adapters.register_loader(kind, loader)
        cursor.execute(query(name), parameters or None)
        assert cursor.description is not None
        schema = pa.schema([(column.name, _type(cursor, column)) for column in cursor.description])
        rows = cursor.fetchall()
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def _type(cursor: psycopg.Cursor[Any], column: psycopg.Column) -> pa.DataType:
    known = cursor.adapters.types.get(column.type_code)
    if known is None or known.name not in TYPES:
        raise TypeError(f"{column.name} is of type {column.type_display}, which has no place in a table")
    one = TYPES[known.name]
    return pa.list_(one) if column.type_code == known.array_oid else one
