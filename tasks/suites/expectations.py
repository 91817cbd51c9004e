"""Reads the suites: what an acquisition, a preview or the polygons of an epoch must keep to, from `suites/*.toml`.

`checkpoint` judges by them. `suites/acquisition.toml` says what the keys mean.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from models.sensors import SENSOR_SETS, SensorSet
from tasks.settings import Settings

PREVIEW = "preview"
SEGMENTS = "segments"

LIMIT = re.compile(r"{(band|least|most|least_percent|most_percent)(:[^}]*)?}")
"""What a reason says of its limits, known before anything is measured."""


@dataclass(frozen=True)
class Check:
    """A figure that must lie in [least, most], or equal the figure `same_as`.

    `reason` words the failure with {value}, {percent} and the other figures, `why` says why there is this limit. A
    figure that is None (could not be measured) passes.
    """

    figure: str
    least: float | None
    most: float | None
    same_as: str | None
    reason: str
    why: str

    def worded(self, figures: Mapping[str, Any]) -> str:
        """Return `reason` with what was measured; empty where nothing was."""
        value = figures.get(self.figure)
        percent = round(100 * value) if isinstance(value, int | float) else None
        return "" if value is None else self.reason.format_map({**figures, "value": value, "percent": percent})


def suite(name: str, limits: Settings) -> list[Check]:
    """Return the checks of the suite `name`: a sensor set, `preview` or `segments`, with the limits of the settings."""
    if (sensor_set := SENSOR_SETS.get(name)) is None:
        return list(_checks(name, (), limits))
    return [check for part in parts(sensor_set) for check in _checks(part, sensor_set.bands, limits)]


def parts(sensor_set: SensorSet) -> tuple[str, ...]:
    """Return the files that make up the suite of a sensor set."""
    return ("acquisition", *sensor_set.collections)


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("tasks.suites").joinpath(f"{name}.toml").read_text())


def _checks(name: str, bands: tuple[str, ...], limits: Settings) -> Iterator[Check]:
    content = _read(name)
    ranges = content.get("bands", {band: {} for band in bands})
    for row in content["expect"]:
        of_each = "{band}" in row["figure"]
        for band in (band for band in bands if band in ranges) if of_each else [""]:
            yield _check(row, band, ranges.get(band, {}), limits)


def _check(row: dict[str, Any], band: str, ranges: dict[str, float], limits: Settings) -> Check:
    def limit(side: str) -> float | None:
        given = row.get(side)
        return float(ranges[given] if given in ranges else getattr(limits, given)) if isinstance(given, str) else given

    least, most, slack = limit("least"), limit("most"), row.get("slack", 0)
    sides = {side: one for side, one in (("least", least), ("most", most)) if one is not None}
    numbers = {"band": band, **sides, **{f"{side}_percent": round(100 * one) for side, one in sides.items()}}
    return Check(
        figure=row["figure"].replace("{band}", band),
        least=None if least is None else least - slack,
        most=None if most is None else most + slack,
        same_as=row.get("same_as"),
        reason=LIMIT.sub(lambda field: field[0].format(**numbers), row["reason"]),
        why=row["why"],
    )
