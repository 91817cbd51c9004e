"""Labelled chips: `images/`, `labels/`, `sites.csv`, and for radar `radar/`, as arrays on which models are trained.

The layout is that of the labelled chips of the README; a site is never split.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from models.channels import RADAR, channels
from models.errors import ModelError
from models.sensors import SensorSet

REFLECTANCE = 1e-4
"""Images hold reflectance × 10000."""


@dataclass(frozen=True)
class Chip:
    """One chip: `planes` float32 (channels, H, W), `labels` uint8 (H, W) with 255 unsure, `valid` bool (H, W)."""

    name: str
    site: str
    planes: np.ndarray
    labels: np.ndarray
    valid: np.ndarray


def read_chips(folder: Path, sensor_set: SensorSet, *, split: str) -> list[Chip]:
    """Return the labelled chips of `split`; raises ModelError that names what is missing or unreadable."""
    table = folder / "sites.csv"
    if not table.exists():
        raise ModelError(f"{folder} has no sites.csv: it is no folder of chips")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if row["split"] == split]
    if not chosen:
        known = ", ".join(sorted({row["split"] for row in rows}))
        raise ModelError(f"{folder} has no chips of split '{split}': choose one of {known}")
    return [_chip(folder, row["chip"], row["site"], sensor_set) for row in chosen]


def _chip(folder: Path, name: str, site: str, sensor_set: SensorSet) -> Chip:
    try:
        with rasterio.open(folder / "labels" / f"{name}.tif") as dataset:
            labels = dataset.read(1)
        scene = np.concatenate([_bands(folder, name, group) for group in _groups(sensor_set.bands)], axis=0)
    except RasterioError as error:
        raise ModelError(f"chip {name} cannot be read: {error}") from error
    valid = (scene != 0).any(axis=0)
    return Chip(name, site, channels(scene, sensor_set), np.where(valid, labels, 255).astype(np.uint8), valid)


def _groups(bands: Sequence[str]) -> list[list[str]]:
    optical, radar = [b for b in bands if b not in RADAR], [b for b in bands if b in RADAR]
    return [group for group in (optical, radar) if group]


def _bands(folder: Path, name: str, bands: list[str]) -> np.ndarray:
    radar = bands[0] in RADAR
    with rasterio.open(folder / ("radar" if radar else "images") / f"{name}.tif") as dataset:
        there = list(dataset.descriptions)
        missing = [band for band in bands if band not in there]
        if missing:
            raise ModelError(f"chip {name} lacks {', '.join(missing)}: choose a sensor set of its bands")
        array = dataset.read([there.index(band) + 1 for band in bands]).astype(np.float32)
    return array if radar else array * REFLECTANCE


def statistics(chips: Sequence[Chip]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation per channel over the valid pixels of `chips`."""
    pixels = np.concatenate([chip.planes[:, chip.valid] for chip in chips], axis=1).astype(np.float64)
    return pixels.mean(axis=1).tolist(), np.maximum(pixels.std(axis=1), 1e-6).tolist()
