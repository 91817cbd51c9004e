"""Tiles: how a scene is cut for the network, and how what it saw is put together again without seams.

Tiles begin on the grid of the network's coarsest features, so that both neighbours see the same grid where they
overlap. In the middle of the overlap one fades into the next; what lies nearer to a tile's edge, where the network
has little to look at, does not count.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import torch

from models.network import MULTIPLE

OVERLAP = 192
"""Least pixels that neighbouring tiles share: tests/bench/RESULTS.md says what less and more of it does."""

FADE = 64
"""Pixels across which one tile fades into the next."""

SMALLEST = 768
"""Tiles of fewer pixels a side would be little but overlap."""


class Span(NamedTuple):
    """A tile along one side: the network sees `start` to `stop`, of which `first` to `last` counts.

    At its ends, `before` and `after` pixels are shared with the neighbour: FADE where there is one, else 0.
    """

    start: int
    stop: int
    first: int
    last: int
    before: int
    after: int


class Tile(NamedTuple):
    """A tile of a scene, along both sides."""

    rows: Span
    columns: Span

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels of what the network sees, multiples of 32."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


def tiles(height: int, width: int, *, side: int) -> Iterator[Tile]:
    """Yield the tiles of a scene of `height` × `width` pixels, row by row: the order in which `Mosaic` takes them.

    They have at most `side` pixels a side (a multiple of 32, at least 768), are all equally large, and may reach less
    than 32 pixels beyond the scene.
    """
    across = spans(width, side=side)
    return (Tile(rows, columns) for rows in spans(height, side=side) for columns in across)


def spans(length: int, *, side: int) -> list[Span]:
    """Return the tiles along a side of `length` pixels: as few as will do, see `tiles`."""
    whole = _rounded_up(length)
    count = 1 if whole <= side else -(-(whole - OVERLAP) // (side - OVERLAP))
    size = whole if count == 1 else _rounded_up(-(-(whole - OVERLAP) // count) + OVERLAP)
    starts = [i * (whole - size) // max(count - 1, 1) // MULTIPLE * MULTIPLE for i in range(count)]
    middles = [(start + size + following) // 2 for start, following in itertools.pairwise(starts)]
    firsts = [0, *(middle - FADE // 2 for middle in middles)]
    lasts = [*(middle + FADE // 2 for middle in middles), length]
    return [
        Span(start, start + size, first, last, FADE if i else 0, FADE if i < count - 1 else 0)
        for i, (start, first, last) in enumerate(zip(starts, firsts, lasts, strict=True))
    ]


def _rounded_up(length: int) -> int:
    return -(-length // MULTIPLE) * MULTIPLE


class Mosaic:
    """Puts together what the network saw in the tiles of one scene, and gives out at once what no later tile changes.

    It keeps only the strips that wait for a neighbour: one beside the tile, one as wide as the scene below it.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._beside = self._below = torch.empty(0)

    def add(self, tile: Tile, seen: torch.Tensor) -> tuple[slice, slice, torch.Tensor]:
        """Return rows and columns of the scene that are now finished, and their values (K, rows, columns).

        `seen` is float32 (K, h, w), what the network saw in all of `tile`; it is overwritten. Where tiles overlap the
        values are means whose weights sum to 1, so that probabilities stay probabilities.
        """
        rows, columns = tile
        part = seen[
            :,
            rows.first - rows.start : rows.last - rows.start,
            columns.first - columns.start : columns.last - columns.start,
        ]
        _fade(part, rows, dim=1)
        _fade(part, columns, dim=2)
        if columns.before:
            part[:, :, :FADE] += self._beside
        if columns.after:
            self._beside = part[:, :, -FADE:].clone()
            part = part[:, :, :-FADE]
        across = slice(columns.first, columns.last - columns.after)
        if rows.before:
            part[:, :FADE] += self._below[:, :, across]
        if rows.after:
            if not self._below.numel():
                self._below = part.new_empty((len(part), FADE, self._width))
            self._below[:, :, across] = part[:, -FADE:]
            part = part[:, :-FADE]
        return slice(rows.first, rows.last - rows.after), across, part


def _fade(part: torch.Tensor, span: Span, *, dim: int) -> None:
    """Weigh both ends of `part` along `dim`, in place, where a neighbour has its share."""
    rising = ((torch.arange(FADE, device=part.device) + 0.5) / FADE).reshape(-1, *[1] * (2 - dim))
    if span.before:
        part.narrow(dim, 0, FADE).mul_(rising)
    if span.after:
        part.narrow(dim, part.shape[dim] - FADE, FADE).mul_(1 - rising)
