"""`minecam mine`: registers mines and shows what is registered. The analyst's and operator's way into the registry."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.errors import WrongUse
from tasks.mines import (
    NEAR_KM,
    Site,
    area_text,
    beside,
    doubts,
    imports,
    metres,
    polygons,
    read_table,
    registry,
    sites,
    slug_of,
    square_kilometres,
)  # fmt: skip
from tasks.rasters import in_one_piece
from tasks.settings import settings

app = typer.Typer(help="Register mines and look at them.", no_args_is_help=True)

FILES = "GeoJSON, GeoPackage, Shapefile, KML, KMZ or CSV file"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


@app.callback()
def offer(context: typer.Context) -> None:
    """Bring the form that lists the mines up to date after a command that may have changed them."""
    if context.invoked_subcommand not in ("list", "show") and "PREFECT_API_URL" in os.environ:
        context.call_on_close(_offer)


def _offer() -> None:
    from deploy import deployments  # reads the address of the Prefect server when it is imported

    with suppress(sql.DatabaseError):  # which the command has said
        deployments.offer_mines()


def _connect() -> sql.Connection:
    return sql.connect(settings().database_address, role="ingest")


@app.command()
def add(
    outline: Annotated[Path, typer.Argument(help=f"{FILES} with the outline of one mine.")],
    slug: Annotated[str | None, typer.Option(help="Short name for commands and URLs; made from the name.")] = None,
    name: Annotated[str | None, typer.Option(help="Name; otherwise that in the file.")] = None,
    country: Annotated[str | None, typer.Option()] = None,
    commodity: Annotated[str | None, typer.Option()] = None,
    operator: Annotated[str | None, typer.Option()] = None,
    mine_type: Annotated[str | None, typer.Option("--type", help="surface, underground, ...")] = None,
    licence: Annotated[Path | None, typer.Option(help="File with the outline of the licensed ground.")] = None,
    licence_layer: Annotated[str | None, typer.Option(help="Layer of that file, where it has several.")] = None,
    model: Annotated[str | None, typer.Option(help="Model that watches it; otherwise MINECAM_MODEL.")] = None,
    priority: Annotated[str | None, typer.Option(help="high, normal or low: whom a short budget is kept for.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the file, where it has several.")] = None,
    as_json: Json = False,
) -> None:
    """Register one mine with its outline.

    Example: minecam mine add east-pit.geojson --name "East pit" --country India
    """
    table = read_table(outline, layer)
    found = sites(table.frame, stem=outline.stem)
    imports.refuse_points(found, outline.name)
    site = only(found, outline.name)
    given = {"country": country, "commodity": commodity, "operator": operator, "mine_type": mine_type, "model": model,
             "priority": priority}  # fmt: skip
    words: dict[str, Any] = {**site.words, **{word: value for word, value in given.items() if value is not None}}
    permit, unused = (site.licence, []) if licence is None else imports.licence_of(licence, licence_layer)
    called = slug or (slug_of(name, site.slug) if name else site.slug)
    with _connect() as connection:
        mine = registry.add(connection, slug=called, name=name or site.name, aoi=site.aoi, licence=permit, **words)
    aside = [*table.aside, *doubts(table.frame), *beside(found), *(f"licence: {what}" for what in unused)]
    if as_json:
        typer.echo(json.dumps({**_words(mine), "rows": site.rows, "aside": aside}))
        return
    typer.echo(f"registered {mine.slug}, {area_text(mine.aoi)}")
    _tell({mine.slug: site.rows} if site.rows > 1 else {}, aside)


def only(found: list[Site], file: str) -> Site:
    """Return the one mine that a file holds; points and lines beside it are none."""
    drawn = [site for site in found if polygons(site.aoi)] or found
    if len(drawn) > 1 and len({site.name for site in drawn}) == 1:
        raise WrongUse(
            f"{file} holds {len(drawn)} outlines called {drawn[0].name} that are no one mine (other countries, "
            f"or more than {NEAR_KM:.0f} km apart): use `minecam mine import {file}`"
        )
    if len(drawn) > 1:
        raise WrongUse(f"{file} holds {len(drawn)} mines: use `minecam mine import {file}`")
    return drawn[0]


class Parts(StrEnum):
    """What becomes of several rows of one mine."""

    merge = "merge"
    separate = "separate"


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help=f"{FILES} with many outlines, or points.")],
    layer: Annotated[str | None, typer.Option(help="Layer of the file, where it has several.")] = None,
    parts: Annotated[Parts, typer.Option(help="Rows of one mine are put together, or each is one.")] = Parts.merge,
    buffer: Annotated[str | None, typer.Option(help="Make circles of this radius around points: 2km, 500m.")] = None,
    as_json: Json = False,
) -> None:
    """Register every mine of a file; mines that are registered already stay as they are.

    Rows of one name within 50 km, or of one key, are one mine, which is said. Exit status 1 when every mine is refused.

    Example: minecam mine import places.geojson

    Example: minecam mine import register.csv --buffer 2km
    """
    radius = None if buffer is None else metres(buffer)
    with _connect() as connection:
        done = imports.import_outlines(connection, path, layer, merge=parts is Parts.merge, radius=radius)
    if as_json:
        typer.echo(json.dumps(vars(done)))
    else:
        _say(done)
    if done.refused and not (done.added or done.present):
        raise typer.Exit(1)


def _say(done: imports.Imported) -> None:
    typer.echo(f"{len(done.added)} added, {len(done.present)} already registered, {len(done.refused)} refused")
    for slug in done.repaired:
        typer.echo(f"repaired {slug}: its outline had a fault")
    for slug in done.circles:
        typer.echo(f"{slug}: a circle around a point, no drawn outline")
    _tell(done.merged, done.aside)
    for name, reason in done.refused:
        typer.echo(f"refused {name}: {reason}", err=True)


def _tell(merged: Mapping[str, int], aside: Sequence[str]) -> None:
    """Say what was put together, and what was left aside or taken otherwise."""
    for slug, rows in merged.items():
        typer.echo(f"put together: {slug}, of {rows} rows (`mine import --parts separate` makes each a mine)")
    for what in aside:
        typer.echo(f"note: {what}")


@app.command()
def prioritise(
    slug: Annotated[str, typer.Argument(help="The mine's slug.")],
    priority: Annotated[str, typer.Argument(help="high, normal or low.")],
) -> None:
    """Say how early a mine comes in a run of the fleet, and whether the last of a month's budget is kept for it.

    Example: minecam mine prioritise east-pit high
    """
    with _connect() as connection:
        registry.prioritise(connection, slug, priority)
    typer.echo(f"{slug}: {priority} priority")


@app.command("list")
def list_(
    retired: Annotated[bool, typer.Option("--retired", help="Those too that are watched no more.")] = False,
    as_json: Json = False,
) -> None:
    """List the mines that are watched.

    Example: minecam mine list --json
    """
    with _connect() as connection:
        mines = registry.mines(connection, retired=retired)
    if as_json:
        typer.echo(json.dumps([_words(mine) for mine in mines]))
        return
    if not mines:
        typer.echo("no mines yet: `minecam mine add` or `minecam mine import`")
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Slug", "Area", "Country", "Name", *(["Retired"] if retired else [])):
        drawn.add_column(heading, justify="right" if heading == "Area" else "left", no_wrap=heading != "Name")
    for mine in mines:
        gone = [f"{mine.retired_at:%Y-%m-%d}" if mine.retired_at else "-"] if retired else []
        drawn.add_row(mine.slug, area_text(mine.aoi), mine.country or "-", mine.name, *gone)
    draw(drawn, width=120)


@app.command()
def show(slug: Annotated[str, typer.Argument(help="The mine's slug.")], as_json: Json = False) -> None:
    """Show one mine: what is recorded, its area and its grid; with --json its outlines too.

    Example: minecam mine show east-pit
    """
    with _connect() as connection:
        mine = registry.find(connection, slug)
    if as_json:
        licence = None if mine.licence is None else shapely.geometry.mapping(mine.licence)
        typer.echo(json.dumps({**_words(mine), "aoi": shapely.geometry.mapping(mine.aoi), "licence": licence}))
        return
    for word, value in _words(mine).items():
        typer.echo(f"{word:12} {'-' if value is None else value}")


def _bounds(mine: registry.Mine) -> tuple[float, float, float, float]:
    """West, south, east, north; east is the smaller where the mine lies across 180° (RFC 7946)."""
    west, south, east, north = in_one_piece(mine.aoi).bounds
    return west, south, east - 360 if east > 180 else east, north


def _words(mine: registry.Mine) -> dict[str, Any]:
    names = ("slug", "name", "country", "commodity", "operator", "mine_type", "model", "notes", "priority")
    grid = f"{mine.grid.width} x {mine.grid.height} px, {mine.grid.crs}"
    return {
        **{name: getattr(mine, name) for name in names},
        "km2": round(square_kilometres(mine.aoi), 6),
        "bounds": [round(value, 6) for value in _bounds(mine)],
        "grid": grid,
        "retired_at": mine.retired_at and mine.retired_at.isoformat(),
    }
