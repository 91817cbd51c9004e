"""`minecam backtest`: how good the alerts are, on labelled places."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table


def backtest(
    source: Annotated[Path, typer.Argument(help="Folder with pairs.csv and images/, two dates and a label per place.")],
    home: Annotated[Path | None, typer.Option(help="Keep all in this folder, to look at it and to go on.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many places (of each kind).")] = None,
    split: Annotated[str | None, typer.Option(help="Only places of this split.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Replay labelled places through the whole system and score its alerts; settings (MINECAM_*) apply.

    Where the folder has cases.csv and truth/, the changes of every pixel are scored instead, by kind of case, unless
    --split asks for the alerts of one kind. What is kept in --home is not made again with other settings.

    Example: minecam backtest pairs/ --split val --json
    """
    from deploy.backtest.replay import replay, replay_cases
    from deploy.backtest.score import score
    from deploy.backtest.truth import figures

    def say(line: str) -> None:
        typer.echo(line, err=True)

    if split is None and (source / "cases.csv").exists():
        by_kind = {
            kind: figures(cases)
            for kind, cases in replay_cases(source, home=home, limit=limit, say=say).items()
            if cases
        }
        typer.echo(json.dumps(by_kind)) if as_json else Console().print(_kinds(by_kind))
        return
    result = score(replay(source, home=home, limit=limit, split=split, say=say))
    if as_json:
        typer.echo(json.dumps(result))
    else:
        Console().print(_table(result))


def _table(result: dict[str, Any]) -> Table:
    drawn = Table(title=f"{result['judged']} of {result['places']} places judged", box=None, pad_edge=False)
    for heading in ("", "Places", "AUC", "Precision", "Recall", "Specificity"):
        drawn.add_column(heading, justify="left" if not heading else "right")
    for name in ("with_mined_before", "without_mined_before"):
        row = result[name]
        figures = (row[figure] for figure in ("auc", "precision", "recall", "specificity"))
        drawn.add_row(name.replace("_", " "), str(row["places"]), *(_number(one) for one in figures))
        for category, one in row["categories"].items():
            alerted = f"{one['alerted']} alerted"
            drawn.add_row(f"  {category}", str(one["places"]), _number(one["auc"]), alerted)
    return drawn


def _kinds(by_kind: dict[str, dict[str, Any]]) -> Table:
    drawn = Table(title="Change against the truth of every pixel", box=None, pad_edge=False)
    for heading in ("", "Cases", "F1", "IoU", "Precision", "Recall", "Bias", "Right classes", "False ha, median"):
        drawn.add_column(heading, justify="left" if not heading else "right")
    for kind, row in by_kind.items():
        shares = (row[name] for name in ("f1", "iou", "precision", "recall", "bias", "right_classes"))
        drawn.add_row(kind, str(row["cases"]), *(_number(one) for one in shares), str(row["false_hectares"]["median"]))
    return drawn


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
