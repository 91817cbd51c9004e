"""Places: small looks at the ground of which only is known whether there is mining in them.

They teach what labelled chips of mines cannot: rivers, fields and towns that are no mine, and diggings that look
unlike the large mines. The layout is that of the labelled pairs of the README: `pairs.csv` and `images/`.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import ModelError
from models.geotiff import read_planes
from models.labels import NODATA
from models.sensors import SensorSet

SIDE = 48
"""Pixels a side of a place."""

SOMEWHERE = 254
"""Label of every pixel of a place that holds a mine somewhere."""


@dataclass(frozen=True)
class Places:
    """Looks at places: `scenes` float32 (N, bands, 48, 48), reflectance, 0 where there is none; `mined` bool (N,)."""

    scenes: np.ndarray
    mined: np.ndarray

    def checksum(self) -> str:
        """Return the SHA-256 over looks and what is known of them."""
        return hashlib.sha256(self.scenes.tobytes() + self.mined.tobytes()).hexdigest()


def read_places(folder: Path, seen: SensorSet) -> Places:
    """Return the places of split `train` in `folder`; raises ModelError for a folder that does not hold them.

    The later look at emerging mining is mined and the earlier one is not, unless an older map has mining there;
    both looks at any other change are not mined.
    """
    table = folder / "pairs.csv"
    if not table.exists():
        raise ModelError(f"{folder} has no pairs.csv: it is no folder of pairs")
    scenes, mined = [], []
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] != "train":
                continue
            emerged = row["label"] == "1"
            looks = ("t1",) if emerged and row["mined_before"] == "1" else ("t0", "t1")
            for look in looks:
                scenes.append(_look(folder / "images" / f"{row['id']}_{look}.tif", seen))
                mined.append(emerged and look == "t1")
    if len(set(mined)) < 2:
        raise ModelError(f"{folder} must have places with and without mining in split 'train'")
    return Places(np.stack(scenes), np.array(mined))


def _look(path: Path, seen: SensorSet) -> np.ndarray:
    scene = read_planes(path, seen.bands)[0]
    if scene.shape[1:] != (SIDE, SIDE):
        raise ModelError(f"{path} is {scene.shape[1]} × {scene.shape[2]} pixels: a place is {SIDE} × {SIDE}")
    return scene


def mosaic(places: Places, *, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a window of (side, side) filled with places, half of them mined, and its labels.

    The places lie on a centred grid, which `turned` keeps; the margin is 255.
    """
    count = side // SIDE
    margin = (side - count * SIDE) // 2
    scene = np.zeros((places.scenes.shape[1], side, side), np.float32)
    labels = np.full((side, side), NODATA, np.uint8)
    for top in range(margin, margin + count * SIDE, SIDE):
        for left in range(margin, margin + count * SIDE, SIDE):
            i = rng.choice(np.flatnonzero(places.mined == (rng.random() < 0.5)))
            window = (slice(top, top + SIDE), slice(left, left + SIDE))
            scene[:, *window] = places.scenes[i]
            labels[window] = SOMEWHERE if places.mined[i] else 0
    return scene, labels
