"""Records for tests that need no database, and those in it."""

from datetime import UTC, datetime
from typing import Any

import sql
from tasks.records import Acquisition, Epoch

TIME = datetime(2023, 1, 8, 6, 12, 31, tzinfo=UTC)


def acquisition(**changed: Any) -> Acquisition:
    """Return an acquisition that was just discovered, with what is `changed`."""
    given = {
        "acquisition_id": 1, "mine_id": 1, "sensor_set": "s2-rgb", "collection": "sentinel-2-l2a",
        "sensing_date": TIME.date(), "sensing_time": TIME, "product_ids": ["S2A_N0509_"], "state": "discovered",
        "reasons": [], "tries": 0, "discovered_at": TIME,
    }  # fmt: skip
    return Acquisition(**{**given, **changed})


def acquisitions(database: sql.Connection, where: str = "true") -> list[Acquisition]:
    """Return the acquisitions `where` that is so, in the order in which they came."""
    rows = database.execute(f"select * from acquisition where {where} order by acquisition_id").fetchall()  # type: ignore[call-overload]
    return [Acquisition(**row) for row in rows]


def epochs(database: sql.Connection, where: str = "superseded_at is null") -> list[Epoch]:
    """Return the epochs `where` that is so, in order of sensing."""
    rows = database.execute(f"select * from epoch where {where} order by sensing_time, epoch_id").fetchall()  # type: ignore[call-overload]
    return [Epoch(**row) for row in rows]
