from importlib import import_module

import pytest

from tasks import agenda
from tasks.alert.alert import alert
from tasks.alert.withdraw import withdraw
from tasks.compare.compare import compare
from tasks.errors import RasterError
from tasks.mines import registry
from tasks.rasters.cog import Raster, read_raster
from tasks.validate import quarantine
from tasks.validate.revalidate import revalidate, unsettled
from tasks.validate.validate import validate
from tests.tasks.brightness import MODEL
from tests.tasks.nouns import acquisitions
from tests.tasks.segment.test_epochs import mine, stored
from tests.tasks.validate.test_validate import acquire, state

__all__ = ["mine"]


def judge(database, mine, *rows):
    for row in rows:
        judged = validate(database, row, mine)
        if judged.accepted:
            stored(database, mine, judged)


def again(database, mine):
    """Judge again what is to be, and return the days of it, and of these those that are to be segmented anew."""
    days, anew = [], []
    for row in unsettled(database, mine, "s2-rgb"):
        days.append(row.sensing_date.day)
        judged, elsewhere = revalidate(database, row, mine)
        assert judged == state(database, row)
        if elsewhere:
            anew.append(row.sensing_date.day)
            stored(database, mine, judged)
    withdraw(database, mine)
    return days, anew


def states(database):
    rows = database.execute("select state from acquisition order by sensing_time").fetchall()
    return [row["state"] for row in rows]


def test_in_order_nothing_is_judged_again(database, home, mine):
    judge(database, mine, *(acquire(database, mine, home, day) for day in (1, 2, 3)))
    assert again(database, mine) == ([], [])


def test_one_that_comes_late_and_changes_nothing_lets_nothing_be_segmented_anew(database, home, mine):
    judge(database, mine, *(acquire(database, mine, home, day) for day in (1, 3, 4)))
    before = database.execute("select * from epoch order by epoch_id").fetchall()
    judge(database, mine, acquire(database, mine, home, 2))
    assert again(database, mine) == ([3], [])
    assert database.execute("select * from epoch where epoch_id <= %s order by epoch_id",
                            [before[-1]["epoch_id"]]).fetchall() == before  # fmt: skip
    assert states(database) == ["segmented"] * 4
    assert again(database, mine) == ([], [])


def test_what_lies_elsewhere_against_a_late_first_one_is_segmented_anew(database, home, mine):
    judge(database, mine, *(acquire(database, mine, home, day, roll=by) for day, by in ((2, 0), (3, 1))))
    judge(database, mine, acquire(database, mine, home, 1, roll=1))
    assert again(database, mine) == ([2, 3], [2, 3])
    rows = database.execute("select shift_columns from acquisition order by sensing_time").fetchall()
    assert [row["shift_columns"] for row in rows] == [0, -1, 0]
    why = database.execute("select superseded_why from epoch where superseded_at is not null").fetchall()
    assert {row["superseded_why"] for row in why} == {"segmented with other pixels"}


def test_what_is_refused_now_loses_its_epoch_and_the_alert_that_only_it_has_shown(database, home, mine):
    judge(database, mine, acquire(database, mine, home, 2, most=1800))
    judge(database, mine, acquire(database, mine, home, 3, most=1800, bright=True))
    for epoch in agenda.due_epochs(database, mine, MODEL, start=None, end=None):
        alert(database, compare(database, epoch, mine), mine)
    assert database.execute("select state from alert").fetchone()["state"] == "provisional"
    judge(database, mine, acquire(database, mine, home, 1, most=1800, roll=5))
    assert again(database, mine) == ([2, 3], [])
    assert states(database) == ["segmented", "quarantined", "quarantined"]
    assert len(database.execute("select from epoch where superseded_at is null").fetchall()) == 1
    assert database.execute("select state from alert").fetchone()["state"] == "expired"
    assert again(database, mine) == ([], [])


def test_what_was_refused_is_segmented_once_a_late_one_lets_it_pass(database, home, mine):
    judge(database, mine, *(acquire(database, mine, home, day, roll=by) for day, by in ((2, -2), (3, 2))))
    assert states(database) == ["segmented", "quarantined"]
    judge(database, mine, acquire(database, mine, home, 1, roll=0))
    assert again(database, mine) == ([2, 3], [2, 3])
    assert states(database) == ["segmented"] * 3


def test_an_alert_with_which_others_agreed_stays(database, home, mine):
    days = ((2, False), (3, True), (4, True))
    judge(database, mine, *(acquire(database, mine, home, day, most=1800, bright=bright) for day, bright in days))
    for epoch in agenda.due_epochs(database, mine, MODEL, start=None, end=None):
        alert(database, compare(database, epoch, mine), mine)
    before = database.execute("select * from alert").fetchone()
    assert before["observations"] == [1]
    judge(database, mine, acquire(database, mine, home, 1, most=1800, roll=5))
    assert again(database, mine) == ([2, 3, 4], [])
    assert database.execute("select * from alert").fetchone() == before


def test_what_lies_on_the_grid_of_an_older_outline_stays(database, home, mine):
    judge(database, mine, *(acquire(database, mine, home, day) for day in (2, 3)))
    database.execute("update mine set aoi = st_multi(st_makeenvelope(69, 33, 69.009, 33.006, 4326))")
    redrawn = registry.find(database, mine.slug)
    judge(database, redrawn, acquire(database, redrawn, home, 1))
    assert again(database, redrawn) == ([], [])
    assert states(database) == ["segmented"] * 3


def test_while_not_all_can_be_read_it_stays_as_it_is(database, home, mine, monkeypatch):
    judge(database, mine, *(acquire(database, mine, home, day, roll=by) for day, by in ((2, 0), (3, 1))))
    judge(database, mine, acquire(database, mine, home, 1, roll=1))
    before = database.execute("select * from acquisition order by sensing_time").fetchall()

    def unread(address: str, checksum: str | None = None) -> Raster:
        if address == before[0]["raster"]:
            raise RasterError("not now")
        return read_raster(address, checksum)

    with monkeypatch.context() as patch:
        patch.setattr(import_module("tasks.validate.references"), "read_raster", unread)
        assert again(database, mine) == ([2, 3], [])
    assert database.execute("select * from acquisition order by sensing_time").fetchall() == before
    assert again(database, mine) == ([2, 3], [2, 3])


@pytest.mark.parametrize(("decision", "ends"), [("release", "segmented"), ("reject", "quarantined")])
def test_what_a_person_decided_stays(database, home, mine, decision, ends):
    judge(database, mine, *(acquire(database, mine, home, day, roll=by) for day, by in ((2, 0), (3, 5))))
    (refused,) = acquisitions(database, "state = 'quarantined'")
    quarantine.decide(database, refused.acquisition_id, decision, who="ann", why="looked at it")
    if decision == "release":
        stored(database, mine, state(database, refused))
    judge(database, mine, acquire(database, mine, home, 1))
    again(database, mine)
    assert states(database)[2] == ends
    assert again(database, mine) == ([], [])


@pytest.mark.parametrize("value", [0, 1, 4000, 65_535])
def test_ground_without_values_under_a_clear_mask_raises_nothing(database, home, mine, value):
    """The edge of a detector lies across the mine on two dates, as orbits repeat; 4000 is mine to MODEL."""
    judge(database, mine, acquire(database, mine, home, 1, most=1800))
    for day in (2, 3):
        judge(database, mine, acquire(database, mine, home, day, most=1800, edge=value))
    assert states(database) == ["segmented"] * 3
    for epoch in agenda.due_epochs(database, mine, MODEL, start=None, end=None):
        alert(database, compare(database, epoch, mine), mine)
    assert database.execute("select count(*) as n from change").fetchone()["n"] == 0
    assert database.execute("select count(*) as n from alert").fetchone()["n"] == 0
    shares = database.execute(
        "select valid_hectares / aoi_hectares as share from epoch order by sensing_time"
    ).fetchall()
    assert shares[0]["share"] == 1 and 0.4 < shares[1]["share"] < 0.7
