"""Reads the suites: what an acquisition, a preview or the polygons of an epoch must keep to, from `suites/*.toml`.

`checkpoint` judges by them. `suites/acquisition.toml` says what the keys mean.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
        if value is None:
            return ""
        known = defaultdict(str, figures)  # figures that were measured before a reason was worded otherwise lack some
        if isinstance(value, int | float):
            limits = [limit for limit in (self.least, self.most) if limit is not None]
            known |= {"value": Told(value, limits), "percent": Told(100 * value, [100 * limit for limit in limits])}
        return self.reason.format_map(known).removesuffix(": ")


class Told(float):
    """A figure that, when formatted, has as many more digits as it takes to differ from its limits.

    "30 % was observed (at least 30 %)" would be no reason.
    """

    def __new__(cls, value: float, limits: Sequence[float]) -> "Told":
        """Return `value` with its `limits`."""
        told = super().__new__(cls, value)
        told.limits = [limit for limit in limits if limit != value]
        return told

    limits: list[float]

    def __format__(self, spec: str) -> str:
        """Return as `spec`, whole numbers without one."""
        given = re.fullmatch(r"(?:\.(\d+))?(f?)", spec)
        if given is None:
            return super().__format__(spec)
        for digits in range(int(given[1] or 0), 10):
            text = f"{float(self):.{digits}f}"
            if text not in [f"{limit:.{digits}f}" for limit in self.limits]:
                break
        return text


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
    numbers = {"band": band, **sides, **{f"{side}_percent": f"{100 * one:g}" for side, one in sides.items()}}
    return Check(
        figure=row["figure"].replace("{band}", band),
        least=None if least is None else least - slack,
        most=None if most is None else most + slack,
        same_as=row.get("same_as"),
        reason=LIMIT.sub(lambda field: field[0].format(**numbers), row["reason"]),
        why=row["why"],
    )
