"""Measures as pure functions: ground that fulfils a rule, growth, severity."""

from datetime import UTC, datetime, timedelta

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tasks.alert.measures import amount, growth, matching, reached, severity
from tasks.rasters.grid import to_utm
from tests.tasks.alert.test_alert import GRID, ground

RULE = {"measure": "patch", "place": "anywhere", "threshold": 2.0, "severity_steps": [2.0, 5.0]}


def matches(*patches, licence=None, zones=None, **rule):
    return matching(patches=patches, rule={**RULE, **rule}, licence=licence, zones=zones, epsg=GRID.epsg)


def test_a_rule_fires_from_its_threshold():
    (match,) = matches(ground(0, 0, 20, 10))
    assert match.hectares == pytest.approx(2.0) == match.measured and match.geometry.geom_type == "MultiPolygon"
    (smaller,) = matches(ground(0, 0, 19, 10))
    assert reached(match.measured, RULE) and not reached(smaller.measured, RULE) and matches() == []


def test_what_lies_within_30_m_belongs_together():
    near, far = (ground(0, 0, 10, 10), ground(12, 0, 10, 10)), (ground(0, 0, 10, 10), ground(14, 0, 10, 10))
    assert [match.hectares for match in matches(*near)] == [pytest.approx(2.0)]
    assert [match.hectares for match in matches(*far)] == [pytest.approx(1.0)] * 2
    two = matches(ground(0, 0, 20, 10), ground(0, 40, 30, 10))
    assert [match.hectares for match in two] == [pytest.approx(3.0), pytest.approx(2.0)]


def test_hectares_are_of_all_ground_together():
    (match,) = matches(ground(0, 0, 10, 10), ground(60, 0, 10, 10), measure="hectares")
    assert match.hectares == pytest.approx(2.0) and len(match.geometry.geoms) == 2


def test_a_place_cuts_the_ground():
    patch, half = ground(0, 0, 40, 10), ground(0, 0, 25, 50)
    assert [match.hectares for match in matches(patch, zones=half, place="inside_zone")] == [pytest.approx(2.5)]
    outside = matches(patch, licence=half, place="outside_licence", threshold=0.5)
    assert [match.hectares for match in outside] == [pytest.approx(1.5)]
    assert matches(patch, place="inside_zone") == matches(patch, place="outside_licence") == []


BLOCKS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 30), st.integers(1, 30))


@given(st.lists(BLOCKS, max_size=6), BLOCKS)
def test_matches_are_apart_and_never_more_than_the_ground(blocks, licensed):
    patches, licence = [ground(*block) for block in blocks], ground(*licensed)
    anywhere = matches(*patches, threshold=0.01)
    outside = matches(*patches, licence=licence, place="outside_licence", threshold=0.01)
    outlines = [to_utm(match.geometry, GRID.epsg) for match in anywhere]
    whole = shapely.union_all([to_utm(shape, GRID.epsg) for shape in patches], grid_size=0.01).area / 1e4
    assert sum(match.hectares for match in anywhere) == pytest.approx(whole, abs=0.01)
    assert sum(match.hectares for match in outside) <= whole + 0.01
    assert all(a.distance(b) > 29 for i, a in enumerate(outlines) for b in outlines[:i])
    assert all(match.geometry.is_valid for match in anywhere)


@pytest.mark.parametrize(
    ("measured", "steps", "level"),
    [(2.0, [2, 5], 1), (3.9, [2, 5], 1), (4.0, [2, 5], 2), (9.9, [2, 5], 2), (10.0, [2, 5], 3), (500, [2, 5], 3),
     (500, [], 1), (6.0, [1.5, 2, 3], 4)],
)  # fmt: skip
def test_severity_is_in_multiples_of_the_threshold(measured, steps, level):
    assert severity(measured, {"threshold": 2.0, "severity_steps": steps}) == level


DAYS = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in (0, 10, 30, 40, 50)]


def test_growth_is_not_bent_by_one_bad_epoch():
    assert growth(DAYS, [100, 101, 103, 104, 105]) == pytest.approx((5.0, 100 * 5 / 101))
    assert growth(DAYS, [100, 101, 160, 104, 105]) == pytest.approx((5.0, 5.0), abs=0.6)
    assert growth(DAYS, [50, 50, 50, 50, 50]) == pytest.approx((0.0, 0.0))


def test_per_cent_are_of_what_was_there_at_first():
    assert growth(DAYS, [10, 10, 10, 50, 70])[1] < 700
    assert growth(DAYS, [0, 0, 0, 4, 5])[1] <= 600


def test_growth_of_few_epochs_is_not_known():
    assert growth(DAYS[:3], [1, 2, 3]) is None and growth([], []) is None
    assert growth([DAYS[0]] * 5, [1, 2, 3, 4, 5]) is None


@pytest.mark.parametrize(
    ("measure", "words"), [("transition", "4.00 ha"), ("growth_percent", "4 %"), ("silent", "4 days")]
)
def test_amounts_have_units(measure, words):
    assert amount(4.0, {"measure": measure}) == words
