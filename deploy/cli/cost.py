"""`minecam cost`: what the Sentinel Hub service was paid, and what is left of the month."""

import json
from typing import Annotated

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks import budget, registry
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
            "forecast": round(month.forecast, 1), "waiting": waiting, "mines": rows,
        }  # fmt: skip
        typer.echo(json.dumps(said))
        return
    typer.echo(f"this month: {month.processing_units:.2f}{_of(month.units_limit)} processing units, "
               f"{month.requests}{_of(month.requests_limit)} requests; if it goes on like this, "
               f"{month.forecast:.0f} units at its end")  # fmt: skip
    if waiting:
        typer.echo(f"{waiting} acquisitions wait for budget")
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Month", "Mine", "Searches", "Looks", "Downloads", "Processing units"):
        drawn.add_column(heading, justify="left" if heading in ("Month", "Mine") else "right")
    for row in rows:
        drawn.add_row(
            row["month"],
            row["mine"],
            str(row["searches"]),
            str(row["looks"]),
            str(row["downloads"]),
            f"{row['processing_units']:.3f}",
        )
    if rows:
        draw(drawn, width=100)


def _of(limit: float | None) -> str:
    return "" if limit is None else f" of {limit:g}"
