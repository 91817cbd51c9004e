"""Backtest of cases (cases.csv, truth/): two dates and the true change of every pixel. Scores the change polygons.

Cases of one chip share their ground, so each kind of case has a stack of its own, in a folder of its own in `home`.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import sql
from deploy.archive.layouts import table
from deploy.backtest import drawing, worst
from deploy.backtest.ablation import compared, dates_of
from deploy.backtest.intervals import share_interval
from deploy.backtest.replay import Say, Words, watched
from deploy.backtest.truth import case_of, figures, tally
from tasks.errors import WrongUse
from tasks.segment import model_name
from tasks.settings import settings

Kinds = dict[str, dict[str, Any]]
"""The `figures` of the cases of each kind."""


def replay(source: Path, *, home: Path | None, limit: int | None, pictures: Path | None, say: Say) -> Kinds:
    """Return how right the system's changes are in the cases of `source`, and in how many cases it raises an alert.

    `alerted_interval` is of their share. A kind has one case of each chip, so intervals are over places; the kinds
    share their chips, and are not independent of each other. With `pictures` the worst errors are drawn into that
    folder. Cases of which only one date was accepted, or none, are left out. Raises WrongUse when there is no truth.
    """
    found, drawn = {}, []
    for kind in kinds(source):
        say(f"cases of kind {kind}")
        with watched(source, home=_own(home, kind), limit=limit, split=kind, say=say) as (places, connection):
            judged, model = _judged(places, connection, say), model_name(settings().model)
            cases = [
                (slug, case_of(source, name, sql.run(connection, "backtest_changes", mine=slug, model=model)))
                for slug, name, _ in judged
            ]
            if pictures is not None:
                truth = dict(cases)
                mistakes = worst.of_cases(kind, cases)[: worst.MOST]
                drawn += [drawing.draw(connection, one, truth[one.place]) for one in mistakes]
        if cases:
            alerted = sum(alerts > 0 for _, _, alerts in judged)
            raised = {"alerted": alerted, "alerted_interval": share_interval(alerted, len(judged))}
            found[kind] = {**figures([tally(case) for _, case in cases]), **raised}
    if pictures is not None:
        drawing.write(pictures, drawn)
        say(f"{pictures / drawing.INDEX}: {min(len(drawn), worst.MOST)} cases with errors drawn")
    return found


def replay_without(source: Path, *, home: Path | None, limit: int | None, say: Say) -> dict[str, Kinds]:
    """Return how right change is with all guards, and without each of them; see `ablation`."""
    tallies: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind in kinds(source):
        say(f"cases of kind {kind}")
        with watched(source, home=_own(home, kind), limit=limit, split=kind, say=say) as (places, connection):
            for slug, name, _ in _judged(places, connection, say):
                for guards, rows in compared(dates_of(connection, slug)).items():
                    tallies[guards][kind].append(tally(case_of(source, name, rows)))
    return {guards: {kind: figures(of) for kind, of in by_kind.items()} for guards, by_kind in tallies.items()}


def kinds(source: Path) -> list[str]:
    """Return the kinds of cases in `source`; raises WrongUse when there is no truth to score them by."""
    if not (source / "truth").is_dir():
        raise WrongUse(f"{source} has no folder truth: give --split and a kind of case to score alerts only")
    return sorted({row["kind"] for row in table(source / "cases.csv")})


def _own(home: Path | None, kind: str) -> Path | None:
    return home / kind if home else None


def _judged(places: list[Words], connection: sql.Connection, say: Say) -> list[tuple[str, str, int]]:
    """Return slug, name and number of alerts of the places of which two dates were compared."""
    rows = {row["slug"]: row for row in sql.run(connection, "backtest_outcomes", model=model_name(settings().model))}
    judged = [place for place in places if rows[place["slug"]]["comparisons"]]
    say(f"{len(judged)} of {len(places)} cases judged")
    return [(place["slug"], place["name"], rows[place["slug"]]["alerts"]) for place in judged]
