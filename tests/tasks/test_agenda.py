"""What is due, by state; late arrivals; one run at a time."""

import time
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

import sql
from tasks import agenda
from tasks.compare.compare import compare
from tasks.errors import Busy
from tasks.mines import registry
from tests.tasks.brightness import MODEL
from tests.tasks.segment.test_epochs import acquire, mine, stored

__all__ = ["mine"]

ALL = {"start": None, "end": None}


def due(database: sql.Connection, mine: registry.Mine, **given: Any) -> list[int]:
    rows = agenda.due_acquisitions(database, mine, MODEL, **{**ALL, **given})  # type: ignore[arg-type]
    return [row.sensing_date.day for row in rows]


def due_epochs(database: sql.Connection, mine: registry.Mine, rerun: bool = False) -> list[int]:
    rows = agenda.due_epochs(database, mine, MODEL, rerun=rerun, **ALL)  # type: ignore[arg-type]
    return [row.sensing_time.day for row in rows]


@pytest.mark.parametrize(
    ("state", "tries", "is_due"),
    [
        ("discovered", 0, True),
        ("downloaded", 0, True),
        ("accepted", 0, True),
        ("quarantined", 0, False),
        ("failed", 4, True),
        ("failed", 5, False),
        ("segmented", 0, True),  # no epoch of this model yet
    ],
)
def test_what_is_due_by_state(database, home, mine, state: str, tries: int, is_due: bool) -> None:
    acquire(database, mine, home, 1, side=0)
    database.execute("update acquisition set state = %s, tries = %s", (state, tries))
    assert bool(due(database, mine)) == is_due


def test_what_is_due_comes_in_order_of_sensing_and_within_the_range(database, home, mine) -> None:
    for day in (5, 2, 9):
        acquire(database, mine, home, day, side=0)
    assert due(database, mine) == [2, 5, 9]
    assert due(database, mine, start=date(2023, 1, 3), end=date(2023, 1, 8)) == [5]


def test_other_weights_segment_anew_and_supersede_on_demand_only(database, home, mine) -> None:
    stored(database, mine, acquire(database, mine, home, 1, side=20))
    assert due(database, mine) == due(database, mine, rerun=True) == []
    assert agenda.epochs_by_other_weights(database, mine, MODEL) == 0
    database.execute("update epoch set model_checksum = 'b'")
    assert due(database, mine) == [] and due(database, mine, rerun=True) == [1]
    assert agenda.epochs_by_other_weights(database, mine, MODEL) == 1


def test_epochs_of_other_weights_are_not_compared_until_they_are_made_anew(database, home, mine) -> None:
    first, second = (
        stored(database, mine, acquire(database, mine, home, day, side)) for day, side in ((1, 10), (9, 20))
    )
    database.execute("update epoch set model_checksum = 'b' where epoch_id = %s", [first.epoch_id])
    assert compare(database, second, mine).previous_epochs == []
    assert due_epochs(database, mine) == [1]
    (acquisition,) = agenda.due_acquisitions(database, mine, MODEL, rerun=True, **ALL)  # type: ignore[arg-type]
    anew = stored(database, mine, acquisition)
    assert due_epochs(database, mine) == [1, 9]
    assert compare(database, second, mine).previous_epochs == [anew.epoch_id]


@pytest.mark.parametrize(
    ("newer", "stands"), [("discovered", False), ("segmented", False), ("quarantined", True), ("failed", True)]
)
def test_an_acquisition_stands_while_its_newer_products_are_refused(database, home, mine, newer, stands) -> None:
    old = acquire(database, mine, home, 1, side=20)
    stored(database, mine, old)
    database.execute("update acquisition set superseded_at = now()")
    new = acquire(database, mine, home, 1, side=20)
    database.execute("update acquisition set state = %s, tries = 5 where superseded_at is null", [newer])
    database.execute("update epoch set model_checksum = 'b'")  # other weights: what stands is segmented anew
    rows = agenda.due_acquisitions(database, mine, MODEL, rerun=True, **ALL)  # type: ignore[arg-type]
    assert (old.acquisition_id in [row.acquisition_id for row in rows]) == stands
    assert (new.acquisition_id in [row.acquisition_id for row in rows]) == (newer in ("discovered", "segmented"))


def test_an_epoch_of_newer_products_takes_the_place_of_the_same_model_only(database, home, mine) -> None:
    other = SimpleNamespace(**{**vars(MODEL), "name": "another"})
    old = acquire(database, mine, home, 1, side=20)
    for model in (MODEL, other):
        stored(database, mine, old, model)
    database.execute("update acquisition set superseded_at = now(), superseded_why = 'newer products: Y'")
    new = stored(database, mine, acquire(database, mine, home, 1, side=10))
    rows = database.execute("select * from epoch where superseded_at is null order by epoch_id").fetchall()
    assert [row["model"] for row in rows] == ["another", MODEL.name] and rows[1]["epoch_id"] == new.epoch_id
    (gone,) = database.execute("select superseded_why from epoch where superseded_at is not null").fetchall()
    assert gone["superseded_why"] == "newer products: Y"


def test_an_epoch_that_comes_late_makes_the_comparisons_after_it_due(database, home, mine) -> None:
    for day in (1, 9):
        epoch = stored(database, mine, acquire(database, mine, home, day, side=20))
        assert due_epochs(database, mine) == [day]
        compare(database, epoch, mine)
    assert due_epochs(database, mine) == []
    stored(database, mine, acquire(database, mine, home, 5, side=10))
    assert due_epochs(database, mine) == [5, 9]
    for row in agenda.due_epochs(database, mine, MODEL, **ALL):  # type: ignore[arg-type]
        compare(database, row, mine)
    assert due_epochs(database, mine) == []
    assert due_epochs(database, mine, rerun=True) == [1, 5, 9]
    changed = database.execute(
        "select e.sensing_time::date as day, changed_hectares from comparison k join epoch e using (epoch_id) "
        "where k.superseded_at is null order by 1"
    ).fetchall()
    assert [(row["day"].day, round(row["changed_hectares"], 2)) for row in changed] == [(1, 0), (5, 3), (9, 3)]


def test_a_comparison_with_an_epoch_that_was_superseded_since_is_due(database, home, mine) -> None:
    for day, side in ((1, 10), (5, 20), (9, 20)):
        compare(database, stored(database, mine, acquire(database, mine, home, day, side)), mine)
    assert due_epochs(database, mine) == []
    (fifth,) = database.execute("select * from epoch where sensing_time::date = '2023-01-05'").fetchall()
    sql.run(database, "epoch_supersede", epoch_id=fifth["epoch_id"], why="raster lost: for good")
    (ninth,) = agenda.due_epochs(database, mine, MODEL, **ALL)  # type: ignore[arg-type]
    assert ninth.sensing_time.day == 9
    assert compare(database, ninth, mine).changed_hectares == pytest.approx(3.0)  # against the first now
    assert due_epochs(database, mine) == []


def test_a_rerun_opens_what_was_quarantined_and_what_failed_too_often(database, home, mine) -> None:
    for day, state in ((1, "quarantined"), (2, "failed"), (3, "segmented")):
        acquire(database, mine, home, day, side=0)
        database.execute(
            "update acquisition set state = %s, tries = 5 where sensing_date = %s", (state, date(2023, 1, day))
        )
    agenda.reopen(database, mine, MODEL, start=date(2023, 1, 1), end=date(2023, 1, 2))  # type: ignore[arg-type]
    rows = database.execute("select state, tries from acquisition order by sensing_date").fetchall()
    assert [tuple(row.values()) for row in rows] == [("downloaded", 0), ("failed", 0), ("segmented", 5)]


def test_one_run_at_a_time_and_a_killed_one_lets_go(database, database_url, mine) -> None:
    with agenda.one_run_at_a_time(database, mine):
        other = sql.connect(database_url)
        with pytest.raises(Busy, match="pit is being processed by another run"), agenda.one_run_at_a_time(other, mine):
            pass
    with agenda.one_run_at_a_time(other, mine), pytest.raises(Busy), agenda.one_run_at_a_time(database, mine):
        pass
    sql.run(other, "mine_run_lock", mine_id=mine.mine_id)
    died, gone = other.info.backend_pid, False
    other.close()
    for _ in range(500):  # PostgreSQL notices a moment after the client has gone
        if gone := not database.execute("select 1 from pg_stat_activity where pid = %s", [died]).fetchone():
            break
        time.sleep(0.02)
    assert gone
    with agenda.one_run_at_a_time(database, mine):
        pass
