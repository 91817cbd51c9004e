"""How right change polygons are against the truth of every pixel. Pure but for `case_of`, which reads the rasters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from rasterio.features import rasterize

import sql
from tasks.grid import to_utm
from tasks.specks import HECTARES_PER_PIXEL

NOT_SCORED = 65535
"""In the truth: cloud or shadow on either date, or a rim where labels are not that good."""

MISSED = 4
"""Flag of a pixel under a cloud or shadow that SCL calls clear."""


@dataclass(frozen=True)
class Case:
    """Two dates of one place, on one grid (H, W).

    `truth` uint16: from × 16 + to, 0 no change, 65535 not scored; `missed` bool: cloud that SCL does not know of;
    `patch` int32: 1, 2, ... for each change polygon, else 0; `code` int32 (polygons + 1,): from × 16 + to of each.
    """

    truth: np.ndarray
    missed: np.ndarray
    patch: np.ndarray
    code: np.ndarray


def case_of(folder: Path, name: str, polygons: Sequence[sql.Row]) -> Case:
    """Return case `name` of the truth in `folder`; `polygons` have from_class, to_class and geom (WKB, EPSG:4326)."""
    with rasterio.open(folder / "truth" / f"{name}_change.tif") as dataset:
        truth, transform, epsg = dataset.read(1), dataset.transform, dataset.crs.to_epsg()
    with rasterio.open(folder / "truth" / f"{name}_flags.tif") as dataset:
        missed = (dataset.read(1) & MISSED) > 0
    shapes = [
        (to_utm(shapely.from_wkb(bytes(row["geom"])), epsg), number) for number, row in enumerate(polygons, start=1)
    ]
    drawn = {"out_shape": truth.shape, "transform": transform, "dtype": "int32"}
    patch = rasterize(shapes, **drawn) if shapes else np.zeros(truth.shape, np.int32)
    code = np.array([0, *(16 * row["from_class"] + row["to_class"] for row in polygons)], np.int32)
    return Case(truth, missed, patch, code)


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    """Return how right the changes of `cases` are, over all their pixels as one.

    `f1`, `iou`, `precision` and `recall` are of change, whatever its classes; `bias` is found over true hectares, less
    one; None where nothing changed. `right_patches` are polygons of which at least half is change, `right_classes` the
    share of those whose from and to are those of most of its change. `false_hectares` are the median and the largest
    of a case, and `missed_cloud_hectares` what was found under clouds that SCL calls clear, in no other figure.
    """
    hits = found = true = missed = 0
    right = []
    false = []
    for case in cases:
        scored, change = case.truth != NOT_SCORED, (case.truth != NOT_SCORED) & (case.truth > 0)
        said = (case.patch > 0) & scored
        hits, found, true = hits + (said & change).sum(), found + said.sum(), true + change.sum()
        missed += ((case.patch > 0) & case.missed).sum()
        false.append((said & ~change).sum() * HECTARES_PER_PIXEL)
        right += _right_classes(case, said, change)
    return {
        "cases": len(cases),
        "f1": _share(2 * hits, found + true) if true else None,
        "iou": _share(hits, found + true - hits) if true else None,
        "precision": _share(hits, found) if true else None,
        "recall": _share(hits, true),
        "true_hectares": round(float(true * HECTARES_PER_PIXEL), 2),
        "bias": round(float(found / true - 1), 4) if true else None,
        "right_patches": len(right),
        "right_classes": _share(sum(right), len(right)),
        "false_hectares": {"median": round(float(np.median(false)), 2), "most": round(float(max(false)), 2)},
        "missed_cloud_hectares": round(float(missed * HECTARES_PER_PIXEL), 2),
    }


def _right_classes(case: Case, said: np.ndarray, change: np.ndarray) -> list[bool]:
    """Return, of each polygon that is change for the most part, whether its from and to are right."""
    right = []
    for number in range(1, len(case.code)):
        here = said & (case.patch == number)
        truths = case.truth[here & change]
        if len(truths) and 2 * len(truths) >= here.sum():
            right.append(bool(np.bincount(truths).argmax() == case.code[number]))
    return right


def _share(part: float, whole: float) -> float | None:
    return round(float(part / whole), 4) if whole else None
