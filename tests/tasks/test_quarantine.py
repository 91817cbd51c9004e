"""The quarantine on a real database: released, rejected, judged again."""

import pytest

from tasks import agenda, quarantine
from tasks.errors import WrongUse
from tasks.validate import validate
from tests.tasks.test_epochs import MODEL, acquire, mine

__all__ = ["mine"]


@pytest.fixture
def refused(database, home, mine):
    row = acquire(database, mine, home, 3, 10)
    database.execute("update acquisition set state = 'quarantined', reasons = '{too cloudy}'")
    return row["acquisition_id"]


def due(database, mine):
    rows = agenda.due_acquisitions(database, mine, MODEL, start=None, end=None)
    return [(row["acquisition_id"], row["state"]) for row in rows]


def test_what_is_released_is_due_and_kept_with_who_and_why(database, mine, refused):
    (row,) = quarantine.listed(database, "pit")
    assert (row["acquisition_id"], row["reasons"]) == (refused, ["too cloudy"]) and quarantine.listed(
        database, "x"
    ) == []
    assert due(database, mine) == []
    quarantine.decide(database, refused, "release", who="eva", why="the pit is clear")
    assert due(database, mine) == [(refused, "accepted")] and quarantine.listed(database) == []
    (kept,) = database.execute("select decision, actor, why from acquisition_decision").fetchall()
    assert tuple(kept.values()) == ("released", "eva", "the pit is clear")
    with pytest.raises(WrongUse, match=f"acquisition {refused} is accepted"):
        quarantine.decide(database, refused, "reject", who="eva", why="no")


def test_what_is_rejected_is_not_judged_again_unless_it_is_released(database, mine, refused):
    quarantine.decide(database, refused, "reject", who="eva", why="smoke")
    assert quarantine.listed(database) == []
    agenda.reopen(database, mine, MODEL, start=None, end=None)
    assert due(database, mine) == []
    with pytest.raises(WrongUse, match="rejected already"):
        quarantine.decide(database, refused, "reject", who="eva", why="smoke")
    quarantine.decide(database, refused, "release", who="kim", why="no smoke")
    assert due(database, mine) == [(refused, "accepted")]


def test_what_nobody_decided_on_is_judged_again_by_a_rerun(database, mine, refused):
    agenda.reopen(database, mine, MODEL, start=None, end=None)
    assert due(database, mine) == [(refused, "downloaded")]


def test_what_has_newer_products_is_not_released(database, mine, refused):
    database.execute("update acquisition set superseded_at = now(), superseded_why = 'newer'")
    with pytest.raises(WrongUse, match="has newer products"):
        quarantine.decide(database, refused, "release", who="eva", why="it")


def test_a_release_stands_when_it_is_judged_again(database, mine, refused, monkeypatch):
    monkeypatch.setenv("MINECAM_MIN_VALID", "1")
    quarantine.decide(database, refused, "release", who="eva", why="it")
    database.execute("update acquisition set state = 'downloaded'")
    row = database.execute("select * from acquisition").fetchone()
    assert validate(database, row, mine)
    assert due(database, mine) == [(refused, "accepted")]


def test_a_picture_shows_what_was_refused(database, mine, refused):
    assert quarantine.picture(database, refused).startswith(b"\x89PNG")
    database.execute("update acquisition set raster = null")
    with pytest.raises(WrongUse, match="was never downloaded"):
        quarantine.picture(database, refused)


def test_a_decision_needs_a_reason_and_something_in_quarantine(database, mine, refused):
    with pytest.raises(WrongUse, match="say why"):
        quarantine.decide(database, refused, "release", who="eva", why="")
    with pytest.raises(WrongUse, match="acquisition 99 does not exist"):
        quarantine.decide(database, 99, "release", who="eva", why="it")
