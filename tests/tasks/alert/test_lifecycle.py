"""The states of an alert as a truth table; then people who decide, on a real database."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.alert.alert import alert
from tasks.alert.lifecycle import DECISIONS, STANDING, agreement, decide, known_as_mine, next_state
from tasks.errors import WrongUse
from tests.tasks.alert.test_alert import PATCH, alerts, mine, observe

__all__ = ["mine"]


@pytest.mark.parametrize(
    ("observations", "age", "state"),
    [
        ("", 0, "provisional"), ("1", 5, "provisional"), ("0", 5, "provisional"),
        ("11", 5, "confirmed"), ("10", 5, "provisional"), ("01", 5, "provisional"), ("00", 5, "expired"),
        ("101", 5, "confirmed"), ("011", 5, "confirmed"), ("100", 5, "expired"), ("010", 5, "expired"),
        ("1001", 5, "expired"), ("0011", 5, "expired"),
        ("", 180, "provisional"), ("", 181, "expired"), ("1", 181, "expired"), ("11", 181, "confirmed"),
    ],
)  # fmt: skip
def test_the_truth_table_of_two_of_three(observations, age, state):
    seen = [int(each) for each in observations]
    assert next_state(state="provisional", observations=seen, n=2, m=3, age_days=age, expire_days=180) == state


@given(st.lists(st.booleans(), max_size=9), st.integers(1, 5), st.integers(0, 4), st.integers(0, 400))
def test_a_decided_alert_stays_decided(seen, n, more, age):
    given_ = {"n": n, "m": n + more, "age_days": age, "expire_days": 180}
    states = [
        next_state(state="provisional", observations=seen[:i], **{**given_, "age_days": 0})
        for i in range(len(seen) + 1)
    ]
    decided = [state for state in states if state != "provisional"]
    assert len(set(decided)) <= 1 and states == ["provisional"] * (len(states) - len(decided)) + decided
    assert next_state(state="provisional", observations=seen, **{**given_, "age_days": 181}) != "provisional"
    for state in ("confirmed", "acknowledged", "resolved", "expired"):
        assert next_state(state=state, observations=seen, **given_) == state


@pytest.mark.parametrize(
    ("looks", "known"),
    [("", False), ("1", False), ("0", False), ("01", False), ("11", True), ("011", True), ("001", False),
     ("0011", False), ("0001111", False), ("101", True)],
)  # fmt: skip
def test_ground_that_was_mine_in_two_of_three_earlier_looks_is_known(looks, known):
    assert known_as_mine([look == "1" for look in looks]) == known


def test_agreement_needs_half_of_the_pixels_valid_and_half_of_those_of_the_rule():
    mask = np.array([[True] * 4 + [False]])

    def seen(*classes, was=(2,)):
        classes = np.array([[*classes, 1]], np.uint8)
        return agreement(classes=classes, mask=mask, from_classes=was, to_classes=[1, 6])

    assert seen(255, 255, 255, 1) is None and seen(255, 255, 255, 255) is None
    assert seen(255, 255, 0, 1) is True and seen(255, 255, 0, 0) is False
    assert seen(1, 6, 0, 0) is True and seen(1, 0, 0, 0) is False
    assert seen(2, 2, 2, 2) is False and seen(2, 3, 0, 0, was=(0, 10)) is True and seen(10, 0, 0, 1, was=(0,)) is False
    nowhere = ~np.ones((1, 5), bool)
    assert agreement(classes=np.ones((1, 5), np.uint8), mask=nowhere, from_classes=[], to_classes=[1]) is None


@pytest.mark.parametrize(
    ("state", "decision", "follows"),
    [
        ("provisional", "acknowledge", None), ("provisional", "resolve", "resolved"),
        ("confirmed", "acknowledge", "acknowledged"), ("confirmed", "resolve", "resolved"),
        ("acknowledged", "acknowledge", None), ("acknowledged", "resolve", "resolved"),
        ("resolved", "acknowledge", None), ("resolved", "resolve", None),
        ("expired", "acknowledge", None), ("expired", "resolve", None),
    ],
)  # fmt: skip
def test_the_truth_table_of_decisions(database, home, mine, state, decision, follows):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    database.execute("update alert set state = %s", (state,))
    (row,) = alerts(database)
    if follows is None:
        with pytest.raises(WrongUse, match=f"alert {row['alert_id']} is {state}: only one that is"):
            decide(database, row["alert_id"], decision, who="eva", why="seen on the ground")
        assert alerts(database) == [row]
        return
    decide(database, row["alert_id"], decision, who="eva", why="seen on the ground")
    assert alerts(database)[0]["state"] == follows == DECISIONS[decision][state] and state in STANDING
    event = database.execute("select * from alert_event order by alert_event_id desc limit 1").fetchone()
    assert (event["from_state"], event["to_state"], event["actor"], event["why"], event["epoch_id"]) == (
        state, follows, "eva", "seen on the ground", None)  # fmt: skip


def test_decisions_have_an_alert_and_a_reason(database):
    with pytest.raises(WrongUse, match="there is no alert 7"):
        decide(database, 7, "resolve", who="eva", why="gone")
    with pytest.raises(WrongUse, match="say why"):
        decide(database, 7, "resolve", who="eva", why=" ")
