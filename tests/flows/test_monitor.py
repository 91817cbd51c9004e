"""The monitoring flow on a real database and real rasters; the catalog is a stand-in that knows nothing new."""

from pathlib import Path
from typing import Any

import pytest
from prefect.testing.utilities import prefect_test_harness

import sql
from flows import monitor
from tasks.errors import RunError
from tasks.registry import Mine
from tests.tasks.conftest import sentinel_hub
from tests.tasks.test_epochs import MODEL, acquire, mine

__all__ = ["mine", "sentinel_hub"]


@pytest.fixture(scope="module", autouse=True)
def prefect_server():
    with prefect_test_harness():
        yield


@pytest.fixture
def watch(mine: Mine, sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch):
    """Runs the flow over the mine with the model that sees what it is told."""
    monkeypatch.setattr(monitor, "model_for", lambda *_: MODEL)
    return lambda: monitor.mine("pit")


def comparisons(database: sql.Connection) -> list[tuple[int, float]]:
    """Day and hectares changed of all current comparisons of current epochs."""
    rows = database.execute(
        "select e.sensing_time, k.changed_hectares from comparison k join epoch e using (epoch_id)"
        " where k.superseded_at is null and e.superseded_at is null order by 1"
    ).fetchall()
    return [(row["sensing_time"].day, round(row["changed_hectares"], 2)) for row in rows]


def raster(database: sql.Connection, day: int, kind: str = "class") -> Path:
    (row,) = database.execute(
        f"select {kind}_raster as address from epoch where superseded_at is null and sensing_time = '2023-01-{day:02}'"
    ).fetchall()
    return Path(row["address"].removeprefix("file://"))


def undelivered(database: sql.Connection) -> int:
    return database.execute("select count(*) as n from alert_event where delivered_at is null").fetchone()["n"]


@pytest.mark.parametrize("kind", ["class", "confidence"])
def test_a_lost_raster_is_made_again_and_blocks_nothing(database, home, mine, watch, kind):
    for day, side in ((1, 10), (2, 10)):
        acquire(database, mine, home, day, side)
    watch()
    lost = raster(database, 2, kind)
    lost.unlink()
    acquire(database, mine, home, 3, side=20)
    with pytest.raises(RunError, match=r"1 epochs of pit could not be compared, the next run tries again: .* missing"):
        watch()
    (row,) = database.execute("select superseded_why from epoch where superseded_at is not null").fetchall()
    assert row["superseded_why"].startswith("raster lost: ") and lost.name in row["superseded_why"]
    assert comparisons(database) == [(1, 0)]
    watch()
    assert lost.exists() and comparisons(database) == [(1, 0), (2, 0), (3, 3)]
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 1
    watch()
    assert database.execute("select count(*) as n from epoch").fetchone()["n"] == 4


def test_the_others_go_on_and_alerts_are_delivered(database, home, mine, watch):
    for day, side, cloud in ((1, 10, 0), (5, 10, 20)):
        acquire(database, mine, home, day, side, cloud)
    watch()
    raster(database, 1).write_bytes(b"damaged")
    acquire(database, mine, home, 3, side=10)  # needs the first: it waits
    acquire(database, mine, home, 9, side=20)  # under the cloud of the fifth, the third is the latest
    with pytest.raises(RunError, match="epochs of pit could not be compared"):
        watch()
    assert (9, 3) in comparisons(database)
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 1 and undelivered(database) == 0
    watch()
    assert comparisons(database) == [(1, 0), (3, 0), (5, 0), (9, 3)]


def test_an_epoch_that_cannot_be_made_again_is_left_out(database, home, mine, watch):
    for day in (1, 2):
        acquire(database, mine, home, day, side=10)
    watch()
    raster(database, 2).unlink()
    acquire(database, mine, home, 3, side=20)
    with pytest.raises(RunError):
        watch()
    database.execute("update acquisition set state = 'quarantined' where sensing_date = '2023-01-02'")
    watch()
    assert comparisons(database) == [(1, 0), (3, 3)]


def test_a_store_that_does_not_answer_supersedes_nothing(database, home, mine, watch):
    acquire(database, mine, home, 1, side=10)
    watch()
    path = raster(database, 1)
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()  # neither missing nor a file
    acquire(database, mine, home, 2, side=20)
    with pytest.raises(RunError, match="could not be compared"):
        watch()
    assert database.execute("select count(*) as n from epoch where superseded_at is not null").fetchone()["n"] == 0
    path.rmdir()
    path.write_bytes(kept)
    watch()
    assert comparisons(database) == [(1, 0), (2, 3)]
