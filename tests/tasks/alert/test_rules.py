"""Rules on a real database: added, of some mines only, and rehearsed on what happened."""

import pytest
import shapely

import sql
from tasks.alert import rules
from tasks.alert.alert import alert
from tasks.alert.lifecycle import MINED, NOT_MINED
from tasks.errors import WrongUse
from tasks.mines import registry
from tests.tasks.alert.test_alert import PATCH, alerts, mine, observe

__all__ = ["mine"]


MINE = {"from_classes": NOT_MINED, "to_classes": MINED}


def rule(**words):
    return rules.rule_of(**{"name": "big", "description": "A big hole", "threshold": 3.0, **MINE, **words})


def test_a_rule_raises_alerts_of_its_mines_only(database, home, mine):
    other = registry.add(database, slug="other", name="Other", aoi=shapely.affinity.translate(mine.aoi, 1))
    rules.add(database, rule(mine="other", confirm_n=1, confirm_m=1))
    rules.add(database, rule(name="of-a-country", country="BR"))
    whole = rules.add(database, rule(name="of-all"))
    assert rules.mines_of(database, whole) == 2
    held = [row["name"] for row in sql.run(database, "rule_enabled", mine_id=mine.mine_id)]
    assert "of-all" in held and "big" not in held and "of-a-country" not in held
    assert "big" in [row["name"] for row in sql.run(database, "rule_enabled", mine_id=other.mine_id)]
    (event, *_) = [one for one in alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
                   if one["rule"] == "of-all"]  # fmt: skip
    assert event["hectares"] == pytest.approx(4.0, abs=0.01)
    (listed,) = rules.listed(database, "big")
    assert (listed["mine"], listed["from_names"], len(listed["to_names"])) == ("other", ["background", "reclaimed"], 9)


def test_a_rehearsal_says_what_would_have_been_raised_and_writes_nothing(database, home, mine):
    for day, dug in ((0, PATCH), (10, PATCH), (20, PATCH)):
        alert(database, observe(database, mine, home, day, dug=dug, changes=[(0, 1, PATCH)] if not day else ()), mine)
    before = (alerts(database), rules.listed(database))
    (known,) = rules.listed(database, "new-digging")
    events = rules.rehearse(database, rules.of_row(known))
    assert [(one["to_state"], one["on"].day) for one in events] == [("provisional", 1), ("confirmed", 21)]
    assert rules.rehearse(database, rules.of_row(known, threshold=5.0)) == []
    assert rules.rehearse(database, rules.of_row({**known, "name": "Made_in SQL"})) != []
    once = rules.rehearse(database, rules.of_row(known, confirm_n=1, confirm_m=1))
    assert [one["on"].day for one in once] == [1, 11]
    assert (alerts(database), rules.listed(database)) == before


def test_a_rule_of_the_calendar_is_held_against_the_gaps(database, home, mine):
    for day in (0, 5, 10, 50, 55):
        observe(database, mine, home, day)
    unseen, silent = (rules.of_row(rules.listed(database, name)[0]) for name in ("not-seen", "fleet-silent"))
    (gap,) = rules.rehearse(database, unseen)
    assert (gap["slug"], gap["measured"], gap["on"].date().isoformat()) == ("pit", 40, "2023-02-10")
    assert gap["why"] == "it was seen on 2023-01-11, and then on 2023-02-20" and gap["severity"] == 1
    (gap,) = rules.rehearse(database, silent)
    assert (gap["slug"], gap["measured"], gap["severity"]) == (None, 35, 3) and gap["on"].day == 18
    assert alerts(database) == []


def test_a_raster_that_is_lost_does_not_end_a_rehearsal(database, home, mine, caplog):
    for day in (0, 10, 20):
        alert(database, observe(database, mine, home, day, changes=[(0, 1, PATCH)] if not day else ()), mine)
    (home / "10-classes.tif").unlink()
    (known,) = rules.listed(database, "new-digging")
    events = rules.rehearse(database, rules.of_row(known, confirm_n=1, confirm_m=1))
    assert [one["on"].day for one in events] == [1, 21] and "2023-01-11 is left out" in caplog.text


def test_a_rule_that_is_off_raises_nothing_new(database, home, mine):
    for row in rules.listed(database):
        rules.enable(database, row["name"], enabled=False)
    assert alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"name": "Not this"}, "name"),
        ({"threshold": 0}, "threshold"),
        ({"place": "nowhere"}, "there is no place 'nowhere'"),
        ({"confirm_n": 4}, "4 of 3 observations cannot agree"),
        ({"threshold": float("inf")}, "threshold"),
        ({"from_classes": (1,), "to_classes": (1,)}, "never fires"),
        ({"measure": "depth"}, "there is no measure 'depth'"),
        ({"to_classes": ()}, "name the labels"),
        ({"from_classes": ()}, "only a transition has labels"),
        ({"measure": "patch"}, "only a transition has labels"),
        ({"measure": "growth", "from_classes": ()}, "say over how many days growth is measured"),
        ({"window_days": 90}, "only growth is measured over a window"),
        ({"measure": "growth", "from_classes": (), "window_days": 90, "place": "inside_zone"}, "leave the place out"),
        ({"measure": "unseen", "from_classes": ()}, "looks at no labels"),
        ({"severity_steps": (5, 2)}, "rising multiples"),
    ],
)
def test_what_makes_no_rule_is_said(words, said):
    with pytest.raises(WrongUse, match=said):
        rule(**words)


def test_unknown_names_are_said(database):
    with pytest.raises(WrongUse, match="no label 'hole'"):
        rules.classes("excavation, hole")
    with pytest.raises(WrongUse, match="no rule 'none'"):
        rules.listed(database, "none")
    with pytest.raises(WrongUse, match="no rule 'none'"):
        rules.enable(database, "none", enabled=True)
    rules.add(database, rule())
    with pytest.raises(WrongUse, match="already"):
        rules.add(database, rule())
