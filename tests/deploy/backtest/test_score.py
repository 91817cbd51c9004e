import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backtest.score import Outcome, auc, score


def outcome(label: int, hectares: float | None, alerted: bool = False, **words: object) -> Outcome:
    category = "mining_emergence" if label else "natural_change"
    return Outcome(**{"place": "p", "label": label, "category": category, "mined_before": False, "hectares": hectares,
                      "alerted": alerted, **words})  # type: ignore[arg-type]  # fmt: skip


def test_figures_of_a_small_confusion_table() -> None:
    outcomes = [outcome(1, 5.0, True), outcome(1, 3.0, True, mined_before=True), outcome(1, 0.0), outcome(0, 4.0, True),
                outcome(0, 0.0), outcome(0, None, why="cloud")]  # fmt: skip
    found = score(outcomes)
    assert (found["places"], found["judged"], found["not_judged"]) == (6, 5, {"cloud": 1})
    every = found["with_mined_before"]
    assert (every["precision"], every["recall"], every["specificity"]) == (0.6667, 0.6667, 0.5)
    assert every["auc"] == pytest.approx((2 + 1 + 0.5) / 6, abs=1e-4)
    assert every["categories"]["natural_change"]["auc"] == every["auc"]
    assert found["without_mined_before"]["recall"] == 0.5
    for figure, (low, high) in every["interval"].items():
        assert 0 <= low <= every[figure] <= high <= 1
    json.dumps(found)


def test_without_places_there_are_no_figures() -> None:
    assert score([])["with_mined_before"] == {
        "places": 0, "auc": None, "precision": None, "recall": None, "specificity": None, "categories": {},
        "interval": {"auc": None, "precision": None, "recall": None, "specificity": None},
    }  # fmt: skip


hectares = st.lists(st.floats(0, 30), min_size=1, max_size=20)


@given(hectares, hectares)
def test_auc_is_the_share_of_pairs_in_the_right_order(mined: list[float], other: list[float]) -> None:
    right = sum((a > b) + 0.5 * (a == b) for a in mined for b in other) / (len(mined) * len(other))
    assert auc([outcome(1, x) for x in mined], [outcome(0, x) for x in other]) == pytest.approx(right, abs=1e-4)
