"""`minecam run | backfill`: starts the monitoring flow through its deployment, and follows it to its end."""

from datetime import date, datetime
from typing import Annotated

import typer

import sql
from models.sensors import SENSOR_SETS
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.settings import settings

Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing until the end.")]


def run(
    mines: Annotated[list[str] | None, typer.Argument(help="Slugs of mines; without any, all of them.")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    sensor_set: Annotated[str | None, typer.Option(help="Use the shipped model of this sensor set.")] = None,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Judge, segment by the weights of today, and compare again what is done.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Watch mines now: download what is new, segment it, compare it, raise alerts.

    Example: minecam run east-pit --from 2026-01-01
    """
    first, last = start.date() if start else None, end.date() if end else None
    if first and last and last < first:
        raise WrongUse(f"the range ends ({last}) before it starts ({first})")
    if sensor_set is not None and sensor_set not in SENSOR_SETS:
        raise WrongUse(f"there is no sensor set '{sensor_set}': choose one of {', '.join(SENSOR_SETS)}")
    known = _check(mines or [])
    if not known:
        raise WrongUse("no mines are registered yet: `minecam mine add` or `minecam mine import`")
    if mines is None and (sensor_set or rerun):
        mines = known
    _start(mines, {"start": first, "end": last}, {"sensor_set": sensor_set, "rerun": rerun}, quiet)


def backfill(
    mine: Annotated[str, typer.Argument(help="Slug of the mine.")],
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; otherwise today.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Carry a mine's past through the same steps, epoch by epoch.

    Example: minecam backfill east-pit --from 2022-01-01 --to 2023-12-31
    """
    run([mine], start, end, quiet=quiet)


def _check(mines: list[str]) -> list[str]:
    """Return the slugs of all mines; raises WrongUse for one that is not registered."""
    with sql.connect(settings().database_address, role="read") as connection:
        for slug in mines:
            registry.watched(connection, slug)
        return [mine.slug for mine in registry.mines(connection)]


def _start(mines: list[str] | None, days: dict[str, date | None], how: dict[str, object], quiet: bool) -> None:
    from deploy.deployments import offer_mines
    from deploy.stack.runs import follow

    say = (lambda _: None) if quiet else typer.echo
    if mines is None:
        follow("monitor/fleet", days, say)
    if mines:
        offer_mines()  # the server takes none that it does not list
    for slug in mines or []:
        follow("monitor/mine", {"mine": slug, **days, **how}, say)
