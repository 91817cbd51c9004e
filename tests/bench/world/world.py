"""A world of mines: places of the registry, jittered, watched every five days for two years.

Every mine has a pit, dumps, tailings, water and the like that grow; nearly half of the days are clear. All numbers come
from a seed, so that two worlds of as many mines are the same.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CLASSES = np.array([1, 2, 4, 5, 6, 8, 9], np.int16)
"""Of the segments of every epoch, one each."""

ROWS = 10
"""Of pixels in a segment, whose outline has stairs as those of a raster have; 41 points."""

DAYS = np.datetime64("2023-01-01") + 5 * np.arange(146)
CLEAR = 0.46
"""Share of sensings that become epochs."""


@dataclass(frozen=True)
class Day:
    """The epochs of one day: ids, the mines they are of, and rings float64 (N, 7, 41, 2) with hectares (N, 7)."""

    time: np.datetime64
    epochs: np.ndarray
    mines: np.ndarray
    rings: np.ndarray
    hectares: np.ndarray


class World:
    """So many mines; `aoi` float64 (N, 4): west, south, east, north in degrees."""

    def __init__(self, registry: Path, mines: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        with (registry / "mine_points.csv").open(newline="") as file:
            known = [row for row in csv.DictReader(file) if abs(float(row["latitude"])) < 70]
        drawn = rng.integers(len(known), size=mines)
        self.country = [known[i]["country"] for i in drawn]
        self.commodity = [known[i]["primaryCommodity"] for i in drawn]
        at = np.array([[float(known[i][name]) for name in ("longitude", "latitude")] for i in drawn])
        self.at = np.clip(at + rng.normal(0, 0.3, at.shape), (-179, -75), (179, 75))
        self.size = rng.uniform(0.01, 0.03, mines)
        self.aoi = np.hstack([self.at - self.size[:, None], self.at + self.size[:, None]])
        self.offset = rng.uniform(-0.6, 0.6, (mines, len(CLASSES), 2))
        water, dam, tailings = CLASSES.searchsorted([6, 5, 4])
        self.offset[:, water] = self.offset[:, dam] + 0.05  # the pond beside the dam, the tailings on its other side
        self.offset[:, tailings] = self.offset[:, dam] - 0.05
        self.radius = rng.uniform(0.03, 0.15, (mines, len(CLASSES)))
        self.growth = rng.exponential(0.2, (mines, len(CLASSES)))
        self.seed = seed

    def days(self) -> Iterator[Day]:
        """Yield the days in their order."""
        first = 1
        for number in range(len(DAYS)):
            day = self.day(number, first)
            first += len(day.epochs)
            yield day

    def clear(self, number: int) -> np.ndarray:
        """Return which mines are seen on day `number`."""
        return np.flatnonzero(np.random.default_rng([self.seed, number, 1]).random(len(self.at)) < CLEAR)

    def day(self, number: int, first: int) -> Day:
        """Return day `number`, whose epochs are numbered from `first` on."""
        rng = np.random.default_rng([self.seed, number])
        mines = self.clear(number)
        radius = (
            self.radius[mines] * (1 + self.growth[mines] * number / len(DAYS)) * rng.normal(1, 0.03, (len(mines), 1))
        )
        radius *= self.size[mines, None]
        centre = self.at[mines, None] + self.offset[mines] * self.size[mines, None, None]
        pixel = 2 * radius / ROWS
        edge = np.arange(ROWS + 1) - ROWS / 2
        middle = (edge[:-1] + edge[1:]) / ROWS
        wide = ROWS / 2 * np.sqrt(1 - middle**2) * (1 + 0.4 * rng.random((2, len(mines), len(CLASSES), ROWS)))
        left, right = np.maximum(np.round(wide), 1)
        across = np.concatenate([np.repeat(right, 2, axis=-1), np.repeat(-left[..., ::-1], 2, axis=-1)], axis=-1)
        up = np.repeat(edge, 2)[1:-1]
        along = np.broadcast_to(np.concatenate([up, up[::-1]]), across.shape)
        ring = np.stack([across, along], axis=-1)
        rings = centre[:, :, None] + pixel[..., None, None] * np.concatenate([ring, ring[:, :, :1]], axis=2)
        metres = 111_320**2 * np.cos(np.radians(self.at[mines, 1]))[:, None]
        hectares = (left + right).sum(axis=-1) * pixel**2 * metres / 1e4
        return Day(DAYS[number] + np.timedelta64(10, "h"), first + np.arange(len(mines)), mines + 1, rings, hectares)
