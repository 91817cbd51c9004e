"""`minecam alerts`: the alerts that stand, as a table for people or JSON for programs."""

import json
from typing import Annotated, Any

import shapely
import typer
from rich.console import Console
from rich.table import Table

import sql
from tasks import registry
from tasks.settings import settings

app = typer.Typer()


@app.command()
def alerts(
    mine: Annotated[str | None, typer.Option(help="Slug of one mine; otherwise every mine.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Resolved and expired ones too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """List alerts, the most severe first.

    Example: minecam alerts --mine east-pit --all --json
    """
    with sql.connect(settings().database_address, role="read") as connection:
        mine_id = None if mine is None else registry.find(connection, mine).mine_id
        rows = [_words(row) for row in sql.run(connection, "alert_list", mine_id=mine_id, closed=all_)]
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("no alerts" if all_ else "no alerts stand (`minecam alerts --all` shows the closed ones too)")
    else:
        Console(width=max(Console().width, 100)).print(_table(rows))  # a pipe has no width of its own


def _words(row: sql.Row) -> dict[str, Any]:
    """Return the row as JSON can say it: days, rounded hectares, a point on the ground."""
    point = shapely.from_wkb(bytes(row["geom"])).representative_point()
    names = ("alert_id", "mine", "rule", "state", "severity", "observations")
    return {
        **{name: row[name] for name in names},
        "hectares": round(row["hectares"], 2),
        "first_time": row["first_time"].isoformat(),
        "last_time": row["last_time"].isoformat(),
        "latitude": round(point.y, 5),
        "longitude": round(point.x, 5),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("ID", "Mine", "Rule", "State"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Agree", "Sev.", "Hectares", "First", "Last"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["alert_id"]), row["mine"], row["rule"], row["state"],
            f"{sum(row['observations'])}/{len(row['observations'])}",
            str(row["severity"]), f"{row['hectares']:,.2f}", row["first_time"][:10], row["last_time"][:10],
        )  # fmt: skip
    return table
