"""What is measured of an acquisition: coverage, clouds, values of its bands, what only shows beside its history. Pure.

`validate` holds these figures against the suite of the sensor set.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tasks.rasters import cloud_mask, hidden_by
from tasks.records import Shift
from tasks.suites import Figures
from tasks.validate.mixed_up import Earlier, swapped, twins
from tasks.validate.radiometry import gain, offset_left, stripes

RADAR = ("VV", "VH")
LEAST_PRESENT = 0.05
"""Least share of valid pixels with a value; a band with less is not there, and nothing else is measured of it."""

WITNESSES = 2
"""Dates that must agree on what a band looked like: between two dates alone, a whole mine may have come to be."""


def figures(
    *,
    bands: np.ndarray,
    names: Sequence[str],
    valid: np.ndarray,
    scl: np.ndarray | None,
    data_mask: np.ndarray,
    aoi: np.ndarray,
    tags: Mapping[str, str],
    history: Sequence[Earlier],
    shift: Shift | None,
) -> Figures:
    """Measure an acquisition; shares are 0-1, None stands for what cannot be measured.

    `bands` float32 (B, H, W) reflectance or linear gamma0 in the order of `names`, `valid`, `data_mask` and `aoi`
    (H, W); `tags` of the raster (`harmonised`); `history` bands in the same order and valid pixels of other
    acquisitions on its grid, the one before first; `shift` (rows, columns) in pixels off the mine's other acquisitions.
    """
    optical = not set(names) & set(RADAR)
    seen = bands[:, valid & aoi]
    came = bands[:, (data_mask > 0) & aoi]  # a band that is missing leaves nothing valid
    present = dict(zip(names, (came != 0).mean(axis=1).tolist() if came.size else [None] * len(names), strict=True))
    there = [index for index, name in enumerate(names) if seen.size and (present[name] or 0) >= LEAST_PRESENT]
    values = seen[there]
    dark, high = np.percentile(values, [1, 99], axis=1) if values.size else (np.array([]), np.array([]))
    bright = dict(zip(there, high.tolist(), strict=True))
    return {
        "aoi_coverage": float((data_mask[aoi] > 0).mean()),
        "valid_share": float(valid[aoi].mean()),
        "hidden": hidden_by(scl=scl, data_mask=data_mask, valid=valid, aoi=aoi),
        "cloud_share": 0.0 if scl is None else float(cloud_mask(scl)[aoi].mean()),
        **{f"present_{name}": share for name, share in present.items()},
        "low": float(dark.min()) if values.size else None,
        **{f"high_{name}": bright.get(index) for index, name in enumerate(names)},
        **_twins(values, [names[index] for index in there]),
        "saturated_share": float((values >= 1).any(axis=0).mean()) if values.size and optical else None,
        "harmonised": float(tags.get("harmonised", "").lower() == "true") if optical else None,
        **(_against_history(bands, names, there, valid & aoi, history, aoi) if optical else {}),
        "shift_px": None if shift is None else float(np.hypot(*shift)),
        "shift_rows": None if shift is None else shift[0],
        "shift_columns": None if shift is None else shift[1],
    }


def _against_history(
    bands: np.ndarray,
    names: Sequence[str],
    there: Sequence[int],
    seen: np.ndarray,
    history: Sequence[Earlier],
    aoi: np.ndarray,
) -> Figures:
    """Measure what only shows beside other acquisitions: an offset, a gain and stripes of the bands `there`."""
    earlier = [(band, valid & aoi) for band, valid in history if (valid & aoi).any()]
    witnesses = earlier if len(earlier) >= WITNESSES else []
    measured: Figures = {"offset_left": _offset_left(bands, there, seen, *earlier[0]) if there and earlier else None}
    lines = 0
    for index in there:
        before = [(band(index), valid) for band, valid in witnesses]
        measured[f"gain_{names[index]}"] = gain((bands[index], seen), before)
        lines += stripes((bands[index], seen), before)
    crossed = swapped(bands, seen, there, witnesses)
    return measured | {
        "stripes": float(lines) if there else None,
        "swapped": crossed and crossed[0],
        "swapped_bands": crossed and " and ".join(names[index] for index in crossed[1]),
    }


def _twins(values: np.ndarray, names: Sequence[str]) -> Figures:
    found = twins(values)
    return {"twin_share": found and found[0], "twin_bands": found and " and ".join(names[at] for at in found[1])}


def _offset_left(
    bands: np.ndarray, there: Sequence[int], seen: np.ndarray, before: Callable[[int], np.ndarray], valid: np.ndarray
) -> float | None:
    """Say (1, 0) whether an offset was left in, by the ground that was seen both times; None: there is none.

    On other ground the darkest pixels rise by any amount, as where a lake is under cloud now.
    """
    both = seen & valid
    if not both.any():
        return None
    dark, dark_before = (
        np.array([np.percentile(band(at)[both], 1) for at in there]) for band in (bands.__getitem__, before)
    )
    return float(offset_left(dark, dark_before))
