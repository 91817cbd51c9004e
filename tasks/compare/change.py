"""Change: the polygons whose class differs between two looks at a mine. Pure.

Class rasters of two noisy epochs differ along every border, so a change counts only where both sides are valid and
sure, where it is wider than a rim, and where it is large enough. That there is mine where there was none is known far
better than which component it is, so that is asked first.
"""

from collections.abc import Sequence
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

from models.labels import NODATA
from models.prediction import Prediction
from tasks.compare.previous import PreviousObservation
from tasks.rasters import HECTARES_PER_PIXEL, Grid
from tasks.segment import outlines, regions, sieved

RECLAIMED = 10


def interior(classes: np.ndarray, border_px: int) -> np.ndarray:
    """Return bool (H, W): pixels farther than `border_px` from every other class; unknown is no other class."""
    size = 2 * border_px + 1
    highest = ndimage.maximum_filter(np.where(classes == NODATA, 0, classes), size, mode="nearest")
    lowest = ndimage.minimum_filter(classes, size, mode="nearest")
    return (classes != NODATA) & (highest == classes) & (lowest == classes)


def mined(classes: np.ndarray) -> np.ndarray:
    """Return uint8 (H, W): 1 where `classes` is a component, 0 background, 255 unknown."""
    return np.where(classes == NODATA, NODATA, classes > 0).astype(np.uint8)


def certainty(prediction: Prediction) -> np.ndarray:
    """Return uint8 (H, W), per cent: how sure a prediction is that a pixel is mine, or that it is background.

    Reclaimed ground is between the two, so there it must be sure of just that.
    """
    of_mine = np.where(prediction.classes == RECLAIMED, prediction.confidence, prediction.footprint)
    return np.where(prediction.classes == 0, 100 - prediction.footprint, of_mine)


def kinds(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return int32 (H, W), what kind of change is from class raster `before` to `after`.

    1 mine appeared, 256 it vanished, whatever the component; else from × 256 + to.
    """
    was, now = mined(before), mined(after)
    return np.where(was != now, transitions(was, now), transitions(before, after))


def changed(*, before: Prediction, now: Prediction, border_px: int, min_confidence: float) -> np.ndarray:
    """Return bool (H, W): pixels that changed, before the minimum mapping unit.

    Both sides must be valid and at least `min_confidence` (0-1) sure of what differs: where mine appeared or vanished
    that there is mine, whichever component, on the one side, and none on the other; where both are mine, of the
    component. A change must have a core that lies off the borders of both sides (of the mine, or of its components) by
    more than `border_px`; around such a core it counts up to the border, so that rims fall away but hectares are not
    cut short.
    """
    limit = round(100 * min_confidence)
    was, is_now = mined(before.classes), mined(now.classes)
    valid = (was != NODATA) & (is_now != NODATA)
    appeared = valid & (was != is_now) & (certainty(before) >= limit) & (certainty(now) >= limit)
    turned = valid & (was == 1) & (is_now == 1) & (before.classes != now.classes)
    turned &= (before.confidence >= limit) & (now.confidence >= limit)
    core = appeared & _off_borders(was, is_now, border_px)
    core |= turned & _off_borders(before.classes, now.classes, border_px)
    if border_px == 0 or not core.any():
        return core
    kind, grown = kinds(before.classes, now.classes), np.zeros_like(core)
    for one in np.unique(kind[core]):
        same = (appeared | turned) & (kind == one)
        grown |= same & ndimage.maximum_filter(core & same, 2 * border_px + 1)
    return grown


def _off_borders(before: np.ndarray, now: np.ndarray, border_px: int) -> np.ndarray:
    return interior(before, border_px) & interior(now, border_px)


def transitions(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return one number per (from, to), int32 (H, W): from × 256 + to."""
    return before.astype(np.int32) * 256 + after


def above_mapping_unit(
    *, before: np.ndarray, after: np.ndarray, mask: np.ndarray, min_hectares: float, sieve_hectares: float
) -> np.ndarray:
    """Return int32 (H, W): from × 256 + to where `mask` is change between class rasters `before` and `after`, else 0.

    Connected ground of one kind of change (`kinds`) counts as a whole, and is none below `min_hectares`, the minimum
    mapping unit. Within it, parts of another component that are smaller than `sieve_hectares` are given to their
    neighbours.
    """
    kind = kinds(before, after)
    whole = regions(kind, mask)
    large = np.bincount(whole.ravel()) * HECTARES_PER_PIXEL >= min_hectares - 1e-9
    large[0] = False
    code = np.where(large[whole], kind, 0)
    for direction, components in ((1, after), (256, before)):
        here = code == direction
        code[here] = direction * sieved(np.where(here, components, NODATA), sieve_hectares)[here].astype(np.int32)
    return code


def changes(
    *,
    before: PreviousObservation,
    times: Sequence[datetime],
    now: Prediction,
    grid: Grid,
    border_px: int,
    min_confidence: float,
    min_hectares: float,
    sieve_hectares: float,
) -> gpd.GeoDataFrame:
    """Return the change polygons between `before` and `now`.

    `times` are the sensing times of the earlier epochs in the order of `before.source`, latest first. The frame
    has from_class, to_class, hectares (counted pixels), confidence (mean of the less sure side, 0-1: that there is
    mine where it appeared or vanished, else of the component), previous_time (latest of its pixels) and geometry
    (MultiPolygon, EPSG:4326). See `changed` and `above_mapping_unit` for what counts.
    """
    mask = changed(before=before, now=now, border_px=border_px, min_confidence=min_confidence)
    code = above_mapping_unit(
        before=before.classes, after=now.classes, mask=mask, min_hectares=min_hectares, sieve_hectares=sieve_hectares
    )
    labels = regions(code, code > 0)
    flat = labels.ravel()
    pixels = np.bincount(flat)[1:]
    pair_of = np.zeros(len(pixels) + 1, np.int32)
    pair_of[flat] = code.ravel()
    appeared = mined(before.classes) != mined(now.classes)
    least_sure = np.where(
        appeared, np.minimum(certainty(before), certainty(now)), np.minimum(before.confidence, now.confidence)
    )
    latest = ndimage.minimum(before.source, labels, np.arange(1, len(pixels) + 1)) if len(pixels) else []
    return gpd.GeoDataFrame(
        {
            "from_class": pair_of[1:] // 256,
            "to_class": pair_of[1:] % 256,
            "hectares": pixels * HECTARES_PER_PIXEL,
            "confidence": np.bincount(flat, weights=least_sure.ravel() / 100)[1:] / np.maximum(pixels, 1),
            "previous_time": pd.to_datetime([times[int(position)] for position in latest], utc=True),
        },
        geometry=outlines(labels, grid) if len(pixels) else [],
        crs="EPSG:4326",
    )
