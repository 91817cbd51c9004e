"""Sensor sets: the ordered bands that a model sees, read from `sensors.json`."""

import json
from dataclasses import dataclass
from importlib.resources import files

from models.errors import ModelError


@dataclass(frozen=True)
class SensorSet:
    """An ordered choice of bands of one or two Sentinel missions.

    `bands` are what is downloaded; `indices` are computed from them and appended as channels.
    """

    name: str
    collections: tuple[str, ...]
    bands: tuple[str, ...]
    indices: tuple[str, ...]

    @property
    def channels(self) -> int:
        """Number of channels of the network's input."""
        return len(self.bands) + len(self.indices)


def _read() -> dict[str, SensorSet]:
    rows = json.loads(files("models").joinpath("sensors.json").read_text())
    sets = (
        SensorSet(row["name"], tuple(row["collections"]), tuple(row["bands"]), tuple(row["indices"])) for row in rows
    )
    return {sensor_set.name: sensor_set for sensor_set in sets}


SENSOR_SETS = _read()

WAVELENGTHS = {
    "B02": 490, "B03": 560, "B04": 665, "B05": 705, "B06": 740, "B07": 783, "B08": 842, "B8A": 865, "B11": 1610,
    "B12": 2190,
}  # fmt: skip
"""Central wavelengths of the bands of Sentinel-2 in nanometres."""


def sensor_set(name: str) -> SensorSet:
    """Return the sensor set called `name`; raises ModelError that lists the known ones."""
    if name not in SENSOR_SETS:
        raise ModelError(f"unknown sensor set '{name}': choose one of {', '.join(SENSOR_SETS)}")
    return SENSOR_SETS[name]
