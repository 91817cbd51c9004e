"""`minecam quarantine`: what validation refused, and what people decide on it."""

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw, png_file, write_png
from tasks.errors import Busy
from tasks.mines import registry
from tasks.settings import settings
from tasks.validate import datadocs, quarantine

app = typer.Typer(help="What validation refused: list, show, judge, release, reject, docs.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as `minecam quarantine list` shows it.")]
Why = Annotated[str, typer.Option(help="Why: it is kept with the acquisition.")]
By = Annotated[str | None, typer.Option(help="Who decides; otherwise the user who is logged in.")]

SAID = ("acquisition_id", "mine", "sensing_time", "reasons", "valid_share", "cloud_share", "product_ids")
"""Fields that `list --json` prints."""


@app.command(name="list")
def list_(
    mine: Annotated[str | None, typer.Option(help="Slug of one mine; otherwise every mine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """List what waits for a decision, with the reasons. `minecam quarantine judge` judges it by today's settings.

    Example: minecam quarantine list --mine east-pit
    """
    with sql.connect(settings().database_address, role="read") as connection:
        slug = None if mine is None else registry.find(connection, mine).slug
        rows = [{field: row[field] for field in SAID} for row in quarantine.listed(connection, slug)]
    if as_json:
        typer.echo(json.dumps(rows, default=str))
        return
    if not rows:
        typer.echo("nothing waits in quarantine")
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("ID", "Mine", "Sensed", "Valid", "Reasons"):
        drawn.add_column(heading, no_wrap=heading == "Mine")
    for row in rows:
        valid = "-" if row["valid_share"] is None else f"{100 * row['valid_share']:.0f} %"
        drawn.add_row(str(row["acquisition_id"]), row["mine"], f"{row['sensing_time']:%Y-%m-%d}", valid,
                      "; ".join(row["reasons"]))  # fmt: skip
    draw(drawn, width=120)


@app.command()
def show(
    acquisition_id: Number,
    png: Annotated[Path, typer.Option(callback=png_file, help="PNG file to write the picture to.")],
) -> None:
    """Write a picture of an acquisition in quarantine.

    Example: minecam quarantine show 31 --png 31.png
    """
    with sql.connect(settings().database_address, role="ingest") as connection:
        content = quarantine.picture(connection, acquisition_id)
    write_png(png, content)
    typer.echo(f"picture: {png}")


@app.command()
def judge(
    mine: Annotated[str | None, typer.Argument(help="Slug of one mine; otherwise every mine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Judge again what waits, by the suites and settings of today, without downloading anything; say what changed.

    Example: MINECAM_MAX_CLOUD=0.7 minecam quarantine judge east-pit
    """
    judged, busy = [], []
    with sql.connect(settings().database_address, role="ingest") as connection:
        for place in [registry.find(connection, mine)] if mine else registry.mines(connection):
            try:
                judged += list(quarantine.judge_again(connection, place))
            except Busy as error:
                busy.append(str(error))
    if as_json:
        typer.echo(json.dumps([{**asdict(one), "changed": one.changed} for one in judged], default=str))
    else:
        for one in judged:
            if one.changed:
                typer.echo(f"{one.acquisition_id} {one.mine} {one.sensing_time:%Y-%m-%d}: {_became(one)}")
        typer.echo(f"{len(judged)} judged, {sum(one.changed for one in judged)} changed")
    for reason in busy:
        typer.echo(reason, err=True)
    if busy:
        raise typer.Exit(1)


def _became(one: quarantine.Judged) -> str:
    if one.state == "quarantined":
        return f"still refused: {'; '.join(one.reasons)} (before: {'; '.join(one.before)})"
    then = "downloads" if one.state == "discovered" else "segments"
    return f"{one.state} (before: {'; '.join(one.before)}): `minecam run {one.mine}` {then} it"


@app.command()
def release(acquisition_id: Number, why: Why, by: By = None) -> None:
    """Accept an acquisition in spite of its reasons; the next run segments it.

    Example: minecam quarantine release 31 --why "the cloud lies beside the pit"
    """
    _decide(acquisition_id, "release", why, by)


@app.command()
def reject(acquisition_id: Number, why: Why, by: By = None) -> None:
    """Leave an acquisition out for good; no re-run judges it again.

    Example: minecam quarantine reject 31 --why "smoke"
    """
    _decide(acquisition_id, "reject", why, by)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder to write the pages into.")],
    mine: Annotated[str | None, typer.Option(help="Slug of one mine; otherwise every mine.")] = None,
) -> None:
    """Write the Data Docs: all that was measured, held against the suites of today, as pages that need no network.

    Example: minecam quarantine docs validation/ --mine east-pit
    """
    with sql.connect(settings().database_address, role="read") as connection:
        page = datadocs.build(connection, folder, mine and registry.find(connection, mine).slug)
    typer.echo(f"open {page}")


def _decide(acquisition_id: int, decision: str, why: str, by: str | None) -> None:
    with sql.connect(settings().database_address, role="ingest") as connection:
        row = quarantine.decide(connection, acquisition_id, decision, who=by or getpass.getuser(), why=why)
    then = f": `minecam run {row['mine']}` segments it" if decision == "release" else ""
    typer.echo(f"{row['mine']} {row['sensing_date']}: {quarantine.DECISIONS[decision]}{then}")
