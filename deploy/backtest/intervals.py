"""How sure figures are: intervals by drawing places anew. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.stats import binomtest, chi2

DRAWS, SEED = 1000, 0

Unit = TypeVar("Unit")
Rates = Mapping[str, float | None]


def intervals(units: Sequence[Unit], of: Callable[[Sequence[Unit]], Rates]) -> dict[str, list[float] | None]:
    """Return the 95 % interval [low, high] of every figure that `of` gives, over `units` (places).

    The percentile bootstrap (Efron 1979): as many places as there are, drawn with replacement, 1000 times, the same
    each time it is asked. Draws for which a figure is not defined (None) are left out of its interval; None where it
    is not defined for the places themselves, and of fewer than two places.
    """
    rng = np.random.default_rng(SEED)
    drawn = [of([units[i] for i in rng.integers(len(units), size=len(units))]) for _ in range(DRAWS) if len(units) > 1]
    found: dict[str, list[float] | None] = {}
    for name, figure in of(units).items():
        values = [value for one in drawn if (value := one[name]) is not None]
        known = figure is not None and values
        found[name] = [round(float(end), 4) for end in np.percentile(values, [2.5, 97.5])] if known else None
    return found


def share_interval(part: int, whole: int) -> list[float]:
    """Return the exact 95 % interval of a share (Clopper and Pearson 1934): of none in nine, drawing anew is too sure.

    `whole` is at least 1.
    """
    ends = binomtest(part, whole).proportion_ci(0.95)
    return [round(float(ends.low), 4), round(float(ends.high), 4)]


def rate_interval(count: int, years: float) -> list[float]:
    """Return the exact 95 % interval of a rate per year, of `count` in `years` (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return [round(float(end / years), 2) for end in (low, chi2.ppf(0.975, 2 * count + 2) / 2)]
