"""The contenders of the benchmark: each takes GeoTIFFs on disk to class rasters on disk with the same weights.

Run by bench.py, one contender to a process, ours in the product's environment and the rivals in their own:
`python contenders.py NAME MODEL OUT FILE...` prints one line of JSON. The first file is a small one, to warm up on.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio
import torch

from models import torch_compat, zoo
from models.zoo import SegmentationModel

WINDOW, STRIDE = 512, 384
"""Of the contenders that are not ours: windows that share a quarter with their neighbour."""

Files = list[Path]


def engine(files: Files, out: Path, model: SegmentationModel, runtime: str = "auto") -> None:
    """Read and write as `minecam model predict` does, predict as `minecam run` does."""
    from models.predict import predict_each
    from tasks.rasters.scene import read_scene, write_classes

    profiles = []

    def scenes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for file in files:
            planes, valid, profile, _ = read_scene(file, model.sensor_set.bands)
            profiles.append(profile)
            yield planes, valid

    for i, seen in enumerate(predict_each(scenes(), model=model, runtime=runtime)):  # type: ignore[arg-type]
        write_classes(out / files[i].name, seen.classes, profiles[i])


def engine_torch(files: Files, out: Path, model: SegmentationModel) -> None:
    """Ours with PyTorch on a CPU too, to tell what the engine does from what OpenVINO does."""
    engine(files, out, model, "torch")


@torch.no_grad()
def plain(files: Files, out: Path, model: SegmentationModel) -> None:
    """The loop of the tutorials: one overlapping window after the other, probabilities summed up."""
    for file in files:
        with rasterio.open(file) as source:
            total, count = _sums(source.height, source.width)
            for top in _starts(source.height):
                for left in _starts(source.width):
                    window = rasterio.windows.Window(left, top, WINDOW, WINDOW)
                    image = torch.from_numpy(source.read(window=window).astype(np.float32) / 10_000)
                    chance = model.network(_normalised(image[None], model)).softmax(dim=1)[0].cpu().numpy()
                    total[:, top : top + WINDOW, left : left + WINDOW] += chance
                    count[top : top + WINDOW, left : left + WINDOW] += 1
            _save(out / file.name, (total / count).argmax(axis=0), source.profile)


def terratorch(files: Files, out: Path, model: SegmentationModel) -> None:
    """TerraTorch's tiled inference, blending as it does by default."""
    from terratorch.tasks.tiled_inference import tiled_inference

    for file in files:
        with rasterio.open(file) as source:
            image = torch.from_numpy(source.read().astype(np.float32) / 10_000)
            logits = tiled_inference(
                model.network, _normalised(image[None], model), crop=WINDOW, stride=STRIDE, batch_size=BATCH
            )
            _save(out / file.name, logits[0].argmax(dim=0).cpu().numpy(), source.profile)


@torch.no_grad()
def torchgeo(files: Files, out: Path, model: SegmentationModel) -> None:
    """Torchgeo's grid sampler with a data loader, probabilities summed up."""
    from torch.utils.data import DataLoader
    from torchgeo.datasets import RasterDataset, stack_samples
    from torchgeo.samplers import GridGeoSampler

    for file in files:
        with rasterio.open(file) as source:
            profile, total, count = source.profile, *_sums(source.height, source.width)
        dataset = RasterDataset(str(file))
        sampler = GridGeoSampler(dataset, size=WINDOW, stride=STRIDE)
        loader = DataLoader(dataset, batch_size=BATCH, sampler=sampler, collate_fn=stack_samples, num_workers=1)
        west, north, metres = profile["transform"].c, profile["transform"].f, profile["transform"].a
        for sample in loader:
            chances = model.network(_normalised(sample["image"] / 10_000, model)).softmax(dim=1).cpu().numpy()
            for (x, y, _), chance in zip(sample["bounds"], chances, strict=True):
                left, top = round((x.start - west) / metres), round((north - y.stop) / metres)
                # The grid reaches beyond the scene, to all sides.
                rows = slice(max(-top, 0), min(WINDOW, profile["height"] - top))
                columns = slice(max(-left, 0), min(WINDOW, profile["width"] - left))
                here = (slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop))
                total[:, *here] += chance[:, rows, columns]
                count[here] += 1
        _save(out / file.name, (total / np.maximum(count, 1)).argmax(axis=0), profile)


@torch.inference_mode()
def network(files: Files, out: Path, model: SegmentationModel, runtime: str = "auto") -> None:
    """The limit: nothing but the network, on the engine's tiles, already in memory."""
    from models.predict import MEMORY_MB, side_for
    from models.runtime import forward
    from models.tiles import tiles

    run = forward(model, runtime)  # type: ignore[arg-type]
    for file in files:
        with rasterio.open(file) as source:
            cut = list(tiles(source.height, source.width, side=side_for(MEMORY_MB)))
            tile = torch.randn(1, source.count, *cut[0].shape, device=model.device)
        for _ in cut:
            run(tile)
    if model.device.type == "cuda":
        torch.cuda.synchronize()


def network_torch(files: Files, out: Path, model: SegmentationModel) -> None:
    """The limit with PyTorch."""
    network(files, out, model, "torch")


def _starts(length: int) -> list[int]:
    return [*range(0, length - WINDOW, STRIDE), length - WINDOW]


def _sums(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((11, height, width), np.float32), np.zeros((height, width), np.float32)


def _normalised(images: torch.Tensor, model: SegmentationModel) -> torch.Tensor:
    mean, std = (torch.tensor(of).reshape(-1, 1, 1) for of in (model.card.mean, model.card.std))
    return ((images - mean) / std).to(model.device)


def _save(path: Path, classes: np.ndarray, profile: dict) -> None:
    kept = {name: profile[name] for name in ("crs", "transform", "width", "height")}
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="uint8", compress="deflate", tiled=True, **kept) as to:
        to.write(classes.astype(np.uint8), 1)


BATCH = 16 if torch.cuda.is_available() else 4

CONTENDERS: dict[str, Callable[[Files, Path, SegmentationModel], None]] = {
    of.__name__: of for of in (network, engine, network_torch, engine_torch, plain, terratorch, torchgeo)
}


def main(name: str, model: str, out: str, *files: str) -> None:
    """Run contender `name` over `files` and print seconds and peak memory as JSON."""
    torch_compat.ensure()  # before torchgeo and TerraTorch import torchvision
    loaded, folder = zoo.load(model), Path(out)
    run = CONTENDERS[name]
    run([Path(files[0])], folder, loaded)
    start = time.perf_counter()
    run([Path(file) for file in files[1:]], folder, loaded)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(seconds, 3), "peak_memory_mb": round(peak), "device": str(loaded.device)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
