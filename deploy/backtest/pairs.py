"""Backtest of labelled pairs (pairs.csv): two dates and a label per place. Scores the alerts against the labels."""

from pathlib import Path
from typing import Any

import sql
from deploy.backtest import drawing, worst
from deploy.backtest.replay import Say, Words, watched
from deploy.backtest.score import Outcome, score
from tasks.errors import WrongUse
from tasks.segment import model_name
from tasks.settings import settings


def replay(
    source: Path, *, home: Path | None, limit: int | None, split: str | None, pictures: Path | None, say: Say
) -> dict[str, Any]:
    """Return the `score` of what the system says of every labelled place of `source`.

    With `pictures` the worst errors are drawn into that folder. Raises WrongUse when there are no labelled pairs.
    """
    if not (source / "pairs.csv").exists():
        raise WrongUse(f"{source} holds no pairs.csv, cases.csv or series.csv: give a folder with labelled pairs")
    with watched(source, home=home, limit=limit, split=split, say=say) as (places, connection):
        rows = sql.run(connection, "backtest_outcomes", model=model_name(settings().model))
        said = {row["slug"]: row for row in rows}
        outcomes = [_outcome(place, said[place["slug"]]) for place in places if place["slug"] in said]
        if pictures is not None:
            mistakes = worst.of_outcomes(outcomes)[: worst.MOST]
            drawing.write(pictures, [drawing.draw(connection, one) for one in mistakes])
            say(f"{pictures / drawing.INDEX}: {len(mistakes)} errors drawn")
    return score(outcomes)


def _outcome(place: Words, row: sql.Row) -> Outcome:
    judged = row["comparisons"] > 0
    return Outcome(
        place=place["slug"],
        label=int(place["label"]),
        category=place["category"],
        mined_before=bool(place["mined_before"]),
        hectares=float(row["hectares"]) if judged else None,
        alerted=row["alerts"] > 0,
        why="" if judged else "; ".join(row["reasons"]) or "not both dates were observed",
    )
