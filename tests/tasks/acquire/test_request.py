"""What a request costs, and what becomes of its answer."""

import numpy as np
import pytest

from tasks.acquire.request import charged, unpack
from tasks.rasters.cog import encode_cog
from tasks.rasters.grid import Grid


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
