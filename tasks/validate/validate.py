"""Measures a downloaded acquisition and accepts or quarantines it, with its reasons.

Stands between `download` and `segment`; what is quarantined is never segmented.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

import sql
from models.sensors import sensor_set
from tasks.mines import Mine
from tasks.rasters import Raster, measured_mask, read_raster, valid_mask
from tasks.records import Acquisition, Shift, current
from tasks.settings import settings
from tasks.suites import Figures, judge, record, suite
from tasks.validate.alignment import measured_shift
from tasks.validate.clouds import scene_classes
from tasks.validate.figures import figures
from tasks.validate.references import References, references


def reflectance(raster: Raster, bands: Sequence[str]) -> np.ndarray:
    """Return float32 (B, H, W) of `bands`: reflectance (uint16 holds it ×10000) or linear gamma0."""
    planes = np.stack([raster.band(name) for name in bands]).astype(np.float32)
    return planes * np.float32(0.0001) if raster.array.dtype == np.uint16 else planes


_VALID: WeakKeyDictionary[Raster, dict[int, np.ndarray]] = WeakKeyDictionary()
"""What `validity` found of rasters that are still held: each is asked for once by itself, and for those after it."""


def validity(raster: Raster, margin_px: int) -> np.ndarray:
    """Return the valid pixels, bool (H, W), of an acquisition raster; they are not to be changed."""
    known = _VALID.setdefault(raster, {})
    if margin_px not in known:
        known[margin_px] = _validity(raster, margin_px)
        known[margin_px].setflags(write=False)
    return known[margin_px]


def _validity(raster: Raster, margin_px: int) -> np.ndarray:
    seen = raster.band("dataMask")
    names = [name for name in raster.descriptions if name not in ("SCL", "dataMask")]
    planes = np.stack([raster.band(name) for name in names])
    there = measured_mask(planes, names, seen > 0)
    return valid_mask(scl=scene_classes(raster), data_mask=seen, margin_px=margin_px, measured=there)


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


def measure(raster: Raster, mine: Mine, names: Sequence[str], known: References) -> tuple[Figures, Shift | None]:
    """Return the figures of an acquisition raster and its shift; see `figures`.

    On another grid than that of `mine` nothing but this is measured.
    """
    grids = {"grid": str(raster.grid), "grid_of_mine": str(mine.grid)}
    if raster.grid != mine.grid:
        return grids, None
    margin, shift = settings().cloud_margin_px, _shift(raster, mine, known)
    measured = figures(
        bands=_bands(raster, names),
        names=names,
        valid=validity(raster, margin),
        scl=scene_classes(raster),
        data_mask=raster.band("dataMask"),
        aoi=raster.grid.mask(mine.aoi),
        tags=raster.tags,
        history=[
            (partial(_band, one, names), validity(one, margin)) for one in known.rasters if one.grid == raster.grid
        ],
        shift=shift,
    )
    return grids | measured, shift


def _bands(raster: Raster, names: Sequence[str]) -> np.ndarray:
    """Return the bands `names`, zeros for those that the raster lacks."""
    return np.stack([_band(raster, names, index) for index in range(len(names))])


def _band(raster: Raster, names: Sequence[str], index: int) -> np.ndarray:
    name = names[index]
    there = name in raster.descriptions
    return reflectance(raster, [name])[0] if there else np.zeros(raster.array.shape[1:], np.float32)


def _shift(raster: Raster, mine: Mine, known: References) -> Shift | None:
    """Return the shift of an acquisition; (0, 0) of the first one, on which all others are laid.

    In tenths of a pixel, the error that is believed: so one that hardly changes lets none after it be judged again.
    """
    fitting = [(reference, theirs) for reference, theirs in known.measured_against if reference.grid == raster.grid]
    if not fitting and not known.lost:
        return 0.0, 0.0  # the first of all, or since the AOI was redrawn
    shift = shift_of(raster, raster.grid.mask(mine.aoi), fitting)
    return shift and (round(shift[0], 1), round(shift[1], 1))


def validate(
    connection: sql.Connection, acquisition: Acquisition, mine: Mine, *, flow_run_id: str | None = None
) -> Acquisition:
    """Judge a downloaded acquisition and return it as it stands then: accepted, or quarantined with the reasons.

    One that was judged before keeps its judgement; one that a person released is accepted. Raises RasterError when its
    raster cannot be read.
    """
    if acquisition.state != "downloaded":
        return acquisition
    name, identity = acquisition.sensor_set, acquisition.acquisition_id
    raster = read_raster(*acquisition.image)
    known = references(connection, acquisition)
    measured, shift = measure(raster, mine, sensor_set(name).bands, known)
    judgement = judge(figures=measured, checks=suite(name, settings()))
    passed = judgement.passed or bool(sql.run(connection, "quarantine_released", acquisition_id=identity))
    # What is not as it should be is laid on nothing, and nothing on it, even if a person releases it.
    rows, columns = (judgement.passed and shift) or (None, None)
    with connection.transaction():
        judged = sql.fetch_one(
            connection,
            Acquisition,
            "acquisition_judge",
            acquisition_id=identity,
            state="accepted" if passed else "quarantined",
            reasons=judgement.reasons,
            shift_rows=rows,
            shift_columns=columns,
            held_against=known.ids,
            **{share: measured.get(share) for share in ("aoi_coverage", "valid_share", "cloud_share")},
        )
        if judged is None:  # somebody else has moved it
            return current(connection, acquisition)
        record(connection, judged, suite=name, judgement=judgement, figures=measured, flow_run_id=flow_run_id)
    return judged
