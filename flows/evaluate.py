"""The evaluation flow: the trials of an experiment, trained and scored alike, followed in the Prefect UI."""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

import sql
from flows.door import explained
from flows.steps import try_out
from models.experiment import read_experiment
from tasks.settings import settings
from tasks.trials import ready, record

SHOWN = ("trained_on", "scored_on", "sites", "sensor_set", "network", "encoder", "change", "mean_iou", "footprint_iou")


@flow(name="evaluate", flow_run_name="{name}", validate_parameters=False)
@explained
def experiment(name: str, chips: str, pairs: str | None = None) -> None:
    """Compare sensor sets, networks and encoders; a run that was killed goes on when it is started again.

    Args:
        name: A shipped experiment (sensors, networks, commodities, ablations), or a TOML file of your own.
        chips: Folder of chips: images/, labels/, sites.csv with train and val.
        pairs: Folder of labelled pairs, to learn what is no mine.
    """
    name, grid = read_experiment(name)
    folder = settings().home / "experiments" / name
    say = get_run_logger().info
    scores = []
    for trial in ready(grid, chips=Path(chips)):
        scores += try_out(trial, chips=Path(chips), pairs=Path(pairs) if pairs else None, out=folder, say=say)
    with sql.connect(settings().database_address, role="ingest") as connection:
        table, figure = record(connection, scores, experiment=name, question=grid.question, folder=folder)
    rows = [{column: getattr(score, column) for column in SHOWN} for score in scores]
    create_table_artifact(rows, key="experiment", description=f"{grid.question} All figures: {table}, {figure}")
