"""What experiments found, in the database."""

from dataclasses import replace
from pathlib import Path

import sql
from models.comparing import Score
from tasks.trials import record

SCORE = Score(
    "s2-rgb", "unet", "lite0", 1, 2, "", "all", "all", 3, 0.3, 0.2, 0.4, 0.7, 0.6, 0.8, {"road": 0.1}, "first", "chips"
)


def test_scores_are_kept_once_and_the_view_shows_the_latest_model(database: sql.Connection, tmp_path: Path) -> None:
    def found() -> list[tuple[str, float, float]]:
        rows = database.execute("select model_checksum, mean_iou, iou -> 'road' as road from experiment").fetchall()
        return [(row["model_checksum"], round(row["mean_iou"], 4), row["road"]) for row in rows]

    def recorded(score: Score) -> None:
        table, figure = record(database, [score], experiment="radar", question="Does it?", folder=tmp_path)
        assert table.exists() and figure.exists()

    recorded(SCORE)
    recorded(replace(SCORE, mean_iou=0.35))
    assert found() == [("first", 0.35, 0.1)]
    recorded(replace(SCORE, model_checksum="second", mean_iou=0.25))
    assert found() == [("second", 0.25, 0.1)]
    [row] = database.execute("select count(*) from trial_score").fetchall()
    assert row["count"] == 2
