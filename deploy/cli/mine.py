"""`minecam mine`: registers mines and shows what is registered. The analyst's and operator's way into the registry."""

import json
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.errors import WrongUse
from tasks.mines import NEAR_KM, read_frame, registry, sites, slug_of, square_kilometres
from tasks.settings import settings

app = typer.Typer(help="Register mines and look at them.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def _connect() -> sql.Connection:
    return sql.connect(settings().database_address, role="ingest")


@app.command()
def add(
    outline: Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage or KML file with the outline of one mine.")],
    slug: Annotated[str | None, typer.Option(help="Short name for commands and URLs; made from the name.")] = None,
    name: Annotated[str | None, typer.Option(help="Name; otherwise that in the file.")] = None,
    country: Annotated[str | None, typer.Option()] = None,
    commodity: Annotated[str | None, typer.Option()] = None,
    operator: Annotated[str | None, typer.Option()] = None,
    mine_type: Annotated[str | None, typer.Option("--type", help="surface, underground, ...")] = None,
    licence: Annotated[Path | None, typer.Option(help="File with the outline of the licensed ground.")] = None,
    model: Annotated[str | None, typer.Option(help="Model that watches it; otherwise MINECAM_MODEL.")] = None,
    priority: Annotated[str | None, typer.Option(help="high, normal or low: whom a short budget is kept for.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the file, where it has several.")] = None,
    as_json: Json = False,
) -> None:
    """Register one mine with its outline.

    Example: minecam mine add east-pit.geojson --name "East pit" --country India
    """
    found = sites(read_frame(outline, layer), stem=outline.stem)
    if len(found) > 1 and len({site.name for site in found}) == 1:
        raise WrongUse(
            f"{outline.name} holds {len(found)} outlines called {found[0].name} that are no one mine (other countries, "
            f"or more than {NEAR_KM:.0f} km apart): use `minecam mine import {outline.name}`"
        )
    if len(found) > 1:
        raise WrongUse(f"{outline.name} holds {len(found)} mines: use `minecam mine import {outline.name}`")
    given = {"country": country, "commodity": commodity, "operator": operator, "mine_type": mine_type, "model": model,
             "priority": priority}  # fmt: skip
    words: dict[str, Any] = {**found[0].words, **{word: value for word, value in given.items() if value is not None}}
    permit = found[0].licence if licence is None else read_frame(licence).geometry.union_all()
    called = slug or (slug_of(name, found[0].slug) if name else found[0].slug)
    with _connect() as connection:
        mine = registry.add(
            connection, slug=called, name=name or found[0].name, aoi=found[0].aoi, licence=permit, **words
        )
    typer.echo(json.dumps(_words(mine)) if as_json else f"registered {mine.slug}, {_area(mine)}")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage or KML file with many outlines.")],
    layer: Annotated[str | None, typer.Option(help="Layer of the file, where it has several.")] = None,
    as_json: Json = False,
) -> None:
    """Register every mine of a file; mines that are registered already stay as they are.

    Exit status 1 when every mine is refused.

    Example: minecam mine import places.geojson
    """
    with _connect() as connection:
        done = registry.import_outlines(connection, path, layer)
    if as_json:
        typer.echo(json.dumps(vars(done)))
    else:
        _say(done)
    if done.refused and not (done.added or done.present):
        raise typer.Exit(1)


def _say(done: registry.Imported) -> None:
    typer.echo(f"{len(done.added)} added, {len(done.present)} already registered, {len(done.refused)} refused")
    for slug in done.repaired:
        typer.echo(f"repaired {slug}: its outline had a fault")
    for name, reason in done.refused:
        typer.echo(f"refused {name}: {reason}", err=True)


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
def list_(as_json: Json = False) -> None:
    """List the mines that are watched.

    Example: minecam mine list --json
    """
    with _connect() as connection:
        mines = registry.mines(connection)
    if as_json:
        typer.echo(json.dumps([_words(mine) for mine in mines]))
        return
    if not mines:
        typer.echo("no mines yet: `minecam mine add` or `minecam mine import`")
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Slug", "Area", "Country", "Name"):
        drawn.add_column(heading, justify="right" if heading == "Area" else "left", no_wrap=heading != "Name")
    for mine in mines:
        drawn.add_row(mine.slug, _area(mine), mine.country or "-", mine.name)
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


def _words(mine: registry.Mine) -> dict[str, Any]:
    names = ("slug", "name", "country", "commodity", "operator", "mine_type", "model", "notes", "priority")
    grid = f"{mine.grid.width} x {mine.grid.height} px, {mine.grid.crs}"
    return {
        **{name: getattr(mine, name) for name in names},
        "km2": round(square_kilometres(mine.aoi), 3),
        "bounds": [round(value, 6) for value in mine.aoi.bounds],
        "grid": grid,
    }


def _area(mine: registry.Mine) -> str:
    return f"{square_kilometres(mine.aoi):,.2f} km²"
