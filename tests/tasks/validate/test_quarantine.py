"""The quarantine on a real database: released, rejected, judged again."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from psycopg.types.json import Jsonb

import sql
from tasks import agenda
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.validate import quarantine
from tasks.validate.validate import validate
from tests.tasks.brightness import MODEL
from tests.tasks.nouns import acquisitions
from tests.tasks.segment.test_epochs import acquire, mine
from tests.tasks.validate.test_validate import acquire as downloaded

__all__ = ["mine"]


@pytest.fixture
def refused(database, home, mine):
    row = acquire(database, mine, home, 3, 10)
    database.execute("update acquisition set state = 'quarantined', reasons = '{too cloudy}'")
    return row.acquisition_id


def due(database, mine):
    rows = agenda.due_acquisitions(database, mine, MODEL, start=None, end=None)
    return [(row.acquisition_id, row.state) for row in rows]


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
    database.execute("update acquisition set state = 'quarantined'")  # its polygons are refused, say
    assert len(quarantine.listed(database)) == 1
    agenda.reopen(database, mine, MODEL, start=None, end=None)
    assert due(database, mine) == [(refused, "downloaded")]


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
    (row,) = acquisitions(database)
    assert validate(database, row, mine).accepted
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


def judged(database, mine):
    return [(one.state, one.reasons, one.changed) for one in quarantine.judge_again(database, mine)]


def validations(database):
    return [
        row["passed"] for row in database.execute("select passed from validation order by validation_id").fetchall()
    ]


def test_what_a_changed_setting_lets_pass_is_accepted_and_the_rest_says_why_not(database, home, mine, monkeypatch):
    monkeypatch.setenv("MINECAM_MAX_CLOUD", "0.1")
    cloudy = np.full((mine.grid.height, mine.grid.width), 4)
    cloudy[:, : mine.grid.width // 3] = 9
    for day, scl in ((1, cloudy), (2, 9)):
        validate(database, downloaded(database, mine, home, day, scl=scl), mine)
    assert [changed for *_, changed in judged(database, mine)] == [False, False]
    assert validations(database) == [False, False]  # where nothing changed, nothing is written
    monkeypatch.delenv("MINECAM_MAX_CLOUD")
    reasons = [
        "cloud over 100 % of the AOI (at most 60 %)",
        "0 % of the AOI was truly observed (at least 30 %): 100 % cloud or shadow",
    ]
    assert judged(database, mine) == [("accepted", [], True), ("quarantined", reasons, True)]
    assert judged(database, mine) == [("quarantined", reasons, False)]
    assert validations(database) == [False, False, True, False]
    assert [state for _, state in due(database, mine)] == ["accepted"]


def test_a_look_is_judged_again_by_what_it_saw(database, mine, refused, monkeypatch):
    database.execute("update acquisition set raster = null, checksum = null")
    keys = {"acquisition_id": refused, "suite": "preview", "passed": False, "reasons": ["cloud"], "flow_run_id": None}
    figures = {"aoi_coverage": 1, "cloud_share": 0.7, "valid_share": 0.3}
    sql.run(database, "validation_add", figures=Jsonb(figures), **keys)
    assert judged(database, mine)[0][0] == "quarantined"
    monkeypatch.setenv("MINECAM_MAX_CLOUD", "0.8")
    assert judged(database, mine) == [("discovered", [], True)]
    assert sql.run(database, "preview_known", acquisition_id=refused)  # it is not looked at again


def test_what_is_rejected_or_has_newer_products_is_not_judged_again(database, mine, refused):
    quarantine.decide(database, refused, "reject", who="eva", why="smoke")
    assert judged(database, mine) == [] and not sql.run(
        database, "acquisition_open", acquisition_id=refused, states=["quarantined"]
    )


def test_without_its_raster_it_waits(database, mine, refused):
    (row,) = quarantine.listed(database)
    Path(row["raster"].removeprefix("file://")).unlink()
    ((state, (reason,), changed),) = judged(database, mine)
    assert state == "quarantined" and changed and "missing: `minecam run pit --rerun`" in reason
    assert quarantine.listed(database)[0]["reasons"] == ["too cloudy"]


def test_what_lies_on_another_grid_is_fetched_anew_by_a_rerun(database, home, mine):
    validate(database, downloaded(database, mine, home, 1), mine)
    database.execute("update mine set aoi = st_multi(st_makeenvelope(69, 33, 69.009, 33.006, 4326))")
    redrawn = registry.find(database, "pit")
    row = downloaded(database, mine, home, 2)
    assert not validate(database, row, redrawn).accepted
    (waiting,) = quarantine.listed(database)
    assert waiting["reasons"][0].startswith("the raster lies on EPSG:32642 67 × 68 from")
    agenda.reopen(database, redrawn, MODEL, start=None, end=None)
    assert (row.acquisition_id, "discovered") in due(database, redrawn)


def test_what_was_judged_before_a_kill_stands_and_the_rest_waits(database, home, mine, monkeypatch):
    monkeypatch.setenv("MINECAM_MAX_CLOUD", "0.1")
    cloudy = np.full((mine.grid.height, mine.grid.width), 4)
    cloudy[:, : mine.grid.width // 3] = 9
    for day in (1, 2):
        validate(database, downloaded(database, mine, home, day, scl=cloudy), mine)
    monkeypatch.delenv("MINECAM_MAX_CLOUD")
    halfway = quarantine.judge_again(database, mine)
    assert next(halfway).state == "accepted"
    with monkeypatch.context() as patch:  # in the middle of the second
        patch.setattr(
            import_module("tasks.validate.validate"), "judge", lambda **_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            next(halfway)
    assert [row["acquisition_id"] for row in quarantine.listed(database)] == [2]
    assert validations(database) == [False, False, True]
    assert judged(database, mine) == [("accepted", [], True)]
