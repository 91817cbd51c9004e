"""Backtest of a time series (series.csv): mines without truth. Counts alerts per year, and what did not last.

Nobody knows what changed there, so no alert can be called right. One that its own later observations do not bear out
is false by them; that is the least that is false. What was confirmed may be false all the same, and what expired may
just not have been looked at often enough.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import sql
from deploy.backtest.ablation import OFF, codes, prediction
from deploy.backtest.intervals import rate_interval
from deploy.backtest.persistence import CONFIRMATIONS, Patch, confirmation, flicker, patches
from deploy.backtest.replay import Say, watched
from models.labels import BACKGROUND, NODATA
from tasks.alert import MINED, NOT_MINED
from tasks.mines import Mine, registry
from tasks.rasters import HECTARES_PER_PIXEL
from tasks.segment import model_name
from tasks.settings import settings

DAYS_PER_YEAR = 365.25

STATES = ("provisional", "confirmed", "expired")

AS_SET = "all guards"
GUARDS = {AS_SET: {}, "without confidence": OFF["confidence"]}
"""Guards of the comparison under which ways to confirm are held against each other: few patches pass all of them."""


class Seen(NamedTuple):
    """What became of one mine: its figures, its patches of newly mined ground, how long an alert may wait.

    `patches` are by the guards of the comparison that were up.
    """

    figures: dict[str, Any]
    patches: dict[str, list[Patch]]
    expire_days: int


def replay(source: Path, *, home: Path | None, limit: int | None, say: Say) -> dict[str, Any]:
    """Return per mine of `source`, and over all of them, how often it was seen and what alerts and change lasted.

    `years` are those between the first and the last accepted epoch. `alerts` were `raised`; some were confirmed, some
    expired, the others are provisional; `per_year` and its `interval` are of one mine. `patches` of newly mined ground
    are what alerts are made of, however small; `confirmation` says how many of them each n of m lets pass, as if each
    were an alert, with all guards of the comparison and without that of confidence.
    """
    with watched(source, home=home, limit=limit, split=None, say=say) as (places, connection):
        seen = {place["slug"]: seen_of(connection, registry.find(connection, place["slug"])) for place in places}
    years = sum(one.figures["years"] for one in seen.values())
    alerts = Counter[str]()
    for one in seen.values():
        alerts.update(one.figures["alerts"])
    return {
        "mines": {slug: one.figures for slug, one in seen.items()},
        "years": round(years, 2),
        "alerts": dict(alerts),
        "per_year": {name: round(count / years, 2) for name, count in alerts.items()} if years else {},
        "interval": {name: rate_interval(count, years) for name, count in alerts.items()} if years else {},
        "confirmation": {guards: _confirmations(list(seen.values()), guards, years) for guards in GUARDS if years},
    }


def _confirmations(seen: list[Seen], guards: str, years: float) -> list[dict[str, Any]]:
    ground = [patch for one in seen for patch in one.patches[guards]]
    expire_days = max(one.expire_days for one in seen)
    return [confirmation(ground, n=n, m=m, expire_days=expire_days, years=years) for n, m in CONFIRMATIONS]


def seen_of(connection: sql.Connection, mine: Mine) -> Seen:
    """Return what became of `mine`; `footprint_hectares` are the median of its epochs."""
    acquisitions = sql.run(connection, "backtest_acquisitions", mine_id=mine.mine_id)
    model = model_name(mine.model or settings().model)
    epochs = sql.run(connection, "report_epochs", mine_id=mine.mine_id, model=model)
    times = [row["sensing_time"] for row in epochs]
    looks = [prediction(connection, row["epoch_id"]) for row in epochs]
    classes = [look.classes for look in looks]
    changed = {guards: codes(looks, switched) for guards, switched in GUARDS.items()}
    found = {guards: patches(looks=classes, times=times, newly=newly_mined(of)) for guards, of in changed.items()}
    states = {row["state"]: row["count"] for row in sql.run(connection, "report_alerts", mine_id=mine.mine_id)}
    figures = {
        "years": round((times[-1] - times[0]).days / DAYS_PER_YEAR, 2) if times else 0.0,
        "first": f"{times[0]:%Y-%m-%d}" if times else None,
        "last": f"{times[-1]:%Y-%m-%d}" if times else None,
        "acquisitions": len(acquisitions),
        "accepted": len(epochs),
        "refused": refusals([row["reasons"] for row in acquisitions if row["state"] != "segmented"]),
        "alerts": {"raised": sum(states.values()), **{state: states.get(state, 0) for state in STATES}},
        "footprint_hectares": _footprint(classes) if classes else None,
        "patches": len(found[AS_SET]),
        "patch_hectares": round(sum(one.hectares for one in found[AS_SET]), 2),
        **flicker(looks=classes, flipped=[(of > 0) & ((of // 256 == 0) | (of % 256 == 0)) for of in changed[AS_SET]]),
    }
    rules = sql.run(connection, "rule_enabled", mine_id=mine.mine_id)
    return Seen(figures, found, max((rule["expire_days"] for rule in rules), default=0))


def newly_mined(changed: list[np.ndarray]) -> list[np.ndarray]:
    """Return where background or reclaimed ground became another component, bool (H, W) of each of `codes`."""
    return [(of > 0) & np.isin(of // 256, NOT_MINED) & np.isin(of % 256, MINED) for of in changed]


def refusals(reasons: list[list[str]]) -> dict[str, int]:
    """Return how many acquisitions were refused, by the first of their reasons without its figures."""
    return dict(Counter(re.sub(r"\b\d+(\.\d+)?\b", "…", one[0].split(" (")[0]) for one in reasons).most_common())


def _footprint(looks: list[np.ndarray]) -> float:
    """Return the median hectares of mine in `looks`."""
    pixels = [int(((look != BACKGROUND) & (look != NODATA)).sum()) for look in looks]
    return round(float(np.median(pixels)) * HECTARES_PER_PIXEL, 2)
