"""`minecam backtest`: how good alerts and changes are, on places of which the truth is known, or how long they last."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.console import draw
from tasks.errors import WrongUse


def backtest(
    source: Annotated[Path, typer.Argument(help="Folder with pairs.csv (labels), cases.csv (truth) or series.csv.")],
    home: Annotated[Path | None, typer.Option(help="Keep all in this folder, to look at it and to go on.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many places (of each kind).")] = None,
    split: Annotated[str | None, typer.Option(help="Only places of this split.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Draw the ten worst errors into this folder.")] = None,
    ablation: Annotated[bool, typer.Option("--ablation", help="What each guard against false change buys.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Replay places through the whole system and score what it says; settings (MINECAM_*) apply.

    With pairs.csv the alerts are scored against a label per place. Where there is cases.csv and truth/ as well, the
    changes of every pixel are scored, by kind of case, unless --split asks for the alerts of one kind. With series.csv
    there is no truth: alerts are counted per mine and year, and which of them did not last. In brackets are 95 %
    intervals. What is kept in --home is not made again with other settings.

    --ablation takes away the guards against false change one by one: of cases border, confidence, mapping unit and
    validity; of a series the confirmation by later looks.

    Example: minecam backtest pairs/ --split val --pictures worst/
    """
    from deploy.backtest import cases, pairs, series, tables

    def say(line: str) -> None:
        typer.echo(line, err=True)

    def show(result: Any, *drawn: Table) -> None:
        if as_json:
            typer.echo(json.dumps(result))
            return
        for table in drawn:
            draw(table, "", width=110)

    if (source / "series.csv").exists():
        if pictures is not None or split is not None:
            raise WrongUse(f"{source} is a series without truth and splits: leave --pictures and --split out")
        watched = series.replay(source, home=home, limit=limit, say=say)
        usual = [tables.of_series(watched), tables.of_refusals(watched)]
        show(watched, *(tables.of_confirmation(watched) if ablation else usual))
    elif split is None and (source / "cases.csv").exists():
        if ablation and pictures is not None:
            raise WrongUse("--ablation draws no pictures: leave --pictures out")
        if ablation:
            without = cases.replay_without(source, home=home, limit=limit, say=say)
            show(without, tables.of_guards(without))
        else:
            kinds = cases.replay(source, home=home, limit=limit, pictures=pictures, say=say)
            show(kinds, tables.of_kinds(kinds))
    elif ablation:
        raise WrongUse(f"{source} has neither truth nor later looks: --ablation needs cases.csv or series.csv")
    else:
        score = pairs.replay(source, home=home, limit=limit, split=split, pictures=pictures, say=say)
        show(score, tables.of_score(score))
