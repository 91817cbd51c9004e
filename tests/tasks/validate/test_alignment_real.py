"""Shifts on real ground: cases whose shift is known, and pairs of dates years apart. `pytest -s` prints the figures."""

import csv

import numpy as np
import pytest
import rasterio

from tasks.rasters.validity import valid_mask
from tasks.validate.alignment import measured_shift, moved

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


def red(path):
    """Return B04 and its valid pixels."""
    with rasterio.open(path) as dataset:
        bands = dict(zip(dataset.descriptions, dataset.read(), strict=True))
    return bands["B04"].astype(float), valid_mask(scl=bands.get("SCL"), data_mask=bands["B04"], margin_px=2)


def test_known_shifts_are_told(shared_data):
    folder = shared_data / "change"
    with (folder / "cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    off = {}
    for case in cases:
        true = np.array([float(case["shift_dy"]), float(case["shift_dx"])])
        pictures = [red(folder / "images" / f"{case['case']}_{date}.tif") for date in ("t0", "t1")]
        if found := measured_shift(*pictures[0], *pictures[1]):
            off[case["case"]] = np.hypot(*(found - (true if case["shifted_date"] == "t1" else -true)))
    errors = np.array(list(off.values()))
    print(f"\n{len(off)} of {len(cases)} cases told; off by {np.median(errors):.3f} pixels in the median,",
          f"at most {np.sort(errors)[-3:].round(3)}")  # fmt: skip
    assert len(off) > 0.9 * len(cases)
    assert np.quantile(errors, 0.9) < 0.1 and errors.max() < 0.25


def test_years_apart_hardly_anything_is_called_shifted_that_is_not(shared_data):
    folder, generator = shared_data / "pairs" / "images", np.random.default_rng(0)
    sizes, errors, names = [], [], sorted(path.name[:-7] for path in folder.glob("*_t0.tif"))
    for name in names:
        before, after = (red(folder / f"{name}_{date}.tif") for date in ("t0", "t1"))
        if found := measured_shift(*before, *after):
            sizes.append(np.hypot(*found))
            by = generator.uniform(-1.5, 1.5, 2)
            if again := measured_shift(*before, *moved(*after, by)):
                errors.append(np.hypot(*(np.array(again) - found - by)))
    counts = {least: int((np.array(sizes) > least).sum()) for least in (0.5, 1, 1.5, 3)}
    print(f"\n{len(sizes)} of {len(names)} pairs told, so many above: {counts}; a shift that was added is told to",
          f"{np.median(errors):.3f} pixels in the median, at most {max(errors):.3f}")  # fmt: skip
    assert len(sizes) > 100 and counts[1.5] < 0.01 * len(names)
    assert np.quantile(errors, 0.9) < 0.1
