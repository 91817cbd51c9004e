"""`minecam route`: who is told of which alerts."""

import json
from typing import Annotated

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.errors import WrongUse
from tasks.notify import routes
from tasks.settings import settings

app = typer.Typer(help="Who is told of which alerts: list, add, remove.", no_args_is_help=True)

SAID = ("route_id", "block", "rule", "least_severity", "states", "digest")
"""Fields of a route that `list --json` prints."""


@app.command(name="list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False) -> None:
    """List the routes; without any, all alerts go to the notification block MINECAM_NOTIFICATION_BLOCK at once.

    Example: minecam route list
    """
    with sql.connect(settings().database_address, role="read") as connection:
        rows = [{field: row[field] for field in SAID} for row in routes.listed(connection)]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        typer.echo(f"no routes: all alerts go to the notification block '{settings().notification_block}' at once")
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("ID", "Block", "Rule", "Severity", "States", "When"):
        drawn.add_column(heading)
    for row in rows:
        states = "all" if len(row["states"]) == len(routes.STATES) else ", ".join(row["states"])
        drawn.add_row(str(row["route_id"]), row["block"], row["rule"] or "all", f"from {row['least_severity']}", states,
                      "in a digest" if row["digest"] else "at once")  # fmt: skip
    draw(drawn, width=100)


@app.command()
def add(
    block: Annotated[str, typer.Argument(help="Prefect notification block: a name, or type/name.")],
    rule: Annotated[str | None, typer.Option(help="Only alerts of this rule.")] = None,
    severity: Annotated[int, typer.Option(min=1, help="Only alerts of at least this severity.")] = 1,
    states: Annotated[str, typer.Option(help="Only of these states.")] = ",".join(routes.STATES),
    digest: Annotated[bool, typer.Option("--digest", help="In one message after a run of the fleet.")] = False,
) -> None:
    """Have a notification block told of alerts. An event goes to every block that has a route for it.

    Example: minecam route add field-team --states confirmed,resolved --severity 2
    """
    from tasks.notify import receiver

    if receiver(block) is None:
        raise WrongUse(f"there is no notification block '{block}': make it in the Prefect UI first")
    with sql.connect(settings().database_address, role="admin") as connection:
        named = [state.strip() for state in states.split(",") if state.strip()]
        number = routes.add(connection, block=block, rule=rule, least_severity=severity, states=named, digest=digest)
    typer.echo(f"route {number} added")


@app.command()
def remove(route_id: Annotated[int, typer.Argument(help="Its number, as `minecam route list` shows it.")]) -> None:
    """Use a route no more; what waits for it goes the ways that are left.

    Example: minecam route remove 3
    """
    with sql.connect(settings().database_address, role="admin") as connection:
        routes.remove(connection, route_id)
    typer.echo(f"route {route_id} removed")
