"""What the backtest reads of a real database: a series, the two dates of an ablation, the picture of an error."""

import io

import pytest
import shapely
from PIL import Image

import sql
from deploy.backtest.ablation import codes, compared, dates_of
from deploy.backtest.drawing import draw
from deploy.backtest.series import refusals, seen_of
from deploy.backtest.worst import Mistake
from tests.tasks.brightness import MODEL
from tests.tasks.report.test_report import watched
from tests.tasks.segment.test_epochs import acquire, mine

__all__ = ["mine"]


def count_hectares(database):
    return database.execute("select sum(hectares) as hectares from change").fetchone()["hectares"]


@pytest.fixture(autouse=True)
def _model(monkeypatch):
    monkeypatch.setenv("MINECAM_MODEL", MODEL.name)


def test_a_series_knows_what_was_seen_refused_and_undone(database, home, mine):
    watched(database, home, mine, (1, 10, 0), (11, 20, 0), (21, 10, 0))
    acquire(database, mine, home, 25, 10)
    database.execute("update acquisition set state = 'quarantined', reasons = %s where state = 'accepted'",
                     (["cloud over 100 % of the AOI (at most 60 %)"],))  # fmt: skip
    found = seen_of(database, mine)
    wanted = {"years": 0.05, "first": "2023-01-01", "last": "2023-01-21", "acquisitions": 4, "accepted": 3,
              "refused": {"cloud over … % of the AOI": 1}, "footprint_hectares": 1.0, "patches": 1,
              "patch_hectares": 3.0, "changed_hectares": 6.0, "undone_hectares": 3.0,
              "unseen_hectares": 3.0}  # fmt: skip
    assert {name: found.figures[name] for name in wanted} == wanted
    assert found.figures["alerts"] == {"raised": 0, "provisional": 0, "confirmed": 0, "expired": 0}
    assert found.patches["all guards"][0].agrees == (False,) and found.expire_days == 180


def test_a_mine_that_was_never_seen_has_no_years(database, mine):
    found = seen_of(database, mine)
    assert found.figures["years"] == 0 and found.figures["first"] is None and found.patches["all guards"] == []


def test_refusals_are_counted_by_their_first_reason():
    reasons = [["cloud over 72 % of the AOI (at most 60 %)", "band B03 is missing (no values)"],
               ["cloud over 64.5 % of the AOI (at most 60 %)"], ["band B03 is missing (no values)"]]  # fmt: skip
    assert refusals(reasons) == {"cloud over … % of the AOI": 2, "band B03 is missing": 1}


def test_with_all_guards_change_is_what_was_stored_and_without_validity_more(database, home, mine, monkeypatch):
    monkeypatch.setattr("deploy.backtest.ablation.model_for", lambda _: MODEL)
    watched(database, home, mine, (1, 10, 0), (5, 20, mine.grid.width - 25))
    found = compared(dates_of(database, "pit"))
    stored = sql.run(database, "backtest_changes", mine="pit", model=MODEL.name)
    (_, again) = codes(dates_of(database, "pit").seen, {})
    assert (again > 0).sum() * 0.01 == pytest.approx(count_hectares(database))
    ground = [shapely.union_all([shapely.from_wkb(bytes(row["geom"])) for row in rows]) for rows in
              (stored, found["all guards"], found["without validity"])]  # fmt: skip
    assert ground[0].area > 0 and ground[1].symmetric_difference(ground[0]).area < 1e-12
    assert ground[2].area > 1.2 * ground[1].area and ground[2].buffer(1e-6).contains(ground[1])


def test_an_error_is_drawn_from_what_was_stored(database, home, mine):
    watched(database, home, mine, (1, 10, 0), (5, 20, 0))
    png = draw(database, Mistake("pit", "natural_change", "no new mining", 3.0, "false alarm", 1.0)).png
    picture = Image.open(io.BytesIO(png))
    assert min(picture.size) > 800  # two columns of two panels
    assert (255, 230, 0) in {colour for _, colour in picture.convert("RGB").getcolors(100_000)}
