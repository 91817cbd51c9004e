from hypothesis import given
from hypothesis import strategies as st

from deploy.backtest.score import auc
from deploy.backtest.worst import of_cases, of_outcomes, worst_first
from tests.deploy.backtest.test_score import outcome
from tests.deploy.backtest.test_truth import blank, case


def test_a_false_alarm_beyond_all_mining_is_the_worst_and_what_was_right_is_no_error():
    outcomes = [
        outcome(1, 5.0, True, place="found"), outcome(1, 0.3, place="small"), outcome(1, 0.0, place="missed"),
        outcome(0, 9.0, True, place="river"), outcome(0, 0.0, place="quiet"), outcome(0, None, place="cloudy"),
    ]  # fmt: skip
    found = of_outcomes(outcomes)
    assert [(one.place, one.wrong) for one in found] == [("river", 1.0), ("missed", 0.75), ("small", 0.5)]
    assert found[0].why == "false alarm: 9.00 ha of new mine ground"
    assert "no new mine ground" in found[1].why and "0.30 ha" in found[2].why


def test_labels_that_are_in_doubt_come_after_their_equals():
    outcomes = [outcome(1, 0.0, place="a", mined_before=True), outcome(1, 0.0, place="b"), outcome(0, 0.0)]
    assert [one.place for one in of_outcomes(outcomes)] == ["b", "a"]
    assert "another map" in of_outcomes(outcomes)[1].label


hectares = st.lists(st.floats(0, 30), min_size=1, max_size=12)


@given(hectares, hectares)
def test_together_the_errors_are_what_the_auc_lacks(mined, other):
    """With every mined place missed and every other one alerted, all are errors."""
    mined, other = ([outcome(label, ha, not label) for ha in of] for label, of in ((1, mined), (0, other)))
    lacking = 1 - auc(mined, other)
    for label, of in (("new mining", mined), ("no new mining", other)):
        parts = [one.wrong for one in of_outcomes([*mined, *other]) if one.label == label]
        assert abs(sum(parts) / len(of) - lacking) < 1e-3


def test_cases_are_as_wrong_as_the_hectares_that_were_missed_and_made_up():
    truth, patch = blank(), blank()
    truth[0:4, 0:5] = 2  # background became waste dump
    patch[0:4, 0:4] = 1
    patch[6:8, 0:2] = 2
    right, nothing = (case(truth, truth > 0, 2), case(blank(), blank()))
    (worst,) = of_cases("growth", [("a", right), ("b", case(truth, patch, 2, 2)), ("c", nothing)])
    assert (worst.place, round(worst.wrong, 2), worst.hectares) == ("b", 0.08, 0.2)
    assert worst.label == "background to waste dump 0.20 ha"
    assert worst.why == "0.04 of 0.20 ha missed, 0.04 ha of false change"
    (false,) = of_cases("none", [("d", case(blank(), patch, 2, 2))])
    assert false.label == "nothing changed" and worst_first([worst, false])[0] is false
