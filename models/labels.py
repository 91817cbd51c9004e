"""The label set: ten mine components, background and nodata, read from `labels.json`.

Everything that names or colours a class (rasters, tables, cards, pictures) reads it here.
"""

import json
from dataclasses import dataclass
from importlib.resources import files

BACKGROUND = 0
NODATA = 255


@dataclass(frozen=True)
class Label:
    """One class of the class raster."""

    id: int
    name: str
    meaning: str
    rgb: tuple[int, int, int]


def _read() -> tuple[Label, ...]:
    rows = json.loads(files("models").joinpath("labels.json").read_text())
    return tuple(Label(row["id"], row["name"], row["meaning"], tuple(row["rgb"])) for row in rows)


LABELS = _read()
"""Background (id 0) and the ten components (1-10), in the order of their ids."""

COMPONENTS = LABELS[1:]
"""The ten mine components; the footprint is their union."""
