"""What each guard against false change buys: places compared again without it. The network's part is not done again.

What a guard of the comparison is worth needs no more than the rasters of the two epochs. That of validity needs what
the network sees under clouds, so there the scene goes through it once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

import sql
from models.labels import NODATA
from models.prediction import Prediction
from tasks.compare import above_mapping_unit, changed, changes, previous_observation
from tasks.mines import Mine, registry
from tasks.rasters import Grid, read_raster
from tasks.records import Epoch
from tasks.segment import model_for, model_name, read_prediction, sieved
from tasks.settings import settings
from tasks.validate import reflectance, validity

OFF: dict[str, dict[str, Any]] = {
    "border": {"border_px": 0},
    "confidence": {"min_confidence": 0.0},
    "mapping unit": {"min_hectares": 0.0},
}
"""The guards of the comparison, and the limit that switches each off; the last guard, validity, is none of them."""


@dataclass(frozen=True)
class Limits:
    """What counts as change, as `tasks.compare.change` takes it."""

    border_px: int
    min_confidence: float
    min_hectares: float
    sieve_hectares: float


def limits(switched: Mapping[str, Any]) -> Limits:
    """Return the limits of the settings, with what is `switched`."""
    given = settings()
    usual = Limits(given.border_px, given.min_confidence, given.min_change_hectares, given.min_segment_hectares)
    return replace(usual, **switched)


@dataclass(frozen=True)
class Dates:
    """A place on two dates: what was `seen`, and what would have been if clouds counted as ground (`unmasked`)."""

    seen: tuple[Prediction, Prediction]
    unmasked: tuple[Prediction, Prediction]
    time: datetime
    grid: Grid


def compared(dates: Dates) -> dict[str, list[sql.Row]]:
    """Return the change polygons of `dates` by the guards that were up, as `case_of` takes them.

    With all guards, without each of them, with validity and no more than one other, and without any.
    """
    none = {name: off for one in OFF.values() for name, off in one.items()}
    alone = {f"validity, {guard}": {name: none[name] for name in none if name not in of} for guard, of in OFF.items()}
    found = {
        "all guards": _changes(dates.seen, dates, {}),
        **{f"without {guard}": _changes(dates.seen, dates, of) for guard, of in OFF.items()},
        "without validity": _changes(dates.unmasked, dates, {}),
        **{guards: _changes(dates.seen, dates, of) for guards, of in alone.items()},
        "validity": _changes(dates.seen, dates, none),
        "no guard": _changes(dates.unmasked, dates, none),
    }
    return {guards: _rows(frame) for guards, frame in found.items()}


def codes(looks: Sequence[Prediction], switched: Mapping[str, Any]) -> list[np.ndarray]:
    """Return what changed at each of `looks`, in order of sensing: int32 (H, W), from × 256 + to, else 0."""
    limit, found = limits(switched), []
    for k, now in enumerate(looks):
        before = previous_observation(earlier=reversed(looks[:k]), needed=now.classes != NODATA)
        mask = changed(before=before, now=now, border_px=limit.border_px, min_confidence=limit.min_confidence)
        sides = {"before": before.classes, "after": now.classes}
        found.append(
            above_mapping_unit(**sides, mask=mask, min_hectares=limit.min_hectares, sieve_hectares=limit.sieve_hectares)
        )
    return found


def _changes(looks: tuple[Prediction, Prediction], dates: Dates, switched: Mapping[str, Any]) -> gpd.GeoDataFrame:
    before, now = looks
    return changes(
        before=previous_observation(earlier=[before], needed=now.classes != NODATA),
        times=[dates.time],
        now=now,
        grid=dates.grid,
        **asdict(limits(switched)),
    )


def _rows(frame: gpd.GeoDataFrame) -> list[sql.Row]:
    return [
        {"from_class": row.from_class, "to_class": row.to_class, "geom": shapely.to_wkb(row.geometry)}
        for row in frame.itertuples()
    ]


def dates_of(connection: sql.Connection, slug: str) -> Dates:
    """Return the first and the last epoch of the mine `slug`."""
    mine = registry.find(connection, slug)
    rows = sql.run(connection, "report_epochs", mine_id=mine.mine_id, model=model_name(mine.model or settings().model))
    both = rows[0], rows[-1]
    looks = [prediction(connection, row["epoch_id"]) for row in both]
    bare = [_unmasked(row, look, mine) for row, look in zip(both, looks, strict=True)]
    return Dates((looks[0], looks[1]), (bare[0], bare[1]), both[0]["sensing_time"], mine.grid)


def prediction(connection: sql.Connection, epoch_id: int) -> Prediction:
    """Return what the model said of an epoch."""
    (epoch,) = sql.fetch(connection, Epoch, "epoch_find", epoch_id=epoch_id)
    return read_prediction(epoch)[0]


def _unmasked(epoch: sql.Row, look: Prediction, mine: Mine) -> Prediction:
    """Return what the network saw of all that lay inside the swath, cloud or not."""
    scene = read_raster(epoch["raster"], epoch["checksum"])
    inside = (scene.band("dataMask") > 0) & scene.grid.mask(mine.aoi)
    given = settings()
    if not (inside & ~validity(scene, given.cloud_margin_px)).any():
        return look
    from models.predict import predict  # torch takes seconds to import, and few places have a cloud

    model = model_for(mine)
    seen = predict(
        scene=reflectance(scene, model.sensor_set.bands), valid=inside, model=model,
        runtime=given.runtime, memory_mb=given.predict_memory_mb,
    )  # fmt: skip
    classes = sieved(np.where(inside, seen.classes, NODATA).astype(np.uint8), given.min_segment_hectares)
    return Prediction(classes, seen.confidence, seen.footprint)
