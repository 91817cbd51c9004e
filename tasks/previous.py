"""What was seen before an epoch: pixel by pixel, the latest valid observation, however far back it lies.

`compare` holds the epoch against it. Earlier epochs are read one by one, so that memory does not grow with history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

import sql
from models.labels import NODATA
from tasks.errors import EpochsLost, RasterLost
from tasks.grid import Grid
from tasks.rasters import Raster, read

PAGE = 12
"""How many earlier epochs are asked for at a time; most searches end within the first few."""


@dataclass(frozen=True)
class Observation:
    """What was seen before: uint8 `classes` and `confidence` (per cent), 255 unknown; (H, W).

    `source` int16 is the position of the earlier epoch that each pixel comes from, -1 where none saw it.
    """

    classes: np.ndarray
    confidence: np.ndarray
    source: np.ndarray


def previous_observation(*, earlier: Iterable[tuple[np.ndarray, np.ndarray]], needed: np.ndarray) -> Observation:
    """Return the latest valid observation of each pixel of `needed`, bool (H, W).

    `earlier` gives (classes, confidence), latest first; it is read no further than until every pixel is filled.
    """
    classes = np.full(needed.shape, NODATA, np.uint8)
    confidence = np.full(needed.shape, NODATA, np.uint8)
    source = np.full(needed.shape, -1, np.int16)
    missing = needed.copy()
    rasters = iter(earlier)
    position = 0
    while missing.any() and (pair := next(rasters, None)) is not None:
        filled = missing & (pair[0] != NODATA)
        classes[filled], confidence[filled], source[filled] = pair[0][filled], pair[1][filled], position
        missing &= ~filled
        position += 1
    return Observation(classes, confidence, source)


def rasters_of(epoch: sql.Row) -> tuple[Raster, Raster]:
    """Return the class raster and the confidence raster of `epoch`.

    Raises EpochsLost when one is missing or damaged, RasterError when it cannot be read for now.
    """
    try:
        return (
            read(epoch["class_raster"], epoch["class_checksum"]),
            read(epoch["confidence_raster"], epoch["confidence_checksum"]),
        )
    except RasterLost as error:
        raise EpochsLost({epoch["epoch_id"]: str(error)}) from error


def look_back(
    connection: sql.Connection, epoch: sql.Row, *, needed: np.ndarray, grid: Grid
) -> tuple[Observation, list[sql.Row]]:
    """Return what was seen of `needed`, bool (H, W), before `epoch`, and the epochs read for it, latest first.

    The first look at a pixel searches all history, every later one ends at an epoch that saw it.
    Raises EpochsLost that names all epochs on the way whose rasters are missing or damaged.
    """
    read_so_far: list[sql.Row] = []
    lost: dict[int, str] = {}

    def earlier() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nothing = np.full(needed.shape, NODATA, np.uint8)
        for row in _epochs_before(connection, epoch):
            read_so_far.append(row)
            try:
                classes, confidence = rasters_of(row)
            except EpochsLost as error:
                lost.update(error.reasons)
                yield nothing, nothing
            else:  # one on another grid (the AOI was redrawn) saw nothing here
                here = classes.grid == grid
                yield (classes.array[0], confidence.array[0]) if here else (nothing, nothing)

    before = previous_observation(earlier=earlier(), needed=needed)
    if lost:
        raise EpochsLost(lost)
    return before, read_so_far


def _epochs_before(connection: sql.Connection, epoch: sql.Row) -> Iterator[sql.Row]:
    """Yield the epochs before `epoch`, seen and judged the same way, latest first; a page is asked for when needed."""
    for skip in count(0, PAGE):
        rows = sql.run(connection, "epoch_earlier", epoch_id=epoch["epoch_id"], page=PAGE, skip=skip)
        yield from rows
        if len(rows) < PAGE:
            return
