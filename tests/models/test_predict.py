"""The prediction engine: tiles, runtimes and what they make of a scene, with stand-in networks and the shipped ones."""

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.simulate import make_chips
from models import predict as engine
from models import zoo
from models.channels import channels, standardised
from models.chip import Chip
from models.chips import read_chips
from models.decision import decided
from models.errors import ModelError
from models.predict import ahead, predict, predict_each, probabilities
from models.runtime import forward
from models.tiles import FADE, OVERLAP, Mosaic, spans, tiles
from models.zoo import SegmentationModel

SIDES = st.integers(24, 40).map(lambda n: 32 * n)
LENGTHS = st.integers(1, 3000)


class Recorder(torch.nn.Module):
    """A network that looks at no neighbour: 11 mixtures of the three bands. It keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[torch.Tensor] = []
        self.mix = torch.nn.Conv2d(3, 11, 1)
        torch.nn.init.normal_(self.mix.weight, generator=torch.Generator().manual_seed(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.given.append(batch)
        return self.mix(batch)


@pytest.fixture
def model() -> SegmentationModel:
    """A model that sees s2-rgb through a Recorder."""
    return SegmentationModel(zoo.card("s2-rgb-mines"), "0" * 64, Recorder(), torch.device("cpu"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chips")
    make_chips(folder, chips=16, size=512, seed=5)
    return folder


def scene_of(*shape: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return a scene of noise in three bands, and its validity: three quarters of the pixels."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 0.4, (3, *shape)).astype(np.float32), rng.random(shape) < 0.75


def mosaic_of(folder: Path, bands: tuple[str, ...], *, across: int) -> np.ndarray:
    """Return reflectance of 2048 × 2048 pixels, the first chips of `folder` side by side."""
    rows = []
    files = iter(sorted((folder / "images").glob("*.tif")))
    for _ in range(across):
        row = []
        for _ in range(across):
            with rasterio.open(next(files)) as dataset:
                row.append(dataset.read([dataset.descriptions.index(band) + 1 for band in bands]))
        rows.append(np.concatenate(row, axis=2))
    return np.concatenate(rows, axis=1)[:, :2048, :2048].astype(np.float32) * 1e-4


@given(LENGTHS, SIDES)
def test_spans_share_enough_and_lie_on_the_grid_of_the_network(length: int, side: int) -> None:
    found = spans(length, side=side)
    assert found[0].start == 0 and length <= found[-1].stop < length + 32
    assert {span.stop - span.start for span in found} == {found[0].stop}  # equally long
    assert found[0].stop <= side and all(span.start % 32 == 0 for span in found)
    assert all(one.stop - other.start >= OVERLAP for one, other in itertools.pairwise(found))
    assert all(one.last - other.first == FADE for one, other in itertools.pairwise(found))
    for span in found:
        assert span.first - span.start >= (OVERLAP - FADE) // 2 - 1 or span.first == 0
        assert span.stop - span.last >= (OVERLAP - FADE) // 2 - 1 or span.last == length


@given(LENGTHS, LENGTHS, SIDES)
@settings(max_examples=25, deadline=None)
def test_a_mosaic_gives_every_pixel_once_and_unchanged(height: int, width: int, side: int) -> None:
    field = torch.from_numpy(np.random.default_rng(0).random((1, height + 32, width + 32), np.float32))
    mosaic, made, times = Mosaic(width), torch.zeros(height, width), torch.zeros(height, width)
    for tile in tiles(height, width, side=side):
        seen = field[:, tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop].clone()
        rows, columns, done = mosaic.add(tile, seen)
        made[rows, columns], times[rows, columns] = done[0], times[rows, columns] + 1
    assert (times == 1).all()
    assert torch.allclose(made, field[0, :height, :width], atol=1e-6)


def test_tiles_do_not_show_in_what_a_network_without_neighbours_sees(model: SegmentationModel) -> None:
    scene, valid = scene_of(1000, 1500)
    seen = predict(scene=scene, valid=valid, model=model, runtime="torch", memory_mb=512)
    whole = standardised(channels(scene, model.sensor_set), valid=valid, mean=model.card.mean, std=model.card.std)
    chance = probabilities(whole, model)
    classes, confidence = (of.numpy() for of in decided(torch.from_numpy(chance)))
    assert (seen.classes == classes)[valid].mean() > 0.99999
    assert np.abs(seen.confidence - 100 * confidence)[valid].max() <= 0.51
    assert np.abs(seen.footprint - 100 * (1 - chance[0]))[valid].max() <= 0.51
    assert (seen.classes[~valid] == 255).all() and (seen.confidence[~valid] == 255).all()


def test_nan_and_nodata_never_reach_the_network(model: SegmentationModel) -> None:
    scene, valid = scene_of(900, 800)
    scene[:, 400:420, 100:300], valid[400:420, 100:300] = 0, False
    scene[1, 100:200, 50:70] = np.nan
    scene[2, 300, 300] = np.inf
    unknown = ~valid | ~np.isfinite(scene).all(axis=0)
    seen = predict(scene=scene, valid=valid, model=model, runtime="torch", memory_mb=512)
    assert ((seen.classes == 255) == unknown).all() and ((seen.confidence == 255) == unknown).all()
    assert valid[100, 50:70].any(), "the validity that was given is not changed"
    for batch in model.network.given:  # type: ignore[union-attr]
        assert batch.isfinite().all() and batch.abs().max() < 100
    hidden = np.where(np.isfinite(scene).all(axis=0), scene, 0)
    again = predict(scene=hidden, valid=~unknown, model=model, runtime="torch", memory_mb=512)
    assert (again.classes == seen.classes).all() and (again.footprint == seen.footprint).all()


def test_a_cloud_reaches_the_network_and_has_no_class(model: SegmentationModel) -> None:
    scene, valid = scene_of(900, 800)
    cloud = valid.copy()
    cloud[200:400, 100:300] = False
    scene[:, 0:50, 0:50] = 0  # dark, and valid: it was seen
    seen, clear = (predict(scene=scene, valid=of, model=model, runtime="torch", memory_mb=512) for of in (cloud, valid))
    assert all((plane[200:400, 100:300] == 255).all() for plane in (seen.classes, seen.confidence, seen.footprint))
    assert (seen.classes == clear.classes)[cloud].all() and ((seen.classes != 255) == cloud).all()
    with_cloud, without = torch.cat(list(model.network.given)).chunk(2)  # type: ignore[arg-type]
    assert (with_cloud == without).all()


def test_where_nothing_is_valid_the_network_is_not_asked(model: SegmentationModel) -> None:
    scene, valid = scene_of(700, 2400)
    valid[:, 500:] = False
    seen = predict(scene=scene, valid=valid, model=model, runtime="torch", memory_mb=512)
    assert len(model.network.given) == 1  # type: ignore[arg-type]
    assert ((seen.classes == 255) == ~valid).all()
    assert (predict(scene=scene, valid=valid & False, model=model).classes == 255).all()


def test_neighbours_in_the_batch_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = zoo.load("s2-rgb-mines", device="cpu")
    scenes = [scene_of(*shape, seed=seed) for seed, shape in enumerate([(64, 96), (64, 96), (96, 64), (50, 90)])]
    alone = [predict(scene=scene, valid=valid, model=model, runtime="torch") for scene, valid in scenes]
    together, sizes = engine._batches, []

    def batches(cuts: Iterator[engine._Cut], pixels: int) -> Iterator[list[engine._Cut]]:
        for batch in together(cuts, 10_000 * 96):
            sizes.append(len(batch))
            yield batch

    monkeypatch.setattr(engine, "_batches", batches)
    seen = list(predict_each(iter(scenes), model=model, runtime="torch"))
    assert sizes == [2, 1, 1]
    for one, other in zip(alone, seen, strict=True):
        assert (one.classes == other.classes).all()
        assert np.abs(one.confidence.astype(int) - other.confidence).max() <= 1


def test_threads_may_predict_at_once() -> None:
    model = zoo.load("s2-rgb-mines", device="cpu")
    scenes = [scene_of(256, 256, seed=seed) for seed in range(6)]

    def classes(one: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return predict(scene=one[0], valid=one[1], model=model).classes

    alone = [classes(one) for one in scenes]
    with ThreadPoolExecutor(3) as pool:
        assert all((a == b).all() for a, b in zip(alone, pool.map(classes, scenes), strict=True))


def test_scenes_are_drawn_as_they_are_needed_and_their_errors_pass(model: SegmentationModel) -> None:
    drawn = []

    def scenes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number in range(100):
            drawn.append(number)
            yield scene_of(40, 32 + number)
        raise OSError("unreadable")

    found = predict_each(scenes(), model=model, runtime="torch")
    assert next(found).classes.shape == (40, 32)
    time.sleep(0.2)
    assert len(drawn) <= 6
    assert [one.classes.shape[1] for _, one in zip(range(98), found, strict=False)] == list(range(33, 131))
    next(found)
    with pytest.raises(OSError, match="unreadable"):
        next(found)
    with pytest.raises(ModelError, match="sees 3 bands"):
        predict(scene=np.zeros((4, 8, 8), np.float32), valid=np.ones((8, 8), bool), model=model)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_ahead_gives_the_same_in_the_same_order(items: list[int], count: int) -> None:
    assert list(ahead(items, count)) == items


def test_a_runtime_that_is_not_there_says_so(model: SegmentationModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.runtime.find_spec", lambda name: None)
    assert forward(model, "auto")(torch.zeros(1, 3, 32, 32)).shape == (1, 11, 32, 32)
    with pytest.raises(ModelError, match=r"minecam\[fast\]"):
        forward(model, "openvino")


def test_memory_does_not_grow_with_the_scene() -> None:
    grown = [_grown(height) for height in (2048, 8192)]
    results = 5 * 6144 * 1024 / 2**20  # validity, and both planes once on the device and once handed out
    assert grown[1] - grown[0] < results + 30, f"{grown} MB"


def _grown(height: int) -> float:
    """Return by how many MB the peak memory of a process of its own grows in predicting `height` × 1024 pixels."""
    program = f"""
import resource, sys
sys.path[:0] = {sys.path!r}
import numpy as np, torch
from models import zoo
from models.predict import predict
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model = zoo.SegmentationModel(zoo.card("s2-rgb-mines"), "", torch.nn.Conv2d(3, 11, 1), torch.device("cpu"))
scene, valid = np.full((3, {height}, 1024), 0.1, np.float32), np.ones(({height}, 1024), bool)
predict(scene=scene[:, :32, :32], valid=valid[:32, :32], model=model, runtime="torch")
before = peak()
predict(scene=scene, valid=valid, model=model, runtime="torch", memory_mb=512)
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


RUNTIMES = [
    pytest.param("cpu", "torch", 0.995),
    pytest.param(
        "cpu", "openvino", 0.995, marks=pytest.mark.skipif(not find_spec("openvino"), reason="no OpenVINO here")
    ),
    pytest.param(  # bfloat16: six pixels in a thousand are so near to another class that they change
        "cuda", "torch", 0.99, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    ),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("device", "runtime", "least"), RUNTIMES)
def test_every_runtime_keeps_the_classes_on_real_chips(
    device: str, runtime: engine.Runtime, least: float, shared_data: Path
) -> None:
    reference, model = (zoo.load("s2-rgb-mines", device=where) for where in ("cpu", device))
    _keeps(reference, model, runtime, least, read_chips(shared_data / "chips", model.sensor_set, split="val"))


@pytest.mark.slow
@pytest.mark.parametrize(("device", "runtime", "least"), RUNTIMES)
def test_every_runtime_keeps_the_classes_on_simulated_chips(
    device: str, runtime: engine.Runtime, least: float, simulated: Path
) -> None:
    reference, model = (zoo.load("s2-10-simulated", device=where) for where in ("cpu", device))
    _keeps(reference, model, runtime, least, read_chips(simulated, model.sensor_set, split="train")[:4])


def _keeps(
    reference: SegmentationModel, model: SegmentationModel, runtime: engine.Runtime, least: float, chips: list[Chip]
) -> None:
    """Assert that `model` agrees with the network of `reference` in 32 bits, as PyTorch runs it of itself."""
    same = []
    for chip in chips:
        planes = standardised(
            channels(chip.scene, model.sensor_set), valid=chip.valid, mean=model.card.mean, std=model.card.std
        )
        with torch.inference_mode():
            logits = reference.network(torch.from_numpy(planes)[None])[0]
            expected = decided((logits / reference.card.temperature).softmax(dim=0))[0].numpy()
        # The bands are the channels of both models.
        found = predict(scene=chip.scene, valid=chip.valid, model=model, runtime=runtime).classes
        same.append((found == expected)[chip.valid])
    assert np.concatenate(same).mean() >= least


@pytest.mark.slow
@pytest.mark.parametrize("memory_mb", [512, engine.MEMORY_MB])
def test_no_seams_in_a_simulated_scene(simulated: Path, memory_mb: int) -> None:
    model = zoo.load("s2-10-simulated", device="cpu")
    assert _seams(mosaic_of(simulated, model.sensor_set.bands, across=4), model, memory_mb) < 0.005


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("memory_mb", [512, engine.MEMORY_MB])
def test_no_seams_in_real_mines(shared_data: Path, memory_mb: int) -> None:
    model = zoo.load("s2-rgb-mines", device="cpu")
    assert _seams(mosaic_of(shared_data / "chips", model.sensor_set.bands, across=5), model, memory_mb) < 0.005


def _seams(scene: np.ndarray, model: SegmentationModel, memory_mb: int) -> float:
    """Return the share of pixels to which tiles give another class than the network that sees the scene at once."""
    valid = (scene != 0).any(axis=0)
    assert scene.shape[1:] == (2048, 2048) and valid.mean() > 0.9
    cut = predict(scene=scene, valid=valid, model=model, memory_mb=memory_mb).classes
    whole = predict(scene=scene, valid=valid, model=model, memory_mb=4096).classes
    share = float((cut != whole)[valid].mean())
    print(f"{model.name}, {memory_mb} MB: {100 * share:.3f} % of the pixels")
    assert share > 0, "the scene was cut"
    return share
