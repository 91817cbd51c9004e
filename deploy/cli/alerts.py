"""`minecam alerts`: the alerts that stand, what shows them, and what people decide on them."""

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.alert import decide
from tasks.mines import registry
from tasks.notify import body, evidence, subject
from tasks.settings import settings

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as `minecam alerts` shows it.")]
Why = Annotated[str, typer.Option(help="Why: it is kept with the alert.")]
By = Annotated[str | None, typer.Option(help="Who decides; otherwise the user who is logged in.")]


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    mine: Annotated[str | None, typer.Option(help="Slug of one mine; otherwise every mine.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Resolved and expired ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List alerts, the most severe first; or show, acknowledge or resolve one.

    Example: minecam alerts --mine east-pit --all --json
    """
    if context.invoked_subcommand:
        return
    with sql.connect(settings().database_address, role="read") as connection:
        mine_id = None if mine is None else registry.find(connection, mine).mine_id
        rows = [_words(row) for row in sql.run(connection, "alert_list", mine_id=mine_id, closed=all_)]
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("no alerts" if all_ else "no alerts stand (`minecam alerts --all` shows the closed ones too)")
    else:
        draw(_table(rows), width=120)


@app.command()
def show(
    alert_id: Number,
    folder: Annotated[Path | None, typer.Option(help="Write words, outline and picture into this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the evidence of an alert: what, where, since when, by which scenes and model.

    Example: minecam alerts show 12 --folder evidence/
    """
    with sql.connect(settings().database_address, role="read") as connection:
        event = evidence.latest(connection, alert_id)
    files = evidence.write(event, folder) if folder else []
    if as_json:
        known = {**evidence.figures(event), "geometry": evidence.geometry(event)}
        typer.echo(json.dumps({**known, "files": [str(file) for file in files]}))
        return
    typer.echo(f"{subject(event)}\n{body(event)}")
    for file in files:
        typer.echo(f"written: {file}")


@app.command()
def acknowledge(alert_id: Number, why: Why, by: By = None) -> None:
    """Say that somebody deals with a confirmed alert; it stands, and is not raised again.

    Example: minecam alerts acknowledge 12 --why "inspection on Friday"
    """
    _decide(alert_id, "acknowledge", why, by)


@app.command()
def resolve(alert_id: Number, why: Why, by: By = None) -> None:
    """Close an alert: dealt with, or false.

    Example: minecam alerts resolve 12 --why "licence was extended in May"
    """
    _decide(alert_id, "resolve", why, by)


def _decide(alert_id: int, decision: str, why: str, by: str | None) -> None:
    with sql.connect(settings().database_address, role="ingest") as connection:
        row = decide(connection, alert_id, decision, who=by or getpass.getuser(), why=why)
    typer.echo(f"alert {alert_id} ({row['rule']} at {row['mine'] or 'the fleet'}) was {row['state']}: {decision}d")


def _words(row: sql.Row) -> dict[str, Any]:
    """Return the row as JSON can say it: days, rounded figures, a point on the ground."""
    point = shapely.from_wkb(bytes(row["geom"])).representative_point() if row["geom"] else None
    names = ("alert_id", "mine", "rule", "state", "severity", "unit", "observations")
    return {
        **{name: row[name] for name in names},
        "measured": round(row["measured"], 2),
        "hectares": None if row["hectares"] is None else round(row["hectares"], 2),
        "first_time": row["first_time"].isoformat(),
        "last_time": row["last_time"].isoformat(),
        "latitude": None if point is None else round(point.y, 5),
        "longitude": None if point is None else round(point.x, 5),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("ID", "Mine", "Rule", "State"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Agree", "Sev.", "Measured", "First", "Last"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["alert_id"]), row["mine"] or "(the fleet)", row["rule"], row["state"],
            f"{sum(row['observations'])}/{len(row['observations'])}" if row["observations"] else "-",
            str(row["severity"]), f"{row['measured']:,.2f} {row['unit']}", row["first_time"][:10],
            row["last_time"][:10],
        )  # fmt: skip
    return table
