"""Prediction: scenes in, classes and confidence out, in overlapping tiles so that any size fits into memory.

Reading, cutting, the network and writing go on at once: scenes are read in one thread and cut in another, the network
runs in a third, and the caller deals with what is finished.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from models.channels import channels
from models.decision import decided
from models.errors import ModelError
from models.labels import LABELS, NODATA
from models.network import MULTIPLE
from models.prediction import Prediction
from models.runtime import Runtime, forward
from models.tiles import SMALLEST, Mosaic, Tile, tiles
from models.zoo import SegmentationModel

MEMORY_MB = 2048
"""Memory for the tiles that the network has before it, unless told otherwise."""

BYTES_PER_PIXEL = 700
"""What a pixel takes on its way through the network in 32 bits, at most (measured, see tests/bench/RESULTS.md)."""

T = TypeVar("T")


def predict(
    *,
    scene: np.ndarray,
    valid: np.ndarray,
    model: SegmentationModel,
    runtime: Runtime = "auto",
    memory_mb: int = MEMORY_MB,
) -> Prediction:
    """Return what `model` sees in `scene`.

    `scene` is float32 (B, H, W), reflectance (radar: linear gamma0) in the order of the model's bands; `valid` is
    bool (H, W). What is not valid is nodata in the result. The network sees it all the same (to it a cloud looks like
    a cloud, a hole like nothing on Earth), but for what is no finite number, and for what is 0 in all bands besides.
    The network takes at most `memory_mb`, or what a tile of 768 × 768 pixels takes if that is more.
    Raises ModelError when the bands do not fit, or `runtime` is not to be had.
    """
    [only] = predict_each([(scene, valid)], model=model, runtime=runtime, memory_mb=memory_mb)
    return only


def predict_each(
    scenes: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    model: SegmentationModel,
    runtime: Runtime = "auto",
    memory_mb: int = MEMORY_MB,
) -> Iterator[Prediction]:
    """Yield what `model` sees in each of `scenes`, pairs of `scene` and `valid` as `predict` takes them, in order.

    `scenes` is drawn on from another thread, three or four ahead of what is given out. On a GPU tiles of equal shape
    go through the network together, whichever scene they are of.
    """
    cuts = ahead(_cuts(ahead(scenes, 1), model, side_for(memory_mb)), 2)
    return ahead(_predictions(cuts, model, runtime, memory_mb), 1)


def side_for(memory_mb: int) -> int:
    """Return how many pixels a side a tile may have that takes `memory_mb` of the network."""
    return max(isqrt(memory_mb * 2**20 // BYTES_PER_PIXEL) // MULTIPLE * MULTIPLE, SMALLEST)


def probabilities(planes: np.ndarray, model: SegmentationModel) -> np.ndarray:
    """Return float32 (11, H, W), the probabilities of the classes for standardised `planes` (channels, H, W).

    PyTorch runs the network with the weights that it has now, so this serves a model in training too.
    """
    height, width = planes.shape[1:]
    run, mosaic = forward(model, "torch"), Mosaic(width)
    chance = np.empty((len(LABELS), height, width), np.float32)
    with torch.inference_mode():
        for tile in tiles(height, width, side=1024):
            batch = torch.from_numpy(_window(planes, tile)).unsqueeze(0).to(model.device)
            rows, columns, done = mosaic.add(tile, run(batch)[0])
            chance[:, rows, columns] = done.cpu()
    return chance


def ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """Yield `items`, of which up to `count` are made ahead in a thread; what they raise is raised here, in its turn."""
    iterator, end = iter(items), object()
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, iterator, end) for _ in range(count))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, iterator, end))
            yield item  # type: ignore[misc]
    finally:
        pool.shutdown(cancel_futures=True)


class _Canvas:
    """The result of one scene in the making, on the model's device."""

    def __init__(self, valid: np.ndarray, device: torch.device) -> None:
        self._valid = valid
        self._mosaic = Mosaic(valid.shape[1])
        empty = torch.empty((3, *valid.shape), dtype=torch.uint8, device=device)
        self._classes, self._confidence, self._footprint = empty

    def add(self, tile: Tile, chance: torch.Tensor) -> None:
        rows, columns, done = self._mosaic.add(tile, chance)
        classes, confidence = decided(done)
        self._classes[rows, columns] = classes
        self._confidence[rows, columns] = (100 * confidence).round().to(torch.uint8)
        self._footprint[rows, columns] = (100 * (1 - done[0])).round().to(torch.uint8)

    def prediction(self) -> Prediction:
        found = (plane.cpu().numpy() for plane in (self._classes, self._confidence, self._footprint))
        return Prediction(*(np.where(self._valid, plane, NODATA).astype(np.uint8, copy=False) for plane in found))


class _Cut(NamedTuple):
    """One tile for the network: `planes` float32 (channels, h, w), not yet standardised; None if nothing is valid.

    `seen` bool (h, w) is where it shows the network anything.
    """

    canvas: _Canvas
    tile: Tile
    seen: torch.Tensor
    planes: torch.Tensor | None
    last: bool


def _cuts(scenes: Iterable[tuple[np.ndarray, np.ndarray]], model: SegmentationModel, side: int) -> Iterator[_Cut]:
    bands, gpu = model.sensor_set.bands, model.device.type == "cuda"
    for scene, given in scenes:
        if len(scene) != len(bands):
            raise ModelError(f"{model.name} sees {len(bands)} bands ({', '.join(bands)}), the scene has {len(scene)}")
        seen = (scene != 0).any(axis=0) | given
        for band in scene:
            seen &= np.isfinite(band)
        valid = seen & given
        canvas = _Canvas(valid, model.device)
        cut = list(tiles(*valid.shape, side=side))
        for tile in cut:
            part, planes = torch.from_numpy(_window(seen, tile)), None
            if _window(valid, tile).any():
                planes = torch.from_numpy(channels(_window(scene, tile), model.sensor_set))
                planes = planes.pin_memory() if gpu else planes
            yield _Cut(canvas, tile, part, planes, tile is cut[-1])


def _window(array: np.ndarray, tile: Tile) -> np.ndarray:
    """Return `array` (..., H, W) where `tile` is; beyond the scene as at its edge, for a dark rim looks like water."""
    rows, columns = (slice(span.start, span.stop) for span in tile)
    part = array[..., rows, columns]
    missing = [(0, 0)] * (array.ndim - 2) + [(0, n - m) for n, m in zip(tile.shape, part.shape[-2:], strict=True)]
    return np.pad(part, missing, mode="edge") if part.shape[-2:] != tile.shape else np.ascontiguousarray(part)


@torch.inference_mode()
def _predictions(
    cuts: Iterable[_Cut], model: SegmentationModel, runtime: Runtime, memory_mb: int
) -> Iterator[Prediction]:
    run = forward(model, runtime)
    for batch in _batches(cuts, memory_mb * 2**20 // BYTES_PER_PIXEL if model.device.type == "cuda" else 0):
        seen = [cut for cut in batch if cut.planes is not None]
        chances = iter(run(_input(seen, model)) if seen else ())
        for cut in batch:
            if cut.planes is None:
                cut.canvas.add(cut.tile, torch.zeros(len(LABELS), *cut.tile.shape, device=model.device))
            else:
                cut.canvas.add(cut.tile, next(chances))
            if cut.last:
                yield cut.canvas.prediction()


def _batches(cuts: Iterable[_Cut], pixels: int) -> Iterator[list[_Cut]]:
    """Yield runs of tiles of equal shape, of at most `pixels` together or of one tile."""
    batch: list[_Cut] = []
    for cut in cuts:
        if batch and cut.tile.shape != batch[0].tile.shape:
            yield batch
            batch = []
        batch.append(cut)
        height, width = cut.tile.shape
        if (len(batch) + 1) * height * width > pixels:
            yield batch
            batch = []
    if batch:
        yield batch


def _input(cuts: list[_Cut], model: SegmentationModel) -> torch.Tensor:
    """Return the network's input: as `channels.standardised`, but on the model's device and for many tiles at once."""
    device = model.device
    planes = torch.stack([cut.planes.to(device, non_blocking=True) for cut in cuts if cut.planes is not None])
    seen = torch.stack([cut.seen.to(device, non_blocking=True) for cut in cuts])
    mean, std = (torch.tensor(of, device=device).reshape(-1, 1, 1) for of in (model.card.mean, model.card.std))
    return planes.sub_(mean).div_(std).masked_fill_(~seen.unsqueeze(1), 0)
