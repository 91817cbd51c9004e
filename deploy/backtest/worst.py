"""The worst errors of a backtest, in words, worst first. Pure; `drawing.py` makes their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deploy.backtest.score import Outcome
from deploy.backtest.truth import Case, tally
from models.labels import LABELS
from tasks.rasters import HECTARES_PER_PIXEL

MOST = 10
"""How many of the worst errors are shown."""

NAMES = {label.id: label.name.replace("_", " ") for label in LABELS}


@dataclass(frozen=True)
class Mistake:
    """What the system got wrong at one place (a slug), and why that is an error.

    `label` says what is true there, `hectares` of change were found; the larger `wrong`, the worse.
    """

    place: str
    category: str
    label: str
    hectares: float
    why: str
    wrong: float


def of_outcomes(outcomes: Sequence[Outcome]) -> list[Mistake]:
    """Return the alerts that were missed and the false ones among `outcomes`, worst first.

    `wrong` is the share (0-1) of the places with the other label that look more, or less, like new mining than they
    should beside it (alike counts half): its part in what the AUC lacks to 1. A false alarm with more hectares than
    any mining is 1, and so is mining with fewer hectares than anything else. Among equals those come first whose
    label is beyond doubt.
    """
    judged = [(one, one.hectares) for one in outcomes if one.hectares is not None]
    of_label = {label: np.array([it for one, it in judged if one.label == label]) for label in (0, 1)}
    found = []
    for one, hectares in judged:
        if bool(one.label) == one.alerted:
            continue
        others = of_label[1 - one.label]
        beyond = (others > hectares) if one.label else (others < hectares)
        wrong = float((beyond + 0.5 * (others == hectares)).mean()) if len(others) else 0.0
        found.append((one.mined_before, _mistake(one, hectares, wrong)))
    return [mistake for _, mistake in sorted(found, key=lambda it: (-it[1].wrong, it[0], it[1].place))]


def _mistake(one: Outcome, hectares: float, wrong: float) -> Mistake:
    label = "new mining" if one.label else "no new mining"
    if one.mined_before:
        label += ", but another map shows mining there before the first date"
    if not one.label:
        why = f"false alarm: {hectares:.2f} ha of new mine ground"
    elif hectares:
        why = f"missed: {hectares:.2f} ha of new mine ground are too little for a rule"
    else:
        why = "missed: no new mine ground was found"
    return Mistake(one.place, one.category, label, hectares, why, wrong)


def of_cases(kind: str, cases: Sequence[tuple[str, Case]]) -> list[Mistake]:
    """Return what is wrong with the changes of `cases`, pairs of slug and case, of one kind, worst first.

    `wrong` are the hectares of change that were missed and those of false change together.
    """
    found = []
    for place, case in cases:
        count = tally(case)
        missed, false = (count.true - count.hits) * HECTARES_PER_PIXEL, (count.found - count.hits) * HECTARES_PER_PIXEL
        why = f"{missed:.2f} of {count.true * HECTARES_PER_PIXEL:.2f} ha missed, {false:.2f} ha of false change"
        hectares = count.found * HECTARES_PER_PIXEL
        if count.true != count.hits or count.found != count.hits:
            found.append(Mistake(place, kind, _truth(case), hectares, why, missed + false))
    return worst_first(found)


def worst_first(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return `mistakes` in the order of how wrong they are."""
    return sorted(mistakes, key=lambda one: (-one.wrong, one.place))


def _truth(case: Case) -> str:
    """Return in words what truly changed, the largest first."""
    codes, pixels = np.unique(case.truth[case.change], return_counts=True)
    return "; ".join(
        f"{NAMES[int(codes[i]) // 16]} to {NAMES[int(codes[i]) % 16]} {pixels[i] * HECTARES_PER_PIXEL:.2f} ha"
        for i in np.argsort(-pixels)
    ) or "nothing changed"  # fmt: skip
