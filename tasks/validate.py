"""Measures a downloaded acquisition and accepts or quarantines it, with its reasons.

Stands between `download` and `segment`; what is quarantined is never segmented.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import numpy as np
from psycopg.types.json import Jsonb

import sql
from models.sensors import sensor_set
from tasks.alignment import Shift, measured_shift
from tasks.checkpoint import Check, Figures, judge
from tasks.errors import RasterError
from tasks.rasters import Raster, read
from tasks.registry import Mine
from tasks.settings import Settings, settings
from tasks.validity import cloud_mask, valid_mask

SUITE = "acquisition"
RADAR = ("VV", "VH")
LEAST_PRESENT = 0.05
"""Least share of valid pixels with a value: harmonisation clamps dark water to 0, an absent band is 0 all over."""
OFFSET = 0.1
"""Reflectance that baseline 04.00 and later add (1000 digital numbers) and harmonisation takes away."""


def reflectance(raster: Raster, bands: Sequence[str]) -> np.ndarray:
    """Return float32 (B, H, W) of `bands`: reflectance (uint16 holds it ×10000) or linear gamma0."""
    planes = np.stack([raster.band(name) for name in bands]).astype(np.float32)
    return planes * np.float32(0.0001) if raster.array.dtype == np.uint16 else planes


def validity(raster: Raster, margin_px: int) -> np.ndarray:
    """Return the valid pixels, bool (H, W), of an acquisition raster."""
    scl = raster.band("SCL") if "SCL" in raster.descriptions else None
    return valid_mask(scl=scl, data_mask=raster.band("dataMask"), margin_px=margin_px)


def offset_left(dark: np.ndarray, dark_before: np.ndarray) -> bool:
    """Say whether every band's dark percentile (B,) rose by the same 0.1: an offset that was not taken away.

    Haze and snow brighten bands unequally; the offset is the same in all.
    """
    rise = dark - dark_before
    return bool(len(rise) and np.all(np.abs(rise - OFFSET) < 0.02) and np.ptp(rise) < 0.015)


def figures(
    *,
    bands: np.ndarray,
    names: Sequence[str],
    valid: np.ndarray,
    scl: np.ndarray | None,
    data_mask: np.ndarray,
    aoi: np.ndarray,
    tags: Mapping[str, str],
    previous: tuple[np.ndarray, np.ndarray] | None,
    shift: Shift | None,
) -> Figures:
    """Measure an acquisition; shares are 0-1, None stands for what cannot be measured.

    `bands` float32 (B, H, W) reflectance or linear gamma0 in the order of `names`, `valid`, `data_mask` and `aoi`
    (H, W); `tags` of the raster (`harmonised`); `previous` the bands and valid pixels of the acquisition before;
    `shift` (rows, columns) in pixels off the mine's other acquisitions.
    """
    optical = not set(names) & set(RADAR)
    seen = bands[:, valid & aoi]
    present = dict(zip(names, (seen != 0).mean(axis=1).tolist() if seen.size else [None] * len(names), strict=True))
    there = [index for index, name in enumerate(names) if (present[name] or 0) >= LEAST_PRESENT]
    values = seen[there]
    dark = np.percentile(values, 1, axis=1) if values.size else np.array([])
    measured: Figures = {
        "aoi_coverage": float((data_mask[aoi] > 0).mean()),
        "valid_share": float(valid[aoi].mean()),
        "cloud_share": 0.0 if scl is None else float(cloud_mask(scl)[aoi].mean()),
        **{f"present_{name}": share for name, share in present.items()},
        "low": float(dark.min()) if values.size else None,
        "high": float(np.percentile(values, 99)) if values.size else None,
        "saturated_share": float((values >= 1).any(axis=0).mean()) if values.size and optical else None,
        "harmonised": float(tags.get("harmonised", "").lower() == "true") if optical else None,
        "offset_left": None,
        "shift_px": None if shift is None else float(np.hypot(*shift)),
        "shift_rows": None if shift is None else shift[0],
        "shift_columns": None if shift is None else shift[1],
    }
    if previous is not None and there:
        bands_before, valid_before = previous
        seen_before = bands_before[there][:, valid_before & aoi]
        if optical and seen_before.size:
            measured["offset_left"] = float(offset_left(dark, np.percentile(seen_before, 1, axis=1)))
    return measured


def checks(names: Sequence[str], limits: Settings) -> list[Check]:
    """Return what the figures of an acquisition with the bands `names` must keep to."""
    brightest = 100.0 if set(names) & set(RADAR) else 1.6
    return [
        Check("aoi_coverage", limits.min_coverage, None,
              f"the swath covers {{percent}} % of the AOI (at least {round(100 * limits.min_coverage)} %)"),
        Check("cloud_share", None, limits.max_cloud,
              f"cloud over {{percent}} % of the AOI (at most {round(100 * limits.max_cloud)} %)"),
        Check("valid_share", limits.min_valid, None,
              f"{{percent}} % of the AOI was truly observed (at least {round(100 * limits.min_valid)} %)"),
        *(Check(f"present_{name}", LEAST_PRESENT, None, f"band {name} is missing (no values)") for name in names),
        Check("low", 0.0, None, "negative values ({value:.3f})"),
        Check("high", 1e-4, brightest, f"values up to {{value:.4f}} are no reflectance (0.0001 to {brightest:g})"),
        Check("saturated_share", None, limits.max_saturated,
              f"{{percent}} % of the valid pixels are saturated (at most {round(100 * limits.max_saturated)} %)"),
        Check("harmonised", 1.0, None, "the raster is not tagged harmonised: the baseline offset may be in it"),
        Check("offset_left", None, 0.0, "every band is 0.1 brighter than before: the baseline offset was not applied"),
        Check("shift_px", None, limits.max_shift_px,
              f"shifted by {{value:.1f}} pixels against earlier epochs (at most {limits.max_shift_px:g} is undone)"),
    ]  # fmt: skip


def shift_of(raster: Raster, aoi: np.ndarray, references: Iterable[tuple[Raster, Shift]]) -> Shift | None:
    """Return by how much `raster` lies off what all acquisitions of a mine are laid on; None: no statement.

    `references` are acquisitions on its grid with their own shifts; the first that allows a statement counts. Only
    what lies in `aoi`, bool (H, W), is looked at.
    """
    margin = settings().cloud_margin_px
    for reference, theirs in references:
        (before, seen_before), (now, seen_now) = (
            (_pattern(one), validity(one, margin) & aoi) for one in (reference, raster)
        )
        if shift := measured_shift(before, seen_before, now, seen_now):
            return shift[0] + theirs[0], shift[1] + theirs[1]
    return None


def _pattern(raster: Raster) -> np.ndarray:
    """Return float32 (H, W), what a shift is seen in: a band of 10 m; VV in logarithms, which make speckle additive."""
    if "B04" not in raster.descriptions and "VV" in raster.descriptions:
        return np.log(np.maximum(raster.band("VV"), 1e-4))
    return _bands(raster, ["B04"])[0]


def measure(raster: Raster, mine: Mine, names: Sequence[str], previous: Raster | None, shift: Shift | None) -> Figures:
    """Return the figures of an acquisition raster on the grid of `mine`; see `figures`."""
    margin = settings().cloud_margin_px
    valid = validity(raster, margin)
    before = None
    if previous is not None and previous.grid == raster.grid:
        before = (_bands(previous, names), validity(previous, margin))
    return figures(
        bands=_bands(raster, names),
        names=names,
        valid=valid,
        scl=raster.band("SCL") if "SCL" in raster.descriptions else None,
        data_mask=raster.band("dataMask"),
        aoi=raster.grid.mask(mine.aoi),
        tags=raster.tags,
        previous=before,
        shift=shift,
    )


def _bands(raster: Raster, names: Sequence[str]) -> np.ndarray:
    """Return the bands `names`, zeros for those that the raster lacks."""
    nothing = np.zeros(raster.array.shape[1:], np.float32)
    return np.stack([reflectance(raster, [name])[0] if name in raster.descriptions else nothing for name in names])


def _previous(connection: sql.Connection, acquisition: sql.Row) -> Raster | None:
    row = sql.run_one(connection, "acquisition_previous", acquisition_id=acquisition["acquisition_id"])
    try:
        return read(row["raster"], row["checksum"]) if row else None
    except RasterError:
        return None  # an old raster that was lost must not stop new acquisitions


def _shift(connection: sql.Connection, acquisition: sql.Row, raster: Raster, mine: Mine) -> Shift | None:
    """Return the shift of an acquisition; (0, 0) of the first one, on which all others are laid."""
    rows = sql.run(connection, "acquisition_reference", acquisition_id=acquisition["acquisition_id"])
    references = []
    for row in rows:
        with suppress(RasterError):
            references.append((read(row["raster"], row["checksum"]), (row["shift_rows"], row["shift_columns"])))
    fitting = [(reference, theirs) for reference, theirs in references if reference.grid == raster.grid]
    if len(references) == len(rows) and not fitting:
        return 0.0, 0.0  # the first of all, or since the AOI was redrawn
    return shift_of(raster, raster.grid.mask(mine.aoi), fitting)


def validate(connection: sql.Connection, acquisition: sql.Row, mine: Mine, *, flow_run_id: str | None = None) -> bool:
    """Judge a downloaded acquisition: its row becomes accepted or quarantined with reasons; True: accepted.

    One that was judged before keeps its judgement; one that a person released is accepted. Raises RasterError when its
    raster cannot be read.
    """
    if acquisition["state"] != "downloaded":
        return acquisition["state"] in ("accepted", "segmented")
    names = sensor_set(acquisition["sensor_set"]).bands
    raster = read(acquisition["raster"], acquisition["checksum"])
    shift = _shift(connection, acquisition, raster, mine)
    measured = measure(raster, mine, names, _previous(connection, acquisition), shift)
    judgement = judge(suite=SUITE, figures=measured, checks=checks(names, settings()))
    acquisition_id = acquisition["acquisition_id"]
    passed = judgement.passed or bool(sql.run(connection, "quarantine_released", acquisition_id=acquisition_id))
    with connection.transaction():
        changed = sql.run_one(
            connection,
            "acquisition_judge",
            acquisition_id=acquisition_id,
            state="accepted" if passed else "quarantined",
            reasons=judgement.reasons,
            **{name: measured[name] for name in ("aoi_coverage", "valid_share", "cloud_share")},
        )
        if changed:
            # What is not as it should be is laid on nothing, and nothing on it, even if a person releases it.
            rows, columns = (judgement.passed and shift) or (None, None)
            sql.run(connection, "acquisition_shift", acquisition_id=acquisition_id, rows=rows, columns=columns)
            sql.run(
                connection,
                "validation_add",
                acquisition_id=acquisition_id,
                suite=SUITE,
                passed=judgement.passed,
                reasons=judgement.reasons,
                figures=Jsonb(measured),
                flow_run_id=flow_run_id,
            )
    return passed
