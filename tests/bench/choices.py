"""What the engine's choices are worth: the classes that a runtime keeps, and the seams that an overlap leaves.

`python tests/bench/choices.py MODEL CHIPS` takes labelled chips (images/, labels/, sites.csv) and prints two tables.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from models import tiles, zoo
from models.channels import channels, standardised
from models.chips import read_chips
from models.runtime import _compiled, forward
from models.zoo import SegmentationModel

Run = Callable[[torch.Tensor], torch.Tensor]


def candidates(model: SegmentationModel) -> Iterator[tuple[str, Run]]:
    """Yield what could run the network on a CPU, first PyTorch as it is, with which the others are compared."""
    network = model.network
    half = _compiled(network, model.card.temperature, model.sensor_set.channels, "bf16")

    def channels_last(batch: torch.Tensor) -> torch.Tensor:
        return network(batch.contiguous(memory_format=torch.channels_last))

    def bfloat16(batch: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return channels_last(batch)

    yield "PyTorch", network
    yield "PyTorch, channels last (used without OpenVINO)", channels_last
    yield "PyTorch, channels last, bfloat16", bfloat16
    yield "OpenVINO (used)", forward(model, "openvino")
    yield "OpenVINO, bfloat16", lambda batch: torch.from_numpy(half(batch.numpy())[0])


def runtimes(model: SegmentationModel, inputs: list[torch.Tensor]) -> None:
    """Print, for every candidate, the share of pixels to which it gives the same class, and its best speed of five."""
    print(f"\n| {model.name} on {len(inputs)} chips | same class, % | Mpx/s |\n|---|---|---|")
    expected: list[torch.Tensor] = []
    tile = torch.randn(1, inputs[0].shape[1], 1024, 1024)
    for name, run in candidates(model):
        found = [run(one).argmax(dim=1) for one in inputs]
        expected = expected or found
        same = np.mean([(a == b).float().mean().item() for a, b in zip(found, expected, strict=True)])
        seconds = min(_seconds(run, tile) for _ in range(5))
        print(f"| {name} | {100 * same:.2f} | {tile[0, 0].numel() / 1e6 / seconds:.2f} |", flush=True)


def _seconds(run: Run, batch: torch.Tensor) -> float:
    start = time.perf_counter()
    run(batch)
    return time.perf_counter() - start


def seams(model: SegmentationModel, scene: torch.Tensor) -> None:
    """Print the share of pixels to which tiles give another class than the network that sees `scene` at once."""
    run = forward(model, "openvino")
    height, width = scene.shape[-2:]
    whole = run(scene)[0].argmax(dim=0)
    print(f"\n| {model.name}, {height} × {width} pixels | tiles | seen twice, % | other class, % |\n|---|---|---|---|")
    for side in (768, 1024, 1728):
        for tiles.OVERLAP in (128, 192, 256):
            cut = list(tiles.tiles(height, width, side=side))
            mosaic, found = tiles.Mosaic(width), torch.empty_like(whole)
            for tile in cut:
                rows, columns = (slice(span.start, span.stop) for span in tile)
                at_rows, at_columns, done = mosaic.add(tile, run(scene[:, :, rows, columns].contiguous())[0])
                found[at_rows, at_columns] = done.argmax(dim=0)
            twice = len(cut) * cut[0].shape[0] * cut[0].shape[1] / height / width - 1
            words = f"{len(cut)} of {cut[0].shape[0]}², overlap {tiles.OVERLAP}"
            print(
                f"| side {side} | {words} | {100 * twice:.0f} | {100 * (found != whole).float().mean():.2f} |",
                flush=True,
            )


def main(name: str, chips: str) -> None:
    """Print both tables for the model called `name`: on the val split, and on a mosaic of all labelled chips."""
    model = zoo.load(name, device="cpu")
    of = {split: read_chips(Path(chips), model.sensor_set, split=split) for split in ("val", "train")}
    inputs = {
        split: [
            torch.from_numpy(
                standardised(
                    channels(c.scene, model.sensor_set), valid=c.valid, mean=model.card.mean, std=model.card.std
                )
            )[None]
            for c in several
        ]
        for split, several in of.items()
    }
    size = min(min(one.shape[-2:]) for one in inputs["val"])
    across = 2048 // size + 1
    every = [one[..., :size, :size] for one in inputs["val"] + inputs["train"]]
    rows = [torch.cat([every[(row * across + i) % len(every)] for i in range(across)], dim=3) for row in range(across)]
    with torch.inference_mode():
        runtimes(model, inputs["val"])
        seams(model, torch.cat(rows, dim=2)[:, :, :2048, :2048].contiguous())


if __name__ == "__main__":
    main(*sys.argv[1:])
