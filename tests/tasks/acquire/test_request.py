"""What a request costs, and what becomes of its answer."""

from datetime import datetime

import numpy as np
import pytest

from tasks.acquire.request import charged, interval, unpack
from tasks.rasters.cog import encode_cog
from tasks.rasters.grid import Grid
from tests.tasks import nouns


@pytest.mark.parametrize(
    ("headers", "units"),
    [({"x-processingunits-spent": "0.5"}, 0.5), ({"X-ProcessingUnits-Spent": 0}, 0), ({}, 0.25),
     *(({"X-ProcessingUnits-Spent": said}, 0.25) for said in ("", "much", "nan", "inf", "-1", None))],
)  # fmt: skip
def test_what_is_not_said_counts_as_estimated(headers, units):
    assert charged(headers, 0.25) == units


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_was_not_observed(wrong):
    """Radar is sent as float32: one NaN made every figure of its acquisition none, and stopped its mine for good."""
    sent = np.full((3, 4, 5), 0.1, np.float32)
    sent[2] = 1
    expected = sent.copy()
    sent[0, 1, 2] = wrong
    expected[:, 1, 2] = 0
    content = encode_cog(sent, Grid(32644, 0, 0, 5, 4), descriptions=("VV", "VH", "dataMask"), nodata=None)
    np.testing.assert_array_equal(unpack(content, bands=3, size=(5, 4), dtype="float32"), expected)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("06:12:31", datetime(2023, 1, 8, 23, 59, 59)), ("23:40:00", datetime(2023, 1, 8, 23, 59, 59)),
     ("23:59:57", datetime(2023, 1, 9, 0, 9, 59))],
)  # fmt: skip
def test_a_day_is_asked_for_with_what_a_pass_shows_beyond_midnight(begins, ends):
    when = datetime.fromisoformat(f"2023-01-08T{begins}+00:00")
    assert interval(nouns.acquisition(sensing_date=when.date(), sensing_time=when)) == (datetime(2023, 1, 8), ends)
