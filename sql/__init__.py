"""The database: migrations, views and queries as `.sql` files, and the module that runs them."""

from sql.database import Connection, Role, Row, connect, migrate, query, run, run_one
from sql.errors import DatabaseError

__all__ = ["Connection", "DatabaseError", "Role", "Row", "connect", "migrate", "query", "run", "run_one"]
