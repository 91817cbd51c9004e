"""Holds an epoch against the previous epoch: pixel by pixel, the latest valid observation before it.

Stands between `store` and `alert`; `change.py` says what a change is.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np

import sql
from models.labels import LABELS, NODATA
from tasks.compare.change import changes
from tasks.compare.previous import PreviousObservation, previous_of
from tasks.mines import Mine
from tasks.rasters import HECTARES_PER_PIXEL
from tasks.records import Comparison, Epoch
from tasks.segment import read_prediction
from tasks.settings import settings


def class_changes(*, before: PreviousObservation, classes: np.ndarray) -> list[dict[str, float]]:
    """Return class_id, hectares_before, hectares_now and unknown_hectares of every label.

    `classes` is uint8 (H, W), 255 unknown. The first two are of the pixels valid on both sides, so that their
    difference never shows hidden ground as loss; hidden ground is unknown, of the class that it was of.
    """
    joint = (before.classes != NODATA) & (classes != NODATA)
    hidden = np.bincount(before.classes[classes == NODATA], minlength=NODATA + 1)
    was, now = (np.bincount(side[joint], minlength=len(LABELS)) for side in (before.classes, classes))
    return [
        {
            "class_id": label.id,
            "hectares_before": float(was[label.id] * HECTARES_PER_PIXEL),
            "hectares_now": float(now[label.id] * HECTARES_PER_PIXEL),
            "unknown_hectares": float(hidden[label.id] * HECTARES_PER_PIXEL),
        }
        for label in LABELS
    ]


def compare(connection: sql.Connection, epoch: Epoch, mine: Mine, *, flow_run_id: str | None = None) -> Comparison:
    """Compare `epoch` with what was seen before and return its comparison.

    A current comparison with the same result is returned as it is, one with another result is superseded.
    A first epoch has a comparison too: all is unknown, nothing changed. Raises EpochsLost when rasters of it or of
    earlier epochs are missing or damaged, RasterError when one cannot be read for now; then nothing was written.
    """
    given = settings()
    now, grid = read_prediction(epoch)
    before, earlier = previous_of(
        connection, epoch, needed=now.classes != NODATA, wanted=grid.mask(mine.aoi), grid=grid
    )
    frame = changes(
        before=before,
        times=[one.sensing_time for one in earlier],
        now=now,
        grid=grid,
        border_px=given.border_px,
        min_confidence=given.min_confidence,
        min_hectares=given.min_change_hectares,
        sieve_hectares=given.min_segment_hectares,
    )
    joint = (before.source >= 0) & (now.classes != NODATA)
    valid = float(joint.sum() * HECTARES_PER_PIXEL)
    result = {
        "previous_epochs": [earlier[int(i)].epoch_id for i in np.unique(before.source[joint])],
        "valid_hectares": valid,
        "unknown_hectares": max(epoch.aoi_hectares - valid, 0.0),
        "changed_hectares": float(frame["hectares"].sum()),
    }
    return _write(connection, epoch, result, class_changes(before=before, classes=now.classes), frame, flow_run_id)


def _parts(rows: Iterable[Any]) -> list[tuple[int, int, float]]:
    """Return from, to and hectares of change polygons, in an order of their own."""
    return sorted((int(row.from_class), int(row.to_class), round(float(row.hectares), 2)) for row in rows)


def _stored_parts(connection: sql.Connection, comparison: Comparison) -> list[tuple[int, int, float]]:
    rows = sql.run(connection, "change_read", comparison_id=comparison.comparison_id)
    return _parts(SimpleNamespace(**row) for row in rows)


def _write(
    connection: sql.Connection,
    epoch: Epoch,
    result: dict[str, object],
    per_class: list[dict[str, float]],
    frame: gpd.GeoDataFrame,
    flow_run_id: str | None,
) -> Comparison:
    with connection.transaction():
        sql.run(connection, "epoch_lock", epoch_id=epoch.epoch_id)
        current = sql.fetch_one(connection, Comparison, "comparison_current", epoch_id=epoch.epoch_id)
        same = current and all(getattr(current, name) == value for name, value in result.items())
        if (
            current
            and same
            and _parts(frame.itertuples()) == _stored_parts(connection, current)
            and per_class == sql.run(connection, "class_change_read", comparison_id=current.comparison_id)
        ):
            sql.run(connection, "comparison_checked", comparison_id=current.comparison_id)
            return current
        if current:
            why = "compared again: other previous epochs or settings"
            sql.run(connection, "comparison_supersede", comparison_id=current.comparison_id, why=why)
        (comparison,) = sql.fetch(
            connection, Comparison, "comparison_add", epoch_id=epoch.epoch_id, flow_run_id=flow_run_id, **result
        )
        for one in per_class:
            sql.run(connection, "class_change_add", comparison_id=comparison.comparison_id, **one)
        owner = (comparison.comparison_id, epoch.mine_id)
        rows = (
            (*owner, int(row.from_class), int(row.to_class), float(row.hectares), float(row.confidence),
             row.previous_time.to_pydatetime(), epoch.sensing_time, row.geometry)
            for row in frame.itertuples()
        )  # fmt: skip
        types = ["int8", "int4", "int2", "int2", "float4", "float4", "timestamptz", "timestamptz"]
        sql.copy_rows(connection, "change_copy", types, rows)
    return comparison
