"""Labelled pairs as chips: two looks at a place years apart, of which only is known whether mining appeared between.

A label for the whole place says nothing about its pixels, but the two dates do: where mining emerged, ground that was
overgrown and is bare or water now was dug. So pixels are labelled by rule, and a network learns which bare ground is
a mine's from the many places where bare ground is not.
"""

import csv
import hashlib
from pathlib import Path

import numpy as np

from models.channels import index
from models.chip import Chip
from models.errors import ModelError
from models.geotiff import read_planes
from models.labels import NODATA
from models.network import MULTIPLE
from models.sensors import SensorSet

EXCAVATION = 1
"""What newly bare ground of a mine is called: the rule cannot tell pits from heaps."""

OVERGROWN = {"NDVI": 0.7, "BSI": -0.2}
BARE = {"NDVI": 0.6, "BSI": -0.15}
WATER = 0.4
"""Overgrown is above the NDVI or below the BSI; bare is below the NDVI and above the BSI; water has a lower NDVI."""

FIFTHS = 5
"""One in so many degrees of the map is held out of training."""

_NEEDED = ("B02", "B04", "B08", "B11")


def drawn(before: np.ndarray, after: np.ndarray, *, emerged: bool, doubtful: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of both looks, uint8 (H, W): 0 background, 1 excavation, 255 unsure or not seen.

    `before` and `after` are float32 (4, H, W), reflectance of B02, B04, B08, B11, 0 where nothing is seen. `emerged`
    says that mining appeared between them, `doubtful` that an older map has mining there already. Overgrown ground is
    background always. Other ground is unsure in the later look at emerged mining, and in both looks where it is
    doubtful; else it is background.
    """
    looks = (before, after)
    seen = [(look != 0).any(axis=0) for look in looks]
    green = [_overgrown(look) for look in looks]
    labels = []
    for look_seen, look_green, unsure in zip(seen, green, (doubtful, doubtful or emerged), strict=True):
        label = np.where(look_green, 0, NODATA if unsure else 0)
        labels.append(np.where(look_seen, label, NODATA).astype(np.uint8))
    if emerged:
        labels[1][seen[0] & seen[1] & green[0] & _bare_or_water(after)] = EXCAVATION
    return labels[0], labels[1]


def _overgrown(look: np.ndarray) -> np.ndarray:
    ndvi, bsi = _indices(look)
    return (ndvi > OVERGROWN["NDVI"]) | (bsi < OVERGROWN["BSI"])


def _bare_or_water(look: np.ndarray) -> np.ndarray:
    ndvi, bsi = _indices(look)
    return ((ndvi < BARE["NDVI"]) & (bsi > BARE["BSI"])) | (ndvi < WATER)


def _indices(look: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    band = dict(zip(_NEEDED, look, strict=True))
    return index("NDVI", band), index("BSI", band)


def read_pairs(folder: Path, seen: SensorSet, *, split: str) -> list[Chip]:
    """Return both looks of every pair of `split`, labelled by `drawn`, as chips; a site is a degree of the map.

    `taught` and `held-out` are four fifths and one fifth of split `train`, no site in both: models are judged by
    split `val`, which is to teach nothing. Chips are filled up with 0 to what the network takes. Raises ModelError
    that names what is missing or unreadable.
    """
    chips = []
    with (folder / "pairs.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            site = f"{float(row['latitude']) // 1:+04.0f}{float(row['longitude']) // 1:+05.0f}"
            own = {row["split"], _part(site)} if row["split"] == "train" else {row["split"]}
            if split in own:
                chips += _chips(folder, row, site, seen)
    if not chips:
        raise ModelError(f"{folder} has no pairs of split '{split}': choose train, taught, held-out or val")
    return chips


def _part(site: str) -> str:
    return "taught" if hashlib.sha256(site.encode()).digest()[0] % FIFTHS else "held-out"


def _chips(folder: Path, row: dict[str, str], site: str, seen: SensorSet) -> list[Chip]:
    names = [f"{row['id']}_{date}" for date in ("t0", "t1")]
    scenes = [read_planes(folder / "images" / f"{name}.tif", seen.bands)[0] for name in names]
    looks = [read_planes(folder / "images" / f"{name}.tif", _NEEDED)[0] for name in names]
    labels = drawn(*looks, emerged=row["label"] == "1", doubtful=row["mined_before"] == "1")
    return [
        Chip(name, site, "", "", _filled(scene, 0), _filled(label, NODATA), _filled((scene != 0).any(axis=0), False))
        for name, scene, label in zip(names, scenes, labels, strict=True)
    ]


def _filled(array: np.ndarray, value: int) -> np.ndarray:
    beyond = [(0, 0)] * (array.ndim - 2) + [(0, -length % MULTIPLE) for length in array.shape[-2:]]
    return np.pad(array, beyond, constant_values=value)
