"""What was seen before an epoch: pixel by pixel, the latest valid observation, however far back it lies.

`compare` holds the epoch against it. Earlier epochs are read one by one, so that memory does not grow with history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

import sql
from models.labels import NODATA
from models.prediction import Prediction
from tasks.errors import EpochsLost
from tasks.rasters import Grid
from tasks.records import Epoch
from tasks.segment import read_prediction

FAR = 6
"""Looks that are read for ground of which only is to be said what it was when it was seen last."""

PAGE = 12
"""How many earlier epochs are asked for at a time; most searches end within the first few."""


@dataclass(frozen=True)
class PreviousObservation(Prediction):
    """What was seen before an epoch, of each pixel the latest.

    `source` int16 is the position of the earlier epoch that each pixel comes from, -1 where none saw it.
    """

    source: np.ndarray


def previous_observation(
    *, earlier: Iterable[Prediction], needed: np.ndarray, wanted: np.ndarray | None = None
) -> PreviousObservation:
    """Return the latest valid observation of each pixel.

    `earlier` gives what was seen, latest first; it is read no further than until every pixel of `needed`, bool (H, W),
    is filled, and, up to six looks, of `wanted`. Of the others the latest is known as far as that.
    """
    wanted = np.zeros_like(needed) if wanted is None else wanted
    classes, confidence, footprint = np.full((3, *needed.shape), NODATA, np.uint8)
    source = np.full(needed.shape, -1, np.int16)
    missing = np.ones_like(needed)
    looks = iter(earlier)
    position = 0
    while ((missing & needed).any() or (position < FAR and (missing & wanted).any())) and (
        look := next(looks, None)
    ) is not None:
        filled = missing & (look.classes != NODATA)
        classes[filled], confidence[filled] = look.classes[filled], look.confidence[filled]
        footprint[filled], source[filled] = look.footprint[filled], position
        missing &= ~filled
        position += 1
    return PreviousObservation(classes, confidence, footprint, source)


def previous_of(
    connection: sql.Connection, epoch: Epoch, *, needed: np.ndarray, wanted: np.ndarray, grid: Grid
) -> tuple[PreviousObservation, list[Epoch]]:
    """Return what was seen of `needed`, bool (H, W), before `epoch`, and the epochs read for it, latest first.

    The first look at a pixel searches all history, every later one ends at an epoch that saw it; for ground that is
    only `wanted`, bool (H, W), at most six looks are read.
    Raises EpochsLost that names all epochs on the way whose rasters are missing or damaged.
    """
    read_so_far: list[Epoch] = []
    lost: dict[int, str] = {}

    def earlier() -> Iterator[Prediction]:
        nothing = Prediction(*np.full((3, *needed.shape), NODATA, np.uint8))
        for row in _epochs_before(connection, epoch):
            read_so_far.append(row)
            try:
                look, of = read_prediction(row)
            except EpochsLost as error:
                lost.update(error.reasons)
                yield nothing
            else:
                yield look if of == grid else nothing  # one on another grid (the AOI was redrawn) saw nothing here

    before = previous_observation(earlier=earlier(), needed=needed, wanted=wanted)
    if lost:
        raise EpochsLost(lost)
    return before, read_so_far


def _epochs_before(connection: sql.Connection, epoch: Epoch) -> Iterator[Epoch]:
    """Yield the epochs before `epoch`, seen and judged the same way, latest first; a page is asked for when needed."""
    for skip in count(0, PAGE):
        rows = sql.fetch(connection, Epoch, "epoch_earlier", epoch_id=epoch.epoch_id, page=PAGE, skip=skip)
        yield from rows
        if len(rows) < PAGE:
            return
