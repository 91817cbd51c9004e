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
from deploy.backtest.intervals import intervals
from tasks.rasters import HECTARES_PER_PIXEL, Grid, to_utm

NOT_SCORED = 65535
"""In the truth: cloud or shadow on either date, or a rim where labels are not that good."""

HIDDEN, MISSED = 1 + 2, 4
"""Flags of a pixel under a cloud or a shadow on either date, and of one of them that SCL calls clear."""


@dataclass(frozen=True)
class Case:
    """Two dates of one place, on one `grid` (H, W).

    `truth` uint16: from × 16 + to, 0 no change, 65535 not scored; `hidden` bool: under a cloud or its shadow;
    `missed` bool: under one that SCL does not know of; `patch` int32: 1, 2, ... for each change polygon, else 0;
    `code` int32 (polygons + 1,): from × 16 + to of each.
    """

    grid: Grid
    truth: np.ndarray
    hidden: np.ndarray
    missed: np.ndarray
    patch: np.ndarray
    code: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """Where ground truly changed, bool (H, W)."""
        return (self.truth != NOT_SCORED) & (self.truth > 0)

    @property
    def said(self) -> np.ndarray:
        """Where change was found and can be scored, bool (H, W)."""
        return (self.patch > 0) & (self.truth != NOT_SCORED)


@dataclass(frozen=True)
class Tally:
    """Pixels of a case: `true` change, `found` change, `hits` that are both; found where `hidden`, where `missed`.

    `right`: of each polygon that is change for the most part, whether its from and to are right.
    """

    true: int
    found: int
    hits: int
    hidden: int
    missed: int
    right: tuple[bool, ...]


def case_of(folder: Path, name: str, polygons: Sequence[sql.Row]) -> Case:
    """Return case `name` of the truth in `folder`; `polygons` have from_class, to_class and geom (WKB, EPSG:4326)."""
    with rasterio.open(folder / "truth" / f"{name}_change.tif") as dataset:
        truth, transform, epsg = dataset.read(1), dataset.transform, dataset.crs.to_epsg()
    with rasterio.open(folder / "truth" / f"{name}_flags.tif") as dataset:
        flags = dataset.read(1)
    shapes = [
        (to_utm(shapely.from_wkb(bytes(row["geom"])), epsg), number) for number, row in enumerate(polygons, start=1)
    ]
    drawn = {"out_shape": truth.shape, "transform": transform, "dtype": "int32"}
    patch = rasterize(shapes, **drawn) if shapes else np.zeros(truth.shape, np.int32)
    code = np.array([0, *(16 * row["from_class"] + row["to_class"] for row in polygons)], np.int32)
    grid = Grid(epsg, transform.c, transform.f, truth.shape[1], truth.shape[0])
    return Case(grid, truth, (flags & HIDDEN) > 0, (flags & MISSED) > 0, patch, code)


def tally(case: Case) -> Tally:
    """Count the pixels of `case`."""
    said, change = case.said, case.change
    return Tally(
        true=int(change.sum()),
        found=int(said.sum()),
        hits=int((said & change).sum()),
        hidden=int(((case.patch > 0) & case.hidden).sum()),
        missed=int(((case.patch > 0) & case.missed).sum()),
        right=tuple(_right_classes(case, said, change)),
    )


def rates(tallies: Sequence[Tally]) -> dict[str, float | None]:
    """Return F1, IoU, precision and recall of change, whatever its classes, over all pixels as one.

    None where nothing changed, recall too.
    """
    true, found, hits = (sum(getattr(one, name) for one in tallies) for name in ("true", "found", "hits"))
    return {
        "f1": _share(2 * hits, found + true) if true else None,
        "iou": _share(hits, found + true - hits) if true else None,
        "precision": _share(hits, found) if true else None,
        "recall": _share(hits, true),
    }


def figures(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Return how right the changes of cases are: `rates` with their `interval` over cases, and what else is known.

    `bias` is found over true hectares, less one. `right_patches` are polygons of which at least half is change,
    `right_classes` the share of those whose from and to are those of most of its change. `false_hectares` are the
    median and the largest of a case, `hidden_hectares` what was found under clouds and their shadows, and
    `missed_cloud_hectares` the part of it that SCL calls clear; both are in no other figure.
    """
    true, found = sum(one.true for one in tallies), sum(one.found for one in tallies)
    right = [flag for one in tallies for flag in one.right]
    false = [_hectares(one.found - one.hits) for one in tallies]
    return {
        "cases": len(tallies),
        **rates(tallies),
        "interval": intervals(tallies, rates),
        "true_hectares": _hectares(true),
        "bias": round(found / true - 1, 4) if true else None,
        "right_patches": len(right),
        "right_classes": _share(sum(right), len(right)),
        "false_hectares": {"median": round(float(np.median(false)), 2), "most": max(false)},
        "hidden_hectares": _hectares(sum(one.hidden for one in tallies)),
        "missed_cloud_hectares": _hectares(sum(one.missed for one in tallies)),
    }


def _right_classes(case: Case, said: np.ndarray, change: np.ndarray) -> list[bool]:
    """Return, of each polygon that is change for the most part, whether its from and to are right."""
    here = said & change
    pairs, counts = np.unique(np.stack([case.patch[here], case.truth[here]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -counts, pairs[0]))  # of each polygon, its largest true change first
    patch, first = np.unique(pairs[0][order], return_index=True)
    most = pairs[1][order][first]
    whole, true = (np.bincount(case.patch[where], minlength=len(case.code)) for where in (said, here))
    return [bool(it) for it in (most == case.code[patch])[2 * true[patch] >= whole[patch]]]


def _hectares(pixels: int) -> float:
    return round(pixels * HECTARES_PER_PIXEL, 2)


def _share(part: float, whole: float) -> float | None:
    return round(float(part / whole), 4) if whole else None
