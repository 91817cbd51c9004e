"""Pictures of the worst errors: before and after in true colour and classified, found and true change outlined.

Reads what the replay left in its stack, so it must still run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

import sql
from deploy.backtest.truth import Case
from deploy.backtest.worst import MOST, Mistake
from tasks.mines import registry
from tasks.rasters import Grid, Panel, Raster, overlay, pixels, read_raster, rings, sheet, to_utm
from tasks.segment import model_name, outlines, regions
from tasks.settings import settings
from tasks.validate import reflectance

INDEX = "index.md"
"""The file that lists the pictures."""

LEAST_RANGE, MOST_RANGE = 0.12, 0.25
"""Reflectance from black to white: a dull place stays dull, and a cloud does not leave the ground in the dark."""


@dataclass(frozen=True)
class Drawn:
    """An error and its picture, a PNG."""

    mistake: Mistake
    png: bytes


def draw(connection: sql.Connection, mistake: Mistake, case: Case | None = None) -> Drawn:
    """Return the picture of `mistake`: the first and the last epoch of its place, and the truth of a `case`."""
    mine = registry.find(connection, mistake.place)
    model = model_name(mine.model or settings().model)
    epochs = sql.run(connection, "report_epochs", mine_id=mine.mine_id, model=model)
    rows = sql.run(connection, "backtest_changes", mine=mine.slug, model=model)
    found = _rings([shapely.from_wkb(bytes(row["geom"])) for row in rows], mine.grid)
    shown = [epochs[0], epochs[-1]]
    rgb = alike([read_raster(row["raster"], row["checksum"]) for row in shown])
    columns = [_column(row, of, found) for row, of in zip(shown, rgb, strict=True)]
    if case is not None:
        changed = regions(case.truth.astype(np.int32), case.change)
        true = outlines(changed, case.grid) if changed.any() else ()
        columns.append([Panel(rgb[1], "true change", _rings(true, mine.grid))])
    title = f"{mistake.place} ({mistake.category.replace('_', ' ')}): {mistake.why}"
    words = f"Yellow: change as found by {model}. {'True' if case else 'Labelled'}: {mistake.label}."
    return Drawn(mistake, sheet(columns, title=title, words=words))


def _rings(grounds: Iterable[BaseGeometry], grid: Grid) -> list[np.ndarray]:
    """Return the rings of `grounds` (EPSG:4326) as columns and rows of `grid`."""
    return [pixels(ring, grid) for ground in grounds for ring in rings(to_utm(ground, grid.epsg))]


def alike(scenes: Sequence[Raster]) -> list[np.ndarray]:
    """Return optical `scenes` of one grid in true colour, uint8 RGB (H, W, 3), all bands of all of them alike.

    Stretched by itself, a forest would be as motley as a mine. What is bright or coloured here is so on the ground.
    """
    bands = np.stack([reflectance(one, ("B04", "B03", "B02")) for one in scenes])
    seen = np.stack([one.band("dataMask") > 0 for one in scenes])
    shown = bands.transpose(1, 0, 2, 3)[:, seen]
    low, high = np.percentile(shown, [1, 99]) if shown.size else (0.0, LEAST_RANGE)
    scaled = np.clip((bands - low) / np.clip(high - low, LEAST_RANGE, MOST_RANGE), 0, 1) * seen[:, None]
    return [(255 * one.transpose(1, 2, 0)).round().astype(np.uint8) for one in scaled]


def _column(epoch: sql.Row, rgb: np.ndarray, found: Sequence[np.ndarray]) -> list[Panel]:
    classes = read_raster(epoch["class_raster"], epoch["class_checksum"]).band("class")
    day = f"{epoch['sensing_time']:%Y-%m-%d}"
    return [Panel(rgb, day, found), Panel(overlay(classes, rgb, strength=0.65), f"{day}, as classified", found)]


def write(folder: Path, drawn: Sequence[Drawn]) -> None:
    """Write the worst ten of `drawn` into `folder`, one PNG each, and the index that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    worst = sorted(drawn, key=lambda one: -one.mistake.wrong)[:MOST]
    lines = ["# The worst errors", "", "| | place | kind | label | found, ha | why it is an error |", "|-|-|-|-|-|-|"]
    for number, one in enumerate(worst, start=1):
        what, name = one.mistake, f"{number:02d}-{one.mistake.place}.png"
        (folder / name).write_bytes(one.png)
        place = f"[{what.place}]({name})"
        lines.append(f"| {number} | {place} | {what.category} | {what.label} | {what.hectares:.2f} | {what.why} |")
    (folder / INDEX).write_text("\n".join([*lines, ""]))
