"""Asks the examples of sql/README.md of many mines, and says how long they take and which tables they read whole."""

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

README = Path(__file__).parents[3] / "sql" / "README.md"
EXAMPLES = [
    example
    for example in re.findall(r"```sql\n(.+?);?\n```", README.read_text(), re.DOTALL)
    if "experiment" not in example
]
SMALL = 10_000
"""Rows below which reading a table whole is as good as any index."""


def title(example: str) -> str:
    """Return by what an example is known: the view or function that it asks, and whether of one mine."""
    return re.search(r"from (\w+)", example)[1] + (" of a mine" if "'east-pit'" in example else "")  # type: ignore[index]


def ask(address: str, *, mines: int, segments: int, times: int) -> dict[str, dict[str, Any]]:
    """Return per question the 50th and 95th percentile in milliseconds, warm, and tables that it read whole."""
    found: dict[str, dict[str, Any]] = {}
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set search_path = minecam, public")
        large = {row[0] for row in connection.execute("select relname from pg_class where reltuples > %s", [SMALL])}
        for example in EXAMPLES:
            rng = np.random.default_rng(0)
            single = "'east-pit'" in example or "segment_id" in example
            took, rows = [], []
            for _ in range(times if single else 5):
                statement = _of(example, mine=int(rng.integers(mines)) + 1, segment=int(rng.integers(7, segments)))
                connection.execute(statement).fetchall()  # type: ignore[call-overload]
                begun = time.perf_counter()
                rows.append(len(connection.execute(statement).fetchall()))  # type: ignore[call-overload]
                took.append(1000 * (time.perf_counter() - begun))
            low, high = np.percentile(took, [50, 95])
            name = title(example)
            while name in found:
                name += "'"
            found[name] = {
                "p50_ms": round(float(low), 1), "p95_ms": round(float(high), 1), "rows": round(float(np.mean(rows))),
                "one": single, "read_whole": sorted(_read_whole(connection, statement) & large),
            }  # fmt: skip
    return found


def _of(example: str, *, mine: int, segment: int) -> str:
    said = example.replace("'east-pit'", f"'mine-{mine}'").replace("of_commodity => 'iron', ", "")
    return said.replace("(select max(segment_id) from segment)", str(segment))


def _read_whole(connection: psycopg.Connection[Any], statement: str) -> set[str]:
    """Return the tables that `statement`, and what the functions in it ask, read by a sequential scan."""
    said: list[str] = []
    listen = lambda notice: said.append(notice.message_primary or "")  # noqa: E731
    connection.add_notice_handler(listen)
    with connection.transaction():
        connection.execute("load 'auto_explain'")
        for name, value in (("log_min_duration", "0"), ("log_nested_statements", "on")):
            connection.execute(f"set local auto_explain.{name} = {value}")  # type: ignore[call-overload]
        connection.execute("set local client_min_messages = log")
        connection.execute(statement).fetchall()  # type: ignore[call-overload]
    connection.remove_notice_handler(listen)
    return set(re.findall(r"Seq Scan on (\w+)", "\n".join(said)))
