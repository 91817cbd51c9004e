"""Backtest of a time series (series.csv): mines without truth. Counts alerts per year, and what did not last.

Nobody knows what changed there, so no alert can be called right. One that its own later observations do not bear out
is false by them; that is the least that is false. What was confirmed may be false all the same.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely

import sql
from deploy.backtest.intervals import rate_interval
from deploy.backtest.lasting import CONFIRMATIONS, MINE, Patch, confirmation, flicker, patches
from deploy.backtest.replay import Say, watched
from models.labels import BACKGROUND, NODATA
from tasks import registry
from tasks.grid import Grid
from tasks.rasters import read
from tasks.registry import Mine
from tasks.segment import model_name
from tasks.settings import settings
from tasks.specks import HECTARES_PER_PIXEL

DAYS_PER_YEAR = 365.25

STATES = ("provisional", "confirmed", "expired")

RECLAIMED = 10


class Seen(NamedTuple):
    """What became of one mine: its figures, its patches of newly mined ground, how long an alert may wait."""

    figures: dict[str, Any]
    patches: list[Patch]
    expire_days: int


def replay(source: Path, *, home: Path | None, limit: int | None, say: Say) -> dict[str, Any]:
    """Return per mine of `source`, and over all of them, how often it was seen and what alerts and change lasted.

    `years` are those between the first and the last accepted epoch. `alerts` were `raised`; some were confirmed, some
    expired, the others are provisional; `per_year` and its `interval` are of one mine. `patches` of newly mined ground
    are what alerts are made of, however small; `confirmation` says how many of them each n of m lets pass, as if each
    were an alert. Raises WrongUse when there is no series.
    """
    with watched(source, home=home, limit=limit, split=None, say=say) as (places, connection):
        seen = {place["slug"]: seen_of(connection, registry.find(connection, place["slug"])) for place in places}
    years = sum(one.figures["years"] for one in seen.values())
    alerts = Counter[str]()
    for one in seen.values():
        alerts.update(one.figures["alerts"])
    ground = [patch for one in seen.values() for patch in one.patches]
    expire_days = max((one.expire_days for one in seen.values()), default=0)
    return {
        "mines": {slug: one.figures for slug, one in seen.items()},
        "years": round(years, 2),
        "alerts": dict(alerts),
        "per_year": {name: round(count / years, 2) for name, count in alerts.items()} if years else {},
        "interval": {name: rate_interval(count, years) for name, count in alerts.items()} if years else {},
        "confirmation": [
            confirmation(ground, n=n, m=m, expire_days=expire_days, years=years) for n, m in CONFIRMATIONS if years
        ],
    }


def seen_of(connection: sql.Connection, mine: Mine) -> Seen:
    """Return what became of `mine`; `footprint_hectares` are the median of its epochs."""
    acquisitions = sql.run(connection, "backtest_acquisitions", mine_id=mine.mine_id)
    model = model_name(mine.model or settings().model)
    epochs = sql.run(connection, "report_epochs", mine_id=mine.mine_id, model=model)
    times = [row["sensing_time"] for row in epochs]
    looks = [read(row["class_raster"], row["class_checksum"]).band("class") for row in epochs]
    newly, flipped = _changed(connection, epochs, mine.grid)
    found = patches(looks=looks, times=times, newly=newly)
    states = {row["state"]: row["count"] for row in sql.run(connection, "report_alerts", mine_id=mine.mine_id)}
    figures = {
        "years": round((times[-1] - times[0]).days / DAYS_PER_YEAR, 2) if times else 0.0,
        "first": f"{times[0]:%Y-%m-%d}" if times else None,
        "last": f"{times[-1]:%Y-%m-%d}" if times else None,
        "acquisitions": len(acquisitions),
        "accepted": len(epochs),
        "refused": refusals([row["reasons"] for row in acquisitions if row["state"] != "segmented"]),
        "alerts": {"raised": sum(states.values()), **{state: states.get(state, 0) for state in STATES}},
        "footprint_hectares": _footprint(looks) if looks else None,
        "patches": len(found),
        "patch_hectares": round(sum(one.hectares for one in found), 2),
        **flicker(looks=looks, flipped=flipped),
    }
    rules = sql.run(connection, "rule_enabled", mine_id=mine.mine_id)
    return Seen(figures, found, max((rule["expire_days"] for rule in rules), default=0))


def refusals(reasons: list[list[str]]) -> dict[str, int]:
    """Return how many acquisitions were refused, by the first of their reasons without its figures."""
    return dict(Counter(re.sub(r"\b\d+(\.\d+)?\b", "…", one[0].split(" (")[0]) for one in reasons).most_common())


def _footprint(looks: list[np.ndarray]) -> float:
    """Return the median hectares of mine in `looks`."""
    pixels = [int(((look != BACKGROUND) & (look != NODATA)).sum()) for look in looks]
    return round(float(np.median(pixels)) * HECTARES_PER_PIXEL, 2)


def _changed(
    connection: sql.Connection, epochs: list[sql.Row], grid: Grid
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return where each epoch found newly mined ground, and where mine appeared or vanished, bool (H, W) each."""
    newly, flipped = [], []
    for epoch in epochs:
        comparison = sql.run_one(connection, "comparison_current", epoch_id=epoch["epoch_id"])
        rows = sql.run(connection, "change_read", comparison_id=comparison["comparison_id"]) if comparison else []
        newly.append(
            _ground(
                [row for row in rows if row["from_class"] in (BACKGROUND, RECLAIMED) and row["to_class"] in MINE], grid
            )
        )
        flipped.append(_ground([row for row in rows if BACKGROUND in (row["from_class"], row["to_class"])], grid))
    return newly, flipped


def _ground(rows: list[sql.Row], grid: Grid) -> np.ndarray:
    if not rows:
        return np.zeros((grid.height, grid.width), bool)
    return grid.mask(shapely.union_all([shapely.from_wkb(bytes(row["geom"])) for row in rows]))
