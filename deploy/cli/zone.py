"""`minecam zone`: ground on which no mine should dig. Rules that look inside zones measure what is dug there."""

import getpass
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from tasks.errors import WrongUse
from tasks.mines import slug_of, zones
from tasks.settings import settings

app = typer.Typer(help="Protected and no-go areas: add, list, retire.", no_args_is_help=True)

KIND = f"Kind: {', '.join(zones.KINDS)}."

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Layer = Annotated[str | None, typer.Option(help="Layer of the file, where it has several.")]


def _connect(role: Literal["admin", "read"] = "admin") -> sql.Connection:
    return sql.connect(settings().database_address, role=role)


@app.command()
def add(
    outline: Annotated[Path, typer.Argument(help="File with the outline of one zone, as `minecam mine add` reads it.")],
    kind: Annotated[str | None, typer.Option(help=KIND)] = None,
    name: Annotated[str | None, typer.Option(help="Name; otherwise that in the file.")] = None,
    slug: Annotated[str | None, typer.Option(help="Short name for commands; made from the name.")] = None,
    layer: Layer = None,
    as_json: Json = False,
) -> None:
    """Register one zone; it counts from the next epoch of a mine on. It may be as large as a continent.

    Example: minecam zone add park.geojson --kind protected --name "Old Spring"
    """
    found, aside = zones.read(outline, layer)
    if len(found) > 1:
        raise WrongUse(f"{outline.name} holds {len(found)} zones: use `minecam zone import {outline.name}`")
    site = found[0]
    own = zones.kind_of(site)
    called = slug or (slug_of(name, site.slug) if name else site.slug)
    with _connect() as connection:
        row = zones.add(connection, slug=called, name=name or site.name, kind=kind or own, geometry=site.aoi)
        inside = zones.rules_inside(connection, called)
    if as_json:
        typer.echo(json.dumps({**_words(row), "rows": site.rows, "aside": aside}))
        return
    typer.echo(f"registered {row['slug']}, {row['kind']}, {row['km2']:,.2f} km², in {_mines(row)}")
    _tell({row["slug"]: site.rows} if site.rows > 1 else {}, aside)
    if row["mines"] and not any(rule["enabled"] for rule in inside):
        typer.echo("no rule that is on looks inside zones there: `minecam rule enable inside-zone`, or `rule add`")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="File with the outlines of many zones.")],
    kind: Annotated[str | None, typer.Option(help=f"Of those without a kind in a column of that name. {KIND}")] = None,
    layer: Layer = None,
    as_json: Json = False,
) -> None:
    """Register every zone of a file; zones that are registered already stay as they are.

    Exit status 1 when every zone is refused.

    Example: minecam zone import parks.gpkg --kind protected
    """
    with _connect() as connection:
        done = zones.import_zones(connection, path, layer=layer, kind=kind)
    if as_json:
        typer.echo(json.dumps(vars(done)))
    else:
        typer.echo(f"{len(done.added)} added, {len(done.present)} already registered, {len(done.refused)} refused")
        for slug in done.repaired:
            typer.echo(f"repaired {slug}: its outline had a fault")
        for name, reason in done.refused:
            typer.echo(f"refused {name}: {reason}", err=True)
        _tell(done.merged, done.aside)
    if done.refused and not (done.added or done.present):
        raise typer.Exit(1)


@app.command("list")
def list_(
    retired: Annotated[bool, typer.Option("--retired", help="Those too that count no more.")] = False,
    as_json: Json = False,
) -> None:
    """List the zones that count, and the mines that they reach into.

    Example: minecam zone list --json
    """
    with _connect("read") as connection:
        rows = zones.listed(connection, retired=retired)
    if as_json:
        typer.echo(json.dumps([_words(row) for row in rows]))
        return
    if not rows:
        typer.echo("no zones yet: `minecam zone add` or `minecam zone import`")
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Zone", "Kind", "km²", "Mines", "Name", *(["Retired"] if retired else [])):
        drawn.add_column(heading, justify="right" if heading in ("km²", "Mines") else "left")
    for row in rows:
        gone = [f"{row['retired_at']:%Y-%m-%d}" if row["retired_at"] else "-"] if retired else []
        drawn.add_row(row["slug"], row["kind"], f"{row['km2']:,.2f}", str(len(row["mines"])), row["name"], *gone)
    draw(drawn, width=130)


@app.command()
def retire(
    slug: Annotated[str, typer.Argument(help="The zone's slug.")],
    why: Annotated[str, typer.Option(help="The reason, kept with the zone.")],
    by: Annotated[str | None, typer.Option(help="Who decides; otherwise the user who is logged in.")] = None,
) -> None:
    """Let a zone count no more, from now on. Nothing is deleted: what was found in it stays.

    Example: minecam zone retire old-spring --why "the park was moved in May"
    """
    with _connect() as connection:
        row = zones.retire(connection, slug, who=by or getpass.getuser(), why=why)
        inside = zones.rules_inside(connection, slug)
    typer.echo(f"retired {slug}: it counts no more; it reached into {_mines(row)}")
    if inside:
        typer.echo(f"rules that looked inside it: {', '.join(rule['rule'] for rule in inside)}")
    if standing := [str(alert) for rule in inside for alert in rule["alerts"]]:
        typer.echo(f"alerts that stand there, and go on until you decide: {', '.join(standing)} "
                   f"(`minecam alerts resolve {standing[0]} --why ...`)")  # fmt: skip


def _tell(merged: Mapping[str, int], aside: Sequence[str]) -> None:
    for slug, rows in merged.items():
        typer.echo(f"put together {slug}: {rows} rows")
    for what in aside:
        typer.echo(f"left aside: {what}")


def _mines(row: sql.Row) -> str:
    names = row["mines"]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return "no mine" if not names else f"{len(names)} mine{'s' * (len(names) > 1)} ({', '.join(names[:5])}{more})"


def _words(row: sql.Row) -> dict[str, Any]:
    retired = row["retired_at"] and row["retired_at"].isoformat()
    return {
        **{name: row[name] for name in ("slug", "name", "kind", "mines", "retired_why", "retired_by")},
        "km2": round(row["km2"], 3), "registered_at": row["registered_at"].isoformat(), "retired_at": retired,
    }  # fmt: skip
