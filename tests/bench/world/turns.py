"""Asks simulated mines what lays outlines over one another, of two databases in turns: today's schema and an older one.

What other work does to the machine happens to both alike; each answer is timed at the client, warm, on one connection.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg

ASKED = {
    "mine_on": "select * from mine_on('MINE', '2024-06-30')",
    "mine_on, clouded": "select * from mine_on('MINE', '2024-04-20')",
    "changes_between": "select * from changes_between('MINE', '2024-02-01', '2024-06-30')",
    "transition_matrix": "select * from transition_matrix('MINE', '2024-02-01', '2024-06-30')",
    "mined_outside": "select * from mined_outside('MINE', '2024-06-30')",
    "dam_ponds": "select * from dam_ponds('MINE', '2024-01-31', '2024-06-30')",
}
"""The questions that lay outlines over one another, whole: an older schema has other columns, and the same names."""

ROUNDS = 5
"""How often each question is asked of each mine; the first answer warms up and is not counted."""


def in_turns(
    addresses: dict[str, str], slugs: list[str], say: Callable[[str], None]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return by question and database the 50th and 95th percentile over `slugs`, in milliseconds, and rows a mine.

    With two databases, the first the older, `ratio` is how many times longer it takes in the median.
    """
    found: dict[str, dict[str, Any]] = {}
    connections = {name: psycopg.connect(address, autocommit=True) for name, address in addresses.items()}
    for connection in connections.values():
        connection.execute("set search_path = minecam, public")
    for question, asked in ASKED.items():
        took: dict[str, list[float]] = {name: [] for name in connections}
        rows: dict[str, list[int]] = {name: [] for name in connections}
        for slug in slugs:
            statement = asked.replace("MINE", slug)
            for number in range(ROUNDS):
                for name, connection in connections.items():
                    begun = time.perf_counter()
                    answer = connection.execute(statement).fetchall()  # type: ignore[call-overload]
                    if number:
                        took[name].append(1000 * (time.perf_counter() - begun))
                        rows[name].append(len(answer))
        found[question] = {name: _figures(took[name], rows[name]) for name in connections}
        said = [
            f"{name} p50 {of['p50_ms']:7.1f} ms, p95 {of['p95_ms']:7.1f} ms" for name, of in found[question].items()
        ]
        if len(connections) == 2:
            first, second = found[question].values()
            found[question]["ratio"] = round(first["p50_ms"] / max(second["p50_ms"], 0.1), 1)
            said.append(f"{found[question]['ratio']} times")
        say(f"{question:32} {'; '.join(said)}")
    return found


def _figures(took: list[float], rows: list[int]) -> dict[str, float]:
    middle, high = np.percentile(took, [50, 95])
    return {"p50_ms": round(float(middle), 1), "p95_ms": round(float(high), 1), "rows": round(float(np.mean(rows)))}
