"""A mine's time series of real acquisitions, and what its own history says was seen on every date.

`validity.py` measures masks with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio

from tasks.rasters.validity import cloud_mask

BANDS = ("B02", "B04", "B08", "B11", "B12")


@dataclass(frozen=True)
class Series:
    """All dates of a mine: `bands` float32 (T, 5, H, W) reflectance, `scl` (T, H, W), `aoi` (H, W), `days` (T,).

    `green` float32 (T, H, W) is B03, on the dates without it as the other bands have it, by least squares.
    """

    name: str
    days: np.ndarray
    bands: np.ndarray
    green: np.ndarray
    scl: np.ndarray
    aoi: np.ndarray

    @cached_property
    def called(self) -> np.ndarray:
        """What SCL calls cloud or shadow, bool (T, H, W)."""
        return cloud_mask(self.scl)

    @cached_property
    def clear(self) -> np.ndarray:
        """Dates, bool (T,), on which SCL calls less than 2 % of the AOI cloud or shadow."""
        return self.called[:, self.aoi].mean(axis=1) < 0.02

    def history(self, at: int, days: int, *, later: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return median and spread, (5, H, W), of the eight nearest clear dates; NaN of fewer than three."""
        apart = self.days - self.days[at]
        near = [i for i in np.argsort(abs(apart), kind="stable")
                if self.clear[i] and i != at and abs(apart[i]) <= days and (later or apart[i] < 0)][:8]  # fmt: skip
        if len(near) < 3:
            return (np.full(self.bands.shape[1:], np.nan, np.float32),) * 2
        median = np.median(self.bands[near], axis=0)
        return median, 1.4826 * np.median(abs(self.bands[near] - median), axis=0)

    @cached_property
    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what is expected of every pixel, (T, 5, H, W), and its spread: 100 days before and after."""
        both = [self.history(at, 100, later=True) for at in range(len(self.days))]
        return np.stack([one[0] for one in both]), np.stack([one[1] for one in both])

    @cached_property
    def truth(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return bool (T, H, W) each: seen as expected, brighter (cloud or haze), darker (shadow); the rest is unsure.

        Haze brightens blue most. A shadow halves NIR and SWIR, and leaves blue, which the sky lights. Where a pixel's
        own blue varies by more than 0.02 nothing is said.
        """
        median, spread = self.expected
        told = ~np.isnan(median[:, 0]) & (spread[:, 0] <= 0.02) & self.aoi
        off = self.bands - median
        part = off / np.maximum(median, 0.02)
        brighter = told & (off[:, 0] > np.maximum(0.05, 3 * spread[:, 0])) & (off[:, 1] > 0.02)
        fallen = (part[:, 2] < -0.2) & (part[:, 3:] < -0.3).all(axis=1) & (off[:, 3] < -0.04)
        darker = told & fallen & (off[:, 0] < 0.03)
        like = (abs(off[:, 0]) <= np.maximum(0.03, 3 * spread[:, 0])) & (
            abs(off[:, 1]) <= np.maximum(0.04, 3 * spread[:, 1])
        )
        return told & like & (part[:, 2] > -0.2) & (part[:, 3] > -0.3) & ~brighter & ~darker, brighter, darker


def read_series(root: Path) -> Iterator[Series]:
    """Yield the mines of `series`; dates without data or on another grid are left out."""
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        dates = []
        for path in sorted(folder.glob("*.tif")):
            with rasterio.open(path) as dataset:
                planes = dict(zip(dataset.descriptions, dataset.read(), strict=True))
            if planes["B04"].any():
                dates.append((date.fromisoformat(path.stem).toordinal(), planes))
        shape = max(planes["B04"].shape for _, planes in dates)
        dates = [(day, planes) for day, planes in dates if planes["B04"].shape == shape]
        bands = np.stack([[planes[name] for name in BANDS] for _, planes in dates]).astype(np.float32) / 10_000
        scl = np.stack([planes["SCL"] for _, planes in dates])
        aoi = (bands[:, 1] > 0).mean(axis=0) > 0.5
        green = _green([planes.get("B03") for _, planes in dates], bands, aoi)
        yield Series(folder.name, np.array([day for day, _ in dates]), bands, green, scl, aoi)


def _green(known: list[np.ndarray | None], bands: np.ndarray, aoi: np.ndarray) -> np.ndarray:
    there = np.array([one is not None for one in known])
    whole = np.zeros(bands[:, 0].shape, np.float32)
    whole[there] = np.stack([one for one in known if one is not None]) / 10_000
    others = np.concatenate([bands, np.ones_like(bands[:, :1])], axis=1)
    weights = np.linalg.lstsq(others[there].transpose(0, 2, 3, 1)[:, aoi].reshape(-1, 6), whole[there][:, aoi].ravel())
    whole[~there] = np.tensordot(others[~there], weights[0].astype(np.float32), (1, 0))
    return whole
