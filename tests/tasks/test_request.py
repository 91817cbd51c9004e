"""What a request costs."""

import pytest

from tasks.request import charged


@pytest.mark.parametrize(
    ("headers", "units"),
    [({"x-processingunits-spent": "0.5"}, 0.5), ({"X-ProcessingUnits-Spent": 0}, 0), ({}, 0.25),
     *(({"X-ProcessingUnits-Spent": said}, 0.25) for said in ("", "much", "nan", "inf", "-1", None))],
)  # fmt: skip
def test_what_is_not_said_counts_as_estimated(headers, units):
    assert charged(headers, 0.25) == units
