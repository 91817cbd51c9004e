"""The evaluation flow on a few small simulated chips."""

import json
from pathlib import Path

import pytest
from prefect.artifacts import Artifact
from typer.testing import CliRunner

import sql
from deploy.cli.model import app
from deploy.simulate import make_chips
from flows import evaluate
from tasks.settings import settings

GRID = """
question = "Does radar help?"
sensor_sets = ["s2-rgb", "s1"]
[recipe]
imagenet = false
steps = 2
batch = 2
side = 32
"""


@pytest.mark.usefixtures("home")
def test_an_experiment_ends_in_the_database_and_in_the_ui(database: sql.Connection, tmp_path: Path) -> None:
    make_chips(tmp_path / "chips", chips=20, size=64, seed=3)
    (tmp_path / "radar.toml").write_text(GRID)
    evaluate.experiment(str(tmp_path / "radar.toml"), str(tmp_path / "chips"))
    rows = database.execute("select sensor_set from experiment where experiment = 'radar' and scored_on = 'all'")
    assert sorted(row["sensor_set"] for row in rows.fetchall()) == ["s1", "s2-rgb"]
    shown = Artifact.get("experiment")
    assert shown is not None and "Does radar help?" in str(shown.description)
    assert {row["sensor_set"] for row in json.loads(str(shown.data))} == {"s1", "s2-rgb"}

    folder = settings().home / "experiments"
    args = ["compare", str(tmp_path / "radar.toml"), "--chips", str(tmp_path / "chips"), "--out", str(folder)]
    said = CliRunner().invoke(app, args, catch_exceptions=False).stdout
    assert "Does radar help?" in said and "step" not in said  # what is trained is not trained again
    assert "s1, unet on lite0 (1 sites)" in said and said.count(" sites)") == 2
