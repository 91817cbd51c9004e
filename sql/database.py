"""Runs the `.sql` files of this folder with psycopg 3: migrations once, queries by name.

A query lives in `queries/<name>.sql` with psycopg's named parameters (`%(mine_id)s`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from typing import Any, Literal, LiteralString, TypeVar, cast

import psycopg
from psycopg.rows import class_row, dict_row

from sql.errors import DatabaseError, DatabaseFailed

Row = dict[str, Any]
Connection = psycopg.Connection[Row]
T = TypeVar("T")
PASSWORDS = re.compile(r"//[^:@/]*:(.*)@|password=('[^']*'|[^&\s]*)")
"""What is a password in an address of libpq, however it was escaped."""

Role = Literal["admin", "ingest", "read"]
"""Who may do what: `migrations/0006_roles.sql`."""

LOCK_SECONDS = 300
"""How long a statement waits for what others have locked: who forgot to commit must not stop the monitor for ever."""
ALIVE: dict[str, Any] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A server that vanished without a word is given up after a minute, not after hours."""


def connect(url: str, *, role: Role | None = None) -> Connection:
    """Open an autocommit connection to `url` (dict rows, schema `minecam` first in the search path).

    With `role` it may do what minecam_<role> may; without, what the user in `url` may.
    Use `with connection.transaction():` around what belongs together.
    Raises DatabaseError when the server does not answer, `url` is none, or the user may not act in that role.
    """
    acting = f" -c role=minecam_{role} -c lock_timeout={LOCK_SECONDS}s" if role else ""
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            row_factory=cast(Any, dict_row),
            connect_timeout=10,
            **ALIVE,
            options=f"-c search_path=minecam,public -c timezone=UTC{acting}",
        )
    except psycopg.OperationalError as error:
        reason = _without_password(str(error).strip().splitlines()[-1], url)
        if "permission denied to set role" in reason:
            raise DatabaseError(f"the user of MINECAM_DATABASE_URL needs `grant minecam_{role} to` it") from None
        if role and f'role "minecam_{role}" does not exist' in reason:
            raise DatabaseError(f"the database has no role minecam_{role}: run `minecam db migrate`") from None
        raise DatabaseError(
            f"the database does not answer ({reason}): run `minecam up`, or check MINECAM_DATABASE_URL"
        ) from None  # libpq's own words may hold the password, and would be in every traceback
    except (psycopg.ProgrammingError, UnicodeError) as error:
        reason = re.sub('".*"', '"..."', " ".join(str(error).split()))
        raise DatabaseError(
            f"MINECAM_DATABASE_URL is no address of a database ({reason}): give postgresql://USER:PASSWORD@HOST/NAME, "
            "signs such as @ / : # % in the password as %40 %2F %3A %23 %25"
        ) from None


def _without_password(reason: str, url: str) -> str:
    """Return libpq's words without what they repeat of the password in `url`, or of a part that it takes for a host."""
    secret = " ".join(part for found in PASSWORDS.findall(url) for part in found)

    def shown(quoted: re.Match[str]) -> str:
        common = SequenceMatcher(None, quoted[1], secret, autojunk=False).find_longest_match()
        return '"..."' if common.size > 2 else quoted[0]

    return re.sub('"([^"]*)"', shown, reason)


@cache
def query(name: str) -> LiteralString:
    """Return the text of `queries/<name>.sql`, for what `run` cannot do: COPY."""
    return files("sql").joinpath("queries", f"{name}.sql").read_text()


def run(connection: Connection, name: str, /, **parameters: Any) -> list[Row]:
    """Run `queries/<name>.sql` and return its rows (empty for statements that return none).

    Raises DatabaseError when the database lacks the schema, or cannot hold what is given: a NUL in a text, a number
    too large for its column. Raises DatabaseFailed as `in_words` does.
    """
    return _run(connection.cursor(), name, parameters)


def run_one(connection: Connection, name: str, /, **parameters: Any) -> Row | None:
    """Run `queries/<name>.sql` and return its first row, or None."""
    rows = run(connection, name, **parameters)
    return rows[0] if rows else None


def fetch(connection: Connection, noun: type[T], name: str, /, **parameters: Any) -> list[T]:
    """Run `queries/<name>.sql` and return its rows as objects of `noun`, a dataclass with their columns; see `run`."""
    return _run(connection.cursor(row_factory=class_row(noun)), name, parameters)


def fetch_one(connection: Connection, noun: type[T], name: str, /, **parameters: Any) -> T | None:
    """Run `queries/<name>.sql` and return its first row as an object of `noun`, or None."""
    found = fetch(connection, noun, name, **parameters)
    return found[0] if found else None


def _run(cursor: psycopg.Cursor[T], name: str, parameters: dict[str, Any]) -> list[T]:
    try:
        with in_words():
            cursor.execute(query(name), parameters or None)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as error:
        raise DatabaseError("the database has not the schema of this MineCam: run `minecam db migrate`") from error
    except (psycopg.DataError, UnicodeEncodeError) as error:
        reason = " ".join(str(error).split())[:300].encode("ascii", "backslashreplace").decode()
        raise DatabaseError(f"the database cannot hold what it is given ({reason}): give other values") from error
    return cursor.fetchall() if cursor.description else []


@contextmanager
def in_words() -> Iterator[None]:
    """Raise DatabaseFailed, one line, where the database breaks off (lost connection, restart) or cannot do its part
    for now (a full disk, a lock, a conflict, a standby that lets nobody write)."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
        reason = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
        raise DatabaseFailed(f"the database failed in the middle of the work ({reason}): the next run goes on from "
                             "there; if it fails again, look at its log and the space left") from error  # fmt: skip


def migrations() -> list[tuple[int, str, LiteralString]]:
    """Return (number, file name, text) of every migration, in order."""
    found = [entry for entry in files("sql").joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    rows = [(int(re.match(r"\d+", entry.name)[0]), entry.name, entry.read_text()) for entry in found]  # type: ignore[index]
    return sorted(rows)


def migrate(connection: Connection) -> list[str]:
    """Bring the database to the newest schema and return the names of the migrations applied.

    Each runs in a transaction of its own under one lock, so that two starts at once are safe. Settings of the database
    are made again each time: one that was restored from a dump lacks them.
    Raises DatabaseError when the database is newer than this version of MineCam.
    """
    known = migrations()
    applied: list[str] = []
    run(connection, "migration_lock")
    try:
        run(connection, "migration_table")
        row = run_one(connection, "migration_version")
        version = row["version"] if row else 0
        if version > known[-1][0]:
            raise DatabaseError(
                f"the database has schema {version}, this MineCam knows {known[-1][0]}: install a newer MineCam"
            )
        for number, name, text in known:
            if number > version:
                with connection.transaction():
                    connection.execute(text)
                    run(connection, "migration_record", version=number, name=name)
                applied.append(name)
        run(connection, "database_settings")
    finally:
        run(connection, "migration_unlock")
    return applied
