"""How good alerts are against labels. Pure: outcomes in, figures out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu

from deploy.backtest.intervals import intervals


@dataclass(frozen=True)
class Outcome:
    """What the system said of one labelled place.

    `label` 1: mining appeared between the dates. `hectares` newly mined; None: the system gave no verdict, `why`.
    """

    place: str
    label: int
    category: str
    mined_before: bool
    hectares: float | None
    alerted: bool
    why: str = ""


def score(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures over all places, and over those not mined already before the first date.

    Places without a verdict are counted by reason and are in no other figure.
    """
    judged = [one for one in outcomes if one.hectares is not None]
    fresh = [one for one in judged if not one.mined_before]
    return {
        "places": len(outcomes),
        "judged": len(judged),
        "not_judged": dict(Counter(one.why for one in outcomes if one.hectares is None).most_common()),
        "with_mined_before": figures(judged),
        "without_mined_before": figures(fresh),
    }


def rates(judged: Sequence[Outcome]) -> dict[str, float | None]:
    """Return AUC of the hectares, and precision, recall and specificity of the alerts; None where not defined."""
    mined = [one for one in judged if one.label]
    other = [one for one in judged if not one.label]
    hits, false = sum(one.alerted for one in mined), sum(one.alerted for one in other)
    return {
        "auc": auc(mined, other),
        "precision": _share(hits, hits + false),
        "recall": _share(hits, len(mined)),
        "specificity": _share(len(other) - false, len(other)),
    }


def figures(judged: Sequence[Outcome]) -> dict[str, Any]:
    """Return the `rates` with their `interval` over places, and what is known per category."""
    mined = [one for one in judged if one.label]
    return {
        "places": len(judged),
        **rates(judged),
        "interval": intervals(judged, rates),
        "categories": {name: _category(name, judged, mined) for name in sorted({one.category for one in judged})},
    }


def auc(mined: Sequence[Outcome], other: Sequence[Outcome]) -> float | None:
    """Return the probability that a mined place has more hectares than another one (ties count half).

    That is the area under the ROC curve (Hanley and McNeil 1982); None without places of both kinds.
    """
    if not mined or not other:
        return None
    u = mannwhitneyu([one.hectares for one in mined], [one.hectares for one in other]).statistic
    return round(float(u) / (len(mined) * len(other)), 4)


def _category(name: str, judged: Sequence[Outcome], mined: Sequence[Outcome]) -> dict[str, Any]:
    """Figures of one category; `auc` of the mined places against it where it is no mining itself."""
    members = [one for one in judged if one.category == name]
    return {
        "places": len(members),
        "alerted": sum(one.alerted for one in members),
        "alerted_share": _share(sum(one.alerted for one in members), len(members)),
        "median_hectares": round(float(np.median([one.hectares or 0.0 for one in members])), 2),
        "auc": None if members[0].label else auc(mined, members),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
