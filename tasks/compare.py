"""Holds an epoch against the previous epoch: pixel by pixel, the latest valid observation before it.

Stands between `store` and `alert`. Class rasters of two noisy epochs differ along every border, so a change
counts only where both sides are valid and sure, where it is wider than a rim, and where it is large enough.
"""

from collections.abc import Sequence
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

import sql
from models.labels import LABELS, NODATA
from tasks.grid import Grid
from tasks.previous import Observation, look_back, rasters_of
from tasks.registry import Mine
from tasks.settings import settings
from tasks.specks import HECTARES_PER_PIXEL
from tasks.store import copy_rows
from tasks.vectorise import outlines, regions


def interior(classes: np.ndarray, border_px: int) -> np.ndarray:
    """Return bool (H, W): pixels farther than `border_px` from every other class; unknown is no other class."""
    size = 2 * border_px + 1
    highest = ndimage.maximum_filter(np.where(classes == NODATA, 0, classes), size, mode="nearest")
    lowest = ndimage.minimum_filter(classes, size, mode="nearest")
    return (classes != NODATA) & (highest == classes) & (lowest == classes)


def changed(
    *, before: Observation, classes: np.ndarray, confidence: np.ndarray, border_px: int, min_confidence: float
) -> np.ndarray:
    """Return bool (H, W): pixels that changed, before the minimum mapping unit.

    Both sides must be valid and at least `min_confidence` (0-1) sure. A change must have a core that lies off the
    class borders of both sides by more than `border_px`; around such a core it counts up to the border, so that
    rims fall away but hectares are not cut short.
    """
    limit = round(100 * min_confidence)
    valid = (before.classes != NODATA) & (classes != NODATA)
    sure = (before.confidence >= limit) & (confidence >= limit)
    differ = valid & sure & (before.classes != classes)
    core = differ & interior(before.classes, border_px) & interior(classes, border_px)
    if border_px == 0 or not core.any():
        return core
    pair = transitions(before.classes, classes)
    grown = np.zeros_like(core)
    for kind in np.unique(pair[core]):
        same = differ & (pair == kind)
        grown |= same & ndimage.maximum_filter(core & same, 2 * border_px + 1)
    return grown


def transitions(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return one number per (from, to), int32 (H, W): from × 256 + to."""
    return before.astype(np.int32) * 256 + after


def changes(
    *,
    before: Observation,
    times: Sequence[datetime],
    classes: np.ndarray,
    confidence: np.ndarray,
    grid: Grid,
    border_px: int,
    min_confidence: float,
    min_hectares: float,
) -> gpd.GeoDataFrame:
    """Return the change polygons between `before` and `classes`/`confidence` (uint8 (H, W), 255 unknown).

    `times` are the sensing times of the earlier epochs in the order of `before.source`, latest first. The frame
    has from_class, to_class, hectares (counted pixels), confidence (mean of the less sure side, 0-1),
    previous_time (latest of its pixels) and geometry (MultiPolygon, EPSG:4326); patches below `min_hectares`
    (minimum mapping unit, per from and to) are not in it.
    """
    mask = changed(
        before=before, classes=classes, confidence=confidence, border_px=border_px, min_confidence=min_confidence
    )
    pair = transitions(before.classes, classes)
    labels = regions(pair, mask)
    large = np.bincount(labels.ravel()) * HECTARES_PER_PIXEL >= min_hectares - 1e-9
    large[0] = False
    labels = np.where(large, np.cumsum(large), 0).astype(np.int32)[labels]
    flat = labels.ravel()
    pixels = np.bincount(flat)[1:]
    pair_of = np.zeros(len(pixels) + 1, np.int32)
    pair_of[flat] = pair.ravel()
    least_sure = np.minimum(before.confidence, confidence).ravel() / 100
    latest = ndimage.minimum(before.source, labels, np.arange(1, len(pixels) + 1)) if len(pixels) else []
    return gpd.GeoDataFrame(
        {
            "from_class": pair_of[1:] // 256,
            "to_class": pair_of[1:] % 256,
            "hectares": pixels * HECTARES_PER_PIXEL,
            "confidence": np.bincount(flat, weights=least_sure)[1:] / np.maximum(pixels, 1),
            "previous_time": pd.to_datetime([times[int(position)] for position in latest], utc=True),
        },
        geometry=outlines(labels, grid) if len(pixels) else [],
        crs="EPSG:4326",
    )


def class_changes(*, before: Observation, classes: np.ndarray) -> list[dict[str, float]]:
    """Return class_id, hectares_before and hectares_now of every label, on the pixels valid on both sides.

    `classes` is uint8 (H, W), 255 unknown. Ground that one side did not see is in neither figure, so that their
    difference never shows hidden ground as loss.
    """
    joint = (before.classes != NODATA) & (classes != NODATA)
    was, now = (np.bincount(side[joint], minlength=len(LABELS)) for side in (before.classes, classes))
    return [
        {
            "class_id": label.id,
            "hectares_before": float(was[label.id] * HECTARES_PER_PIXEL),
            "hectares_now": float(now[label.id] * HECTARES_PER_PIXEL),
        }
        for label in LABELS
    ]


def compare(connection: sql.Connection, epoch: sql.Row, mine: Mine, *, flow_run_id: str | None = None) -> sql.Row:
    """Compare `epoch` with what was seen before and return its comparison row.

    A current comparison with the same result is returned as it is, one with another result is superseded.
    A first epoch has a comparison too: all is unknown, nothing changed. Raises EpochsLost when rasters of it or of
    earlier epochs are missing or damaged, RasterError when one cannot be read for now; then nothing was written.
    """
    given = settings()
    now, sure = rasters_of(epoch)
    classes, confidence = now.array[0], sure.array[0]
    before, earlier = look_back(connection, epoch, needed=classes != NODATA, grid=now.grid)
    frame = changes(
        before=before,
        times=[row["sensing_time"] for row in earlier],
        classes=classes,
        confidence=confidence,
        grid=now.grid,
        border_px=given.border_px,
        min_confidence=given.min_confidence,
        min_hectares=given.min_change_hectares,
    )
    valid = float((before.source >= 0).sum() * HECTARES_PER_PIXEL)
    result = {
        "previous_epochs": [earlier[int(i)]["epoch_id"] for i in np.unique(before.source[before.source >= 0])],
        "valid_hectares": valid,
        "unknown_hectares": max(epoch["aoi_hectares"] - valid, 0.0),
        "changed_hectares": float(frame["hectares"].sum()),
    }
    return _write(connection, epoch, result, class_changes(before=before, classes=classes), frame, flow_run_id)


def _write(
    connection: sql.Connection,
    epoch: sql.Row,
    result: dict[str, object],
    per_class: list[dict[str, float]],
    frame: gpd.GeoDataFrame,
    flow_run_id: str | None,
) -> sql.Row:
    with connection.transaction():
        sql.run(connection, "epoch_lock", epoch_id=epoch["epoch_id"])
        current = sql.run_one(connection, "comparison_current", epoch_id=epoch["epoch_id"])
        if current and all(current[name] == value for name, value in result.items()):
            sql.run(connection, "comparison_checked", comparison_id=current["comparison_id"])
            return current
        if current:
            why = "compared again: other previous epochs or settings"
            sql.run(connection, "comparison_supersede", comparison_id=current["comparison_id"], why=why)
        (comparison,) = sql.run(
            connection, "comparison_add", epoch_id=epoch["epoch_id"], flow_run_id=flow_run_id, **result
        )
        for one in per_class:
            sql.run(connection, "class_change_add", comparison_id=comparison["comparison_id"], **one)
        owner = (comparison["comparison_id"], epoch["mine_id"])
        rows = (
            (*owner, int(row.from_class), int(row.to_class), float(row.hectares), float(row.confidence),
             row.previous_time.to_pydatetime(), epoch["sensing_time"], row.geometry)
            for row in frame.itertuples()
        )  # fmt: skip
        types = ["int8", "int4", "int2", "int2", "float4", "float4", "timestamptz", "timestamptz"]
        copy_rows(connection, "change_copy", types, rows)
    return comparison
