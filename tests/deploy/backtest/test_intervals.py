import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backtest.intervals import intervals, rate_interval, share_interval


def mean(values):
    return {"mean": sum(values) / len(values)}


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    """Of 400 values, half 0 and half 1: 1.96 × 0.5 / 20 to either side."""
    low, high = intervals([0, 1] * 200, mean)["mean"]
    assert (low, high) == pytest.approx((0.451, 0.549), abs=0.005)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12))
def test_an_interval_lies_within_the_values_and_is_the_same_each_time(values):
    low, high = intervals(values, mean)["mean"]
    assert min(values) - 1e-4 <= low <= high <= max(values) + 1e-4
    assert intervals(values, mean)["mean"] == [low, high]


def test_what_is_not_defined_has_no_interval_and_one_place_says_nothing_of_others():
    assert intervals([1, 2], lambda values: {"none": None, "first": values[0]}) == {"none": None, "first": [1.0, 2.0]}
    assert intervals([3], mean) == {"mean": None} and intervals([], lambda _: {"mean": None}) == {"mean": None}


def test_draws_without_a_figure_are_left_out():
    def share_of_ones(values):
        return {"share": values.count(1) / (len(values) - values.count(0)) if set(values) != {0} else None}

    assert intervals([0, 1], share_of_ones)["share"] == [1.0, 1.0]


def test_none_in_nine_may_still_be_a_third():
    assert share_interval(0, 9) == [0.0, 0.3363]  # 1 - 0.025 ** (1 / 9)
    assert share_interval(9, 9) == [0.6637, 1.0]


def test_rates_per_year_have_the_limits_of_poisson():
    assert rate_interval(0, 2.0) == [0.0, 1.84]  # -ln 0.025 / 2
    low, high = rate_interval(10, 1.0)
    assert (low, high) == (4.8, 18.39)  # Garwood's table
