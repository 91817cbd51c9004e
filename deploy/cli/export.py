"""`minecam export`: what is known of mines, as files for other programs."""

from pathlib import Path
from typing import Annotated

import typer

import sql
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.report import export as exporting
from tasks.settings import settings


def export(
    mine: Annotated[str, typer.Argument(help="Slug of a mine, or all.")],
    out: Annotated[Path, typer.Argument(help="Folder to write to; each mine becomes a file, MINE-WHAT.")] = Path(),
    kind: Annotated[exporting.Format, typer.Option("--format", help="Kind of file.")] = "geoparquet",
    what: Annotated[exporting.What, typer.Option(help="What of the mine.")] = "segments",
) -> None:
    """Write what is known of a mine, or of all, to files for QGIS, Python, DuckDB or a spreadsheet.

    Example: minecam export east-pit exports/ --format gpkg --what changes
    """
    if out.exists() and not out.is_dir():
        raise WrongUse(f"{out} is a file: give a folder")
    out.mkdir(parents=True, exist_ok=True)
    with sql.connect(settings().database_address, role="read") as connection:
        chosen = registry.mines(connection) if mine == "all" else [registry.find(connection, mine)]
        for one in chosen:
            frame = exporting.read(connection, what=what, mine=one.slug)
            path = out / f"{one.slug}-{what}{exporting.SUFFIX[kind]}"
            exporting.write(frame, path, what=what, kind=kind)
            typer.echo(f"{path}: {len(frame)} {what}")
