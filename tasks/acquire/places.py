"""The places to ask the service from: no more requests are under way at once, of all workers together.

They are locks in PostGIS, which all workers share: a worker that is killed has none any more.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import sql
from tasks.settings import settings

LONGEST = 0.5
"""Seconds between two looks for a place."""


@contextmanager
def place(connection: sql.Connection) -> Iterator[None]:
    """Hold one of the MINECAM_SH_CONCURRENCY places, waiting for it."""
    pause = 0.02
    while (row := sql.run_one(connection, "place_take", places=settings().sh_concurrency)) is None:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)
    try:
        yield
    finally:
        if not connection.closed:
            sql.run(connection, "place_free", place=row["place"])
