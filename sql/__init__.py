"""The database: migrations, views and queries as `.sql` files, and the module that runs them."""

from sql.arrow import table
from sql.copying import copy_rows
from sql.database import Connection, Role, Row, connect, fetch, fetch_one, in_words, migrate, query, run, run_one
from sql.errors import DatabaseError, DatabaseFailed

__all__ = [
    "Connection", "DatabaseError", "DatabaseFailed", "Role", "Row", "connect", "copy_rows", "fetch", "fetch_one",
    "in_words", "migrate", "query", "run", "run_one", "table",
]  # fmt: skip
