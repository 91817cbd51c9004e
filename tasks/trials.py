"""The trials of an experiment, and what they found: in PostGIS, as a table, and as a figure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import sql
from tasks.settings import settings

if TYPE_CHECKING:  # torch takes seconds to import, and nothing here needs it
    from models.comparing import Score
    from models.experiment import Experiment, Trial


def ready(grid: "Experiment", *, chips: Path) -> "list[Trial]":
    """Return the trials of `grid`; raises an error that can be known now rather than after hours of training."""
    from models.comparing import check, commodities

    trials = grid.trials(commodities(chips))
    check(trials)
    with sql.connect(settings().database_address, role="ingest") as connection:
        sql.run(connection, "experiments")
    return trials


def try_out(
    trial: "Trial", *, chips: Path, pairs: Path | None, out: Path, say: "Callable[[str], None]"
) -> "list[Score]":
    """Train what `trial` says into folder `out`, unless it is there, and return its scores."""
    from models import comparing

    return comparing.try_out(trial, chips=chips, pairs=pairs, out=out, say=say)


def record(
    connection: sql.Connection, scores: "Sequence[Score]", *, experiment: str, question: str, folder: Path
) -> tuple[Path, Path]:
    """Store `scores`, and write `<experiment>.csv` and `.png` to `folder`; return both.

    Doing it again changes nothing but the time; scores of the same model on the same sites are replaced.
    """
    from models.chart import draw
    from models.comparing import write_table

    with connection.transaction():
        for score in scores:
            row = {**asdict(score), "iou": json.dumps(score.iou)}
            sql.run(connection, "trial_score_add", experiment=experiment, question=question, **row)
    table, figure = folder / f"{experiment}.csv", folder / f"{experiment}.png"
    write_table(scores, table)
    draw(scores, figure, question=question)
    return table, figure
