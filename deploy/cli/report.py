"""`minecam report`: what became of the mines, as a table, JSON and a picture."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw, png_file, write_png
from tasks.mines import registry
from tasks.report import Report, picture
from tasks.report import report as of_mine
from tasks.settings import settings


def report(
    mines: Annotated[list[str] | None, typer.Argument(help="Slugs of mines; without any, all of them.")] = None,
    png: Annotated[
        Path | None,
        typer.Option(callback=png_file, help="Write a picture of the mine (one only) to this PNG file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Show epochs, hectares per class and alerts of every mine.

    Example: minecam report east-pit --png east-pit.png
    """
    with sql.connect(settings().database_address, role="read") as connection:
        chosen = [registry.find(connection, slug) for slug in mines] if mines else registry.mines(connection)
        reports = [of_mine(connection, mine) for mine in chosen]
        if png and len(chosen) != 1:
            raise typer.BadParameter("a picture shows one mine: name it", param_hint="--png")
        if png:
            write_png(png, picture(connection, chosen[0]))
    if as_json:
        typer.echo(json.dumps([vars(one) for one in reports]))
        return
    for one in reports:
        draw(table(one), summary(one), "")
    if png:
        typer.echo(f"picture: {png}")


def table(one: Report) -> Table:
    """Return the table of one mine."""
    drawn = Table(title=f"{one.name} ({one.mine})", title_justify="left", box=None, pad_edge=False, title_style="bold")
    drawn.add_column("hectares", min_width=14)
    for title, epoch in one.columns.items():
        drawn.add_column(_heading(title, epoch), justify="right", min_width=12)
    for row in one.areas:
        drawn.add_row(row["class"].replace("_", " "), *(_hectares(row[title]) for title in one.columns))
    return drawn


def summary(one: Report) -> str:
    """Return epochs, what was left out, and alerts of one mine, in one line."""
    known = one.acquisitions
    epochs = f"{known.get('segmented', 0)} epochs accepted, {known.get('quarantined', 0)} quarantined"
    failed = f", {known['failed']} failed" if known.get("failed") else ""
    alerts = ", ".join(f"{count} {state}" for state, count in sorted(one.alerts.items())) or "none"
    others = f", {one.other_weights} by other weights (left out)" if one.other_weights else ""
    return f"{epochs}{others}{failed}; alerts: {alerts}"


def _heading(title: str, epoch: dict[str, Any] | None) -> str:
    return f"{title}\n{epoch['date']}\n{100 * epoch['valid_share']:.0f} % seen" if epoch else title


def _hectares(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
