"""Labelled chips: `images/`, `labels/`, `sites.csv`, and for radar `radar/`, as arrays on which models are trained.

The layout is that of the labelled chips of the README; a site is never split. A folder of labelled pairs serves as
well: see `pairs.py`.
"""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from models.channels import RADAR, channels
from models.chip import Chip
from models.errors import ModelError
from models.geotiff import read_planes, unread
from models.labels import LABELS, NODATA
from models.pairs import read_pairs
from models.sensors import SensorSet


def read_chips(folder: Path, sensor_set: SensorSet, *, split: str, commodity: str = "") -> list[Chip]:
    """Return the labelled chips of `split`, and of `commodity` only where one is given.

    Raises ModelError that names what is missing or unreadable.
    """
    if holds_pairs(folder):
        if commodity:
            raise ModelError(f"{folder} holds pairs, which name no commodity: train on all of them")
        return read_pairs(folder, sensor_set, split=split)
    rows = sites(folder)
    chosen = [row for row in rows if row["split"] == split]
    if not chosen:
        known = ", ".join(sorted({row["split"] for row in rows}))
        raise ModelError(f"{folder} has no chips of split '{split}': choose one of {known}")
    if commodity:
        known = ", ".join(sorted({row["commodity_guess"] for row in chosen} - {""}))
        chosen = [row for row in chosen if row["commodity_guess"] == commodity]
        if not chosen:
            raise ModelError(f"{folder} has no {split} chips of commodity '{commodity}': choose one of {known}")
    return [_chip(folder, row, sensor_set) for row in chosen]


def holds_pairs(folder: Path) -> bool:
    """Say whether `folder` holds labelled pairs and no chips."""
    return (folder / "pairs.csv").exists() and not (folder / "sites.csv").exists()


def splits(folder: Path) -> tuple[str, str]:
    """Return the splits of `folder` that a model is trained on, and chosen and calibrated on."""
    return ("taught", "held-out") if holds_pairs(folder) else ("train", "val")


def sites(folder: Path) -> list[dict[str, str]]:
    """Return the rows of `sites.csv`, one per chip; raises ModelError for a folder that has none, or splits a site."""
    table = folder / "sites.csv"
    if not table.exists():
        raise ModelError(f"{folder} has no sites.csv: it is no folder of chips")
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = [{"commodity_guess": "", "mine_type": "", **row} for row in csv.DictReader(file)]
    for column in ("chip", "site", "split"):
        if not all(row.get(column) for row in rows):
            raise ModelError(f"{table} must have chip, site and split in every row, but lacks a {column}")
    taught, held_out = ({row["site"] for row in rows if row["split"] == split} for split in ("train", "val"))
    if both := taught & held_out:
        raise ModelError(f"{table} has site {min(both)} in both train and val: a site belongs to one of them")
    return rows


def _chip(folder: Path, row: dict[str, str], sensor_set: SensorSet) -> Chip:
    name = row["chip"]
    drawn = folder / "labels" / f"{name}.tif"
    try:
        with rasterio.open(drawn) as dataset:
            labels = dataset.read(1)
    except RasterioError as error:
        raise ModelError(f"chip {name} has no labels: {unread(drawn)}") from error
    try:
        planes, seen = zip(*(_bands(folder, name, group) for group in _groups(sensor_set.bands)), strict=True)
        scene, valid = np.concatenate(planes, axis=0), np.logical_and.reduce(seen)
    except (RasterioError, ValueError) as error:
        raise ModelError(f"chip {name} cannot be used: {error}") from error
    if labels.shape != scene.shape[1:]:
        raise ModelError(f"chip {name} is {scene.shape[1:]} pixels, its labels are {labels.shape}")
    if strange := sorted({*np.unique(labels).tolist()} - {label.id for label in LABELS} - {NODATA}):
        raise ModelError(f"chip {name} has labels that are none: {strange}; they are 0 to 10, and 255 for unsure")
    known = np.where(valid, labels, NODATA).astype(np.uint8)
    return Chip(name, row["site"], row["commodity_guess"], row["mine_type"], scene, known, valid)


def _groups(bands: Sequence[str]) -> list[list[str]]:
    optical, radar = [b for b in bands if b not in RADAR], [b for b in bands if b in RADAR]
    return [group for group in (optical, radar) if group]


def _bands(folder: Path, name: str, bands: list[str]) -> tuple[np.ndarray, np.ndarray]:
    return read_planes(folder / ("radar" if bands[0] in RADAR else "images") / f"{name}.tif", bands)


def checksum(chips: Sequence[Chip]) -> str:
    """Return the SHA-256 over names, images and labels of `chips`."""
    whole = hashlib.sha256()
    for chip in chips:
        for part in (chip.name.encode(), chip.scene.tobytes(), chip.labels.tobytes()):
            whole.update(part)
    return whole.hexdigest()


def statistics(chips: Sequence[Chip], sensor_set: SensorSet) -> tuple[list[float], list[float]]:
    """Return mean and scale per channel over the valid pixels of `chips`.

    All bands of reflectance share one scale, so that their colours keep the proportions that nature, and a network
    that was trained on photographs, give them; a radar band or an index has its own standard deviation.
    """
    pixels = np.concatenate([channels(chip.scene, sensor_set)[:, chip.valid] for chip in chips], axis=1)
    mean, std = pixels.mean(axis=1, dtype=np.float64), np.maximum(pixels.std(axis=1, dtype=np.float64), 1e-6)
    optical = [i for i, band in enumerate(sensor_set.bands) if band not in RADAR]
    if optical:
        std[optical] = np.sqrt((std[optical] ** 2).mean())
    return mean.tolist(), std.tolist()
