"""`minecam cost`: what the Sentinel Hub service was paid, and what is left of the month."""

import json
from typing import Annotated

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.acquire import budget
from tasks.mines import registry
from tasks.settings import settings


def cost(
    mine: Annotated[str | None, typer.Option(help="Slug of one mine; otherwise every mine.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Show what was spent this month, what is left and where it leads, and what each mine cost by month.

    Example: minecam cost --mine east-pit
    """
    with sql.connect(settings().database_address, role="read") as connection:
        slug = None if mine is None else registry.find(connection, mine).slug
        month = budget.this_month(connection)
        waiting = sql.run(connection, "budget_waiting")[0]["waiting"]
        rows = [{**row, "month": f"{row['month']:%Y-%m}"} for row in sql.run(connection, "budget_list", mine=slug)]
    if as_json:
        said = {
            "processing_units": round(month.processing_units, 3), "limit": month.units_limit,
            "requests": month.requests, "requests_limit": month.requests_limit,
            **_left(month), "forecast": round(month.forecast, 1), "waiting": waiting, "mines": rows,
        }  # fmt: skip
        typer.echo(json.dumps(said))
        return
    units = _spent(f"{month.processing_units:.2f}", month.units_limit, "processing units", _left(month)["left"])
    requests = _spent(f"{month.requests}", month.requests_limit, "requests", _left(month)["requests_left"])
    typer.echo(f"this month: {units}, {requests}; if it goes on like this, {month.forecast:.0f} units at its end")
    if waiting:
        typer.echo(f"{waiting} acquisitions wait for budget")
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Month", "Mine", "Searches", "Previews", "Downloads", "Processing units"):
        drawn.add_column(heading, justify="left" if heading in ("Month", "Mine") else "right")
    for row in rows:
        drawn.add_row(
            row["month"],
            row["mine"],
            str(row["searches"]),
            str(row["previews"]),
            str(row["downloads"]),
            f"{row['processing_units']:.3f}",
        )
    if rows:
        draw(drawn, width=100)


def _left(month: budget.Month) -> dict[str, float | None]:
    """Return what is left of the month's limits; None: there is none."""
    units, requests = month.units_limit, month.requests_limit
    return {
        "left": None if units is None else max(round(units - month.processing_units, 2), 0.0),
        "requests_left": None if requests is None else max(requests - month.requests, 0),
    }


def _spent(spent: str, limit: float | None, of: str, left: float | None) -> str:
    return f"{spent} {of}" if limit is None else f"{spent} of {limit:g} {of} ({left} left)"
