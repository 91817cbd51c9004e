from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backtest.persistence import Patch, confirmation, flicker, lasting, patches, state_of

START = datetime(2023, 1, 1, tzinfo=UTC)


def times(count):
    return [START + timedelta(days=10 * k) for k in range(count)]


def patch(*agrees, left=None, hectares=1.0):
    ages = tuple(10.0 * (k + 1) for k in range(len(agrees)))
    return Patch(hectares, ages, tuple(map(bool, agrees)), left or (ages[-1] if ages else 0.0))


def series(*codes):
    """Class rasters of 4 × 4 pixels whose left half is of the given class, 255 unknown; the rest is background."""
    looks = np.zeros((len(codes), 4, 4), np.uint8)
    looks[:, :, :2] = np.array(codes, np.uint8)[:, None, None]
    return list(looks)


def left_half(where):
    return [look > 0 if k == where else np.zeros((4, 4), bool) for k, look in enumerate(series(*[1] * 5))]


def test_a_patch_knows_what_later_valid_looks_say_of_it():
    looks = series(0, 1, 255, 9, 0)
    (found,) = patches(looks=looks, times=times(5), newly=left_half(1))
    assert found == Patch(0.08, (20.0, 30.0), (True, False), 30.0)
    apart = np.array([[1, 0, 1, 0]] * 4, bool)
    assert len(patches(looks=looks, times=times(5), newly=[apart, *[np.zeros((4, 4), bool)] * 4])) == 2


@pytest.mark.parametrize(
    ("agrees", "n", "m", "state"),
    [((), 0, 0, ("confirmed", 0.0)), ((1,), 1, 1, ("confirmed", 10.0)), ((0, 1), 1, 1, ("expired", None)),
     ((1, 0, 1), 2, 3, ("confirmed", 30.0)), ((1, 0), 2, 3, ("provisional", None)), ((0, 0), 2, 3, ("expired", None))],
)  # fmt: skip
def test_a_patch_fares_as_an_alert_on_it_would(agrees, n, m, state):
    assert state_of(patch(*agrees), n=n, m=m, expire_days=180) == state


def test_what_comes_too_late_is_no_evidence():
    assert state_of(patch(1, 1), n=2, m=3, expire_days=15) == ("expired", None)


def test_what_lasts_is_judged_by_the_looks_after_the_fifth():
    assert lasting(patch(1, 1, 1, 1, 1)) is None
    assert lasting(patch(0, 0, 0, 0, 0, 1, 0)) is True
    assert lasting(patch(1, 1, 1, 1, 1, 0, 0, 1)) is False


agreeing = st.lists(st.booleans(), max_size=9).map(lambda agrees: patch(*agrees))


@given(st.lists(agreeing, max_size=8))
def test_stricter_ways_let_no_more_pass(found):
    passed = [
        confirmation(found, n=n, m=m, expire_days=180, years=2.0)["passed"] for n, m in ((0, 0), (1, 3), (2, 3), (3, 3))
    ]
    assert passed[0] == len(found) and passed == sorted(passed, reverse=True)


def test_confirmation_counts_what_became_of_what_it_let_pass():
    found = [patch(*[1] * 7), patch(1, 1, 0, 0, 0, 0, 0), patch(1, 1), patch(0, 0, 0)]
    row = confirmation(found, n=2, m=3, expire_days=180, years=2.0)
    assert (row["passed"], row["lasted"], row["lost"], row["unknown"]) == (3, 1, 1, 1)
    assert (row["per_year"], row["days"]) == (1.5, 20.0)


def test_flicker_is_undone_at_the_next_look_that_saw_it():
    looks = series(0, 1, 255, 0, 1)
    assert flicker(looks=looks, flipped=left_half(1)) == {
        "changed_hectares": 0.08, "undone_hectares": 0.08, "unseen_hectares": 0.0,
    }  # fmt: skip
    assert flicker(looks=series(0, 1, 9, 0, 0), flipped=left_half(1))["undone_hectares"] == 0.0
    assert flicker(looks=series(0, 1, 255, 255, 255), flipped=left_half(1))["unseen_hectares"] == 0.08
