"""Windows: the endless stream of augmented looks at chips and places on which a network is trained."""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

from models.augment import clouded, observed_anew, patched, turned, window
from models.channels import channels, standardised
from models.chip import Chip
from models.errors import ModelError
from models.labels import COMPONENTS, NODATA
from models.network import MULTIPLE
from models.places import Places, mosaic
from models.recipe import Recipe
from models.sensors import SensorSet

SHARE_OF_COMPONENTS = 0.5
"""Of the windows of chips, which lie about a component drawn by the root of its pixels."""

Sample = tuple[torch.Tensor, torch.Tensor]
"""float32 (channels, H, W), standardised, and int64 labels (H, W)."""


class Windows(IterableDataset):
    """Windows of (side, side), from batch `start` on; each is drawn from the seed and its number alone.

    Raises ModelError for chips smaller than a window.
    """

    def __init__(
        self,
        chips: Sequence[Chip],
        places: Places | None,
        *,
        recipe: Recipe,
        seen: SensorSet,
        mean: list[float],
        std: list[float],
        start: int = 0,
    ) -> None:
        for chip in chips:
            if min(chip.labels.shape) < recipe.side:
                raise ModelError(f"chip {chip.name} is smaller than a window: give a side of {min(chip.labels.shape)}")
        self.chips, self.places, self.recipe, self.start = chips, places, recipe, start
        self.seen, self.mean, self.std = seen, mean, std
        self.having = {c.id: [i for i, chip in enumerate(chips) if (chip.labels == c.id).any()] for c in COMPONENTS}
        pixels = {c: sum(int((chips[i].labels == c).sum()) for i in having) for c, having in self.having.items()}
        self.classes = [c for c, having in self.having.items() if having]
        weights = np.sqrt([pixels[c] for c in self.classes])
        self.weights = weights / weights.sum()

    def __iter__(self) -> Iterator[Sample]:
        # The loader takes whole batches of its workers in turn: their number changes nothing.
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for batch in count(self.start + first, step):
            for number in range(batch * self.recipe.batch, (batch + 1) * self.recipe.batch):
                yield self.sample(np.random.default_rng([self.recipe.seed, number]))

    def sample(self, rng: np.random.Generator) -> Sample:
        """Return one window."""
        if self.places is not None and rng.random() < self.recipe.places:
            scene, labels = self._another_day(*mosaic(self.places, side=self.recipe.side, rng=rng), rng)
        else:
            scene, labels = self._of_a_chip(rng)
            if rng.random() < self.recipe.cutmix:
                scene, labels = patched(scene, labels, *self._of_a_chip(rng), rng=rng)
        return tensors(scene, labels, self.seen, self.mean, self.std)

    def _of_a_chip(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        around = None
        chip = self.chips[int(rng.integers(len(self.chips)))]
        if self.classes and rng.random() < SHARE_OF_COMPONENTS:
            around = int(rng.choice(self.classes, p=self.weights))
            chip = self.chips[int(rng.choice(self.having[around]))]
        scene, labels = window(chip.scene, chip.labels, side=self.recipe.side, around=around, rng=rng)
        if rng.random() < self.recipe.cloud:
            scene, labels = clouded(scene, labels, bands=self.seen.bands, rng=rng)
        return self._another_day(scene, labels, rng)

    def _another_day(
        self, scene: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        scene, labels = turned(scene, labels, rng=rng)
        if rng.random() < self.recipe.weather:
            scene = observed_anew(scene, bands=self.seen.bands, rng=rng)
        return scene, labels


class Whole(Dataset):
    """Chips as they are, filled up with 255 to what the network takes: what it is validated on."""

    def __init__(self, chips: Sequence[Chip], seen: SensorSet, mean: list[float], std: list[float]) -> None:
        self.chips, self.seen, self.mean, self.std = chips, seen, mean, std

    def __len__(self) -> int:
        return len(self.chips)

    def __getitem__(self, index: int) -> Sample:
        chip = self.chips[index]
        beyond = [(0, -length % MULTIPLE) for length in chip.labels.shape]
        labels = np.pad(chip.labels, beyond, constant_values=NODATA)
        return tensors(np.pad(chip.scene, [(0, 0), *beyond]), labels, self.seen, self.mean, self.std)


def tensors(scene: np.ndarray, labels: np.ndarray, seen: SensorSet, mean: list[float], std: list[float]) -> Sample:
    """Return what the network gets of `scene` (bands, H, W), and the labels, 255 where nothing is seen."""
    valid = (scene != 0).any(axis=0)
    planes = standardised(channels(scene, seen), valid=valid, mean=mean, std=std)
    return torch.from_numpy(planes), torch.from_numpy(np.where(valid, labels, NODATA).astype(np.int64))
