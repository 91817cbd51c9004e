"""Whether what was found lasts: patches of newly mined ground and what later looks say of them. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from deploy.backtest.intervals import rate_interval
from models.labels import NODATA
from tasks.alert import MINED, NOT_MINED, agreement, next_state
from tasks.compare import mined
from tasks.rasters import HECTARES_PER_PIXEL
from tasks.segment import regions

CONFIRMATIONS = ((0, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 5))
"""Ways to confirm, n of m, that are held against each other; with 0 of 0 all counts at once."""

LATER = 5
"""What lasts is judged by the valid looks after so many, so that every way to confirm is judged by the same ones."""

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Patch:
    """Connected newly mined ground of one epoch.

    `ages` in days and `agrees`: of each later look at it that was valid, whether it is still mined then; `left` days
    until the last look of all.
    """

    hectares: float
    ages: tuple[float, ...]
    agrees: tuple[bool, ...]
    left: float


def patches(*, looks: Sequence[np.ndarray], times: Sequence[datetime], newly: Sequence[np.ndarray]) -> list[Patch]:
    """Return the patches of `newly`, bool (H, W) per epoch, newly mined ground.

    `looks` are the class rasters of the epochs at `times`, uint8 (H, W), 255 unknown, in order of sensing.
    """
    found = []
    for k, ground in enumerate(newly):
        labels = regions(ground.astype(np.uint8), ground)
        ages = [(time - times[k]).total_seconds() / SECONDS_PER_DAY for time in times]
        for number in range(1, int(labels.max(initial=0)) + 1):
            mask = labels == number
            said = [
                (ages[j], agreement(classes=looks[j], mask=mask, from_classes=NOT_MINED, to_classes=MINED))
                for j in range(k + 1, len(looks))
            ]
            valid = [(age, agrees) for age, agrees in said if agrees is not None]
            found.append(
                Patch(
                    hectares=float(mask.sum() * HECTARES_PER_PIXEL),
                    ages=tuple(age for age, _ in valid),
                    agrees=tuple(agrees for _, agrees in valid),
                    left=ages[-1],
                )
            )
    return found


def state_of(patch: Patch, *, n: int, m: int, expire_days: int) -> tuple[str, float | None]:
    """Return what would become of an alert on `patch` alone, and after how many days it was confirmed, if it was."""
    counted = [agrees for age, agrees in zip(patch.ages, patch.agrees, strict=True) if age <= expire_days]
    state = next_state(
        state="provisional", observations=counted, n=n, m=m, age_days=patch.left, expire_days=expire_days
    )
    if state != "confirmed":
        return state, None
    ages = (0.0, *patch.ages)
    return state, next(ages[i] for i in range(len(ages)) if sum(counted[:i]) >= n)


def lasting(patch: Patch) -> bool | None:
    """Return whether at least half of the looks after the fifth still show `patch` mined; None without any."""
    late = patch.agrees[LATER:]
    return 2 * sum(late) >= len(late) if late else None


def confirmation(found: Sequence[Patch], *, n: int, m: int, expire_days: int, years: float) -> dict[str, Any]:
    """Return how many patches, each an alert of its own, `n` of `m` lets pass, and what became of them.

    `lost` are those that did not last, false by later looks; of `unknown` there were no later looks. `days` is the
    median until they were confirmed.
    """
    passed = [
        (one, days)
        for one in found
        for _, days in [state_of(one, n=n, m=m, expire_days=expire_days)]
        if days is not None
    ]
    fate = Counter(lasting(one) for one, _ in passed)
    return {
        "n": n,
        "m": m,
        "passed": len(passed),
        "per_year": round(len(passed) / years, 2),
        "interval": rate_interval(len(passed), years),
        "lasted": fate[True],
        "lost": fate[False],
        "unknown": fate[None],
        "days": round(float(np.median([days for _, days in passed])), 1) if passed else None,
    }


def flicker(*, looks: Sequence[np.ndarray], flipped: Sequence[np.ndarray]) -> dict[str, float]:
    """Return of how many hectares mine appeared or vanished, and of how many that was undone at the next valid look.

    `flipped` is bool (H, W) per epoch: where mine appeared or vanished; `looks` as in `patches`. `unseen_hectares`
    were never looked at again.
    """
    changed = undone = unseen = 0
    for k, ground in enumerate(flipped):
        was, open_ground = mined(looks[k]), ground.copy()
        for later in looks[k + 1 :]:
            seen = open_ground & (later != NODATA)
            undone += int((mined(later) != was)[seen].sum())
            open_ground &= ~seen
        changed, unseen = changed + int(ground.sum()), unseen + int(open_ground.sum())
    hectares = {"changed_hectares": changed, "undone_hectares": undone, "unseen_hectares": unseen}
    return {name: round(pixels * HECTARES_PER_PIXEL, 2) for name, pixels in hectares.items()}
