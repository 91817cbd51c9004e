"""Writes many rows with geometries at once, by the binary COPY of PostgreSQL."""

from collections.abc import Iterable
from typing import Any

import shapely
from psycopg.types import TypeInfo
from psycopg.types.shapely import register_shapely

from sql.database import Connection, in_words, query
from sql.errors import DatabaseError


def copy_rows(connection: Connection, statement: str, types: list[str], rows: Iterable[Any]) -> None:
    """Write `rows` (the last value a shapely geometry in EPSG:4326) by the binary COPY `queries/<statement>.sql`."""
    info = TypeInfo.fetch(connection, "geometry")
    if info is None:
        raise DatabaseError("the database has no type 'geometry': run `minecam db migrate`")
    with in_words(), connection.cursor() as cursor:
        register_shapely(info, cursor)  # on this cursor alone: elsewhere geometries stay as they are
        with cursor.copy(query(statement)) as copy:
            copy.set_types([*types, "geometry"])
            for row in rows:
                copy.write_row((*row[:-1], shapely.set_srid(row[-1], 4326)))
