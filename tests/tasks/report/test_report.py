"""The figures of a mine as a report and an analyst's query show them: hidden ground is never a loss."""

import shutil

import pytest

from models import zoo
from tasks.compare.compare import compare
from tasks.report.report import columns, report
from tasks.segment.segment import model_name
from tests.tasks.brightness import MODEL
from tests.tasks.nouns import epochs
from tests.tasks.segment.test_epochs import acquire, mine, stored

__all__ = ["mine"]


def watched(database, home, mine, *days):
    """Store and compare an epoch for each (day, side of the pit, cloudy columns)."""
    for day, side, cloud in days:
        compare(database, stored(database, mine, acquire(database, mine, home, day, side, cloud)), mine)


def history(database, name="excavation"):
    rows = database.execute("select * from mine_history where class = %s order by sensing_time", (name,)).fetchall()
    assert len({row["history_id"] for row in rows}) == len(rows)
    return rows


def rounded(row, *names):
    return [None if row[name] is None else round(row[name], 2) for name in names]


def test_ground_under_cloud_is_no_loss_and_no_gain(database, home, mine):
    half = mine.grid.width - 20  # the pit's columns 20 to 29 are hidden
    watched(database, home, mine, (1, 20, 0), (5, 20, half - 2), (9, 20, 0), (13, 25, 0))
    first, hidden, whole, grown = history(database)
    assert rounded(first, "hectares", "valid_share", "difference", "compared_share") == [4.0, 1.0, None, 0.0]
    assert hidden["hectares"] < 4 and hidden["valid_share"] < 0.5
    assert rounded(hidden, "difference") == [0.0] and hidden["compared_share"] == hidden["valid_share"]
    assert rounded(whole, "hectares", "difference", "compared_share") == [4.0, 0.0, 1.0]
    assert rounded(grown, "hectares", "difference") == [6.25, 2.25]
    assert rounded(history(database, "background")[3], "difference") == [-2.25]


def test_class_changes_add_up_to_the_ground_seen_on_both_sides(database, home, mine):
    watched(database, home, mine, (1, 20, 10), (5, 25, 0))
    (row,) = database.execute(
        "select k.valid_hectares, sum(hectares_before) as was, sum(hectares_now) as now, count(*) as n"
        " from comparison k join class_change using (comparison_id) where cardinality(previous_epochs) > 0"
        " group by comparison_id"
    ).fetchall()
    assert row["was"] == pytest.approx(row["valid_hectares"]) == pytest.approx(row["now"]) and row["n"] == 11


def test_the_balance_says_what_was_gained_and_what_was_hidden(database, home, mine):
    watched(database, home, mine, (1, 10, 0), (5, 20, 0), (9, 20, 50))
    rows = database.execute(
        "select gained, lost, unknown from class_balance where class in ('excavation', 'background')"
        " order by sensing_time, class"
    ).fetchall()
    (was, dug), (hidden, covered) = rows[:2], rows[2:]
    assert (dug["gained"], dug["lost"], dug["unknown"]) == (3.0, 0, 0)
    assert (was["gained"], was["lost"], was["unknown"]) == (0, 3.0, 0)
    assert covered["gained"] == covered["lost"] == 0 and hidden["unknown"] > 0
    whole = database.execute("select unknown_hectares from comparison order by comparison_id desc limit 1").fetchone()
    everything = database.execute("select sum(unknown) as n from class_balance where sensing_time::date = '2023-01-09'")
    assert everything.fetchone()["n"] == pytest.approx(whole["unknown_hectares"], abs=0.1)


def test_a_superseded_comparison_has_no_part_in_history(database, home, mine):
    watched(database, home, mine, (1, 10, 0), (9, 20, 0), (5, 20, 0))
    last = epochs(database)[-1]
    assert rounded(history(database)[2], "difference") == [3.0]
    compare(database, last, mine)
    assert [rounded(row, "difference") for row in history(database)] == [[None], [3.0], [0.0]]


def test_a_report_sets_the_latest_against_an_epoch_that_saw_the_mine_as_a_whole(database, home, mine, monkeypatch):
    monkeypatch.setenv("MINECAM_MODEL", MODEL.name)
    watched(database, home, mine, (1, 10, 0), (3, 20, 0), (5, 20, mine.grid.width - 20), (9, 25, 0))
    found = report(database, mine)
    shown = {title: epoch and epoch["date"][-2:] for title, epoch in found.columns.items()}
    assert shown == {"first": "01", "before": "03", "now": "09"} and len(found.epochs) == 4
    (dug,) = [row for row in found.areas if row["class"] == "excavation"]
    assert rounded(dug, "first", "before", "now") == [1.0, 4.0, 6.25]


def test_columns():
    rows = [{"valid_share": share} for share in (0.5, 0.4, 0.95)]
    assert list(columns(rows).values()) == [rows[0], rows[1], rows[2]]  # none saw the whole: the one just before
    assert list(columns(rows[:1]).values()) == [rows[0], None, rows[0]]
    assert list(columns([]).values()) == [None, None, None]


def test_a_mine_without_epochs_has_a_report(database, home, mine):
    found = report(database, mine)
    assert found.epochs == found.areas == [] and set(found.columns.values()) == {None}


def test_epochs_by_other_weights_are_no_part_of_a_report_but_counted(database, home, mine, monkeypatch):
    monkeypatch.setenv("MINECAM_MODEL", MODEL.name)
    watched(database, home, mine, (1, 20, 0), (5, 25, 0))
    database.execute("update epoch set model_checksum = 'b' where epoch_id = (select min(epoch_id) from epoch)")
    found = report(database, mine)
    assert found.other_weights == 1 and [epoch["date"] for epoch in found.epochs] == ["2023-01-05"]


def test_a_model_file_is_known_by_the_name_on_its_card(tmp_path):
    file = tmp_path / "renamed.safetensors"
    shutil.copy(zoo.FOLDER / "s2-rgb-mines.safetensors", file)
    assert model_name(str(file)) == model_name("s2-rgb-mines") == "s2-rgb-mines"
