"""The worked examples of the public documentation (Overview/ProcessingUnit.qmd), and the floors of the rule."""

from typing import Any

import pytest

from deploy.archive.charging import processing_units
from deploy.archive.evalscript import Evalscript
from deploy.archive.process_request import parsed


def cost(*, side: int, bands: str, output: str, samples: int = 1, processing: dict[str, Any] | None = None) -> float:
    setup = f"{{input: {bands}, output: {{bands: 1, sampleType: '{output}'}}}}"
    script = f"//VERSION=3\nfunction setup() {{ return {setup} }}"
    span = {"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    source = {"type": "sentinel-1-grd", "dataFilter": {"timeRange": span}, "processing": processing or {}}
    asked = parsed({
        "input": {"bounds": {"bbox": [13, 45, 14, 46]}, "data": [source]},
        "output": {"width": side, "height": side},
        "evalscript": script,
    })  # fmt: skip
    return processing_units(asked, Evalscript(script), samples)


def test_sentinel_1_change_detection() -> None:
    bands = "['VV', 'VH', 'HH', 'HV']"
    found = cost(side=1024, bands=bands, output="FLOAT32", samples=2, processing={"orthorectify": True})
    assert found == pytest.approx(42.667, abs=1e-3)


def test_ndvi_of_a_parcel() -> None:
    assert cost(side=20, bands="['VV', 'VH']", output="UINT16") == pytest.approx(0.0067, abs=1e-4)


def test_the_floors_and_factors() -> None:
    assert cost(side=1, bands="['dataMask']", output="UINT8") == 0.005
    one = cost(side=512, bands="['VV', 'VH', 'HH', 'dataMask']", output="UINT16")
    assert one == 1
    terrain = {"backCoeff": "GAMMA0_TERRAIN", "orthorectify": True, "speckleFilter": {"type": "LEE"}}
    assert cost(side=512, bands="['VV', 'VH', 'HH']", output="UINT16", processing=terrain) == 5
