"""`minecam archive`: the folder of scenes that the local archive serves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tasks.errors import StackError, WrongUse
from tasks.settings import settings

app = typer.Typer(help="Make, fill and serve the local archive.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Argument(help="The archive; without it, that of the settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Make `folder`, and say in words when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StackError(f"{folder} cannot be written: {error.strerror or error}") from error


@app.command()
def make(
    folder: Folder = None,
    mines: Annotated[int, typer.Option(min=1, help="How many simulated mines.")] = 4,
    dates: Annotated[int, typer.Option(min=1, help="How many sensings of each, 30 days apart.")] = 10,
    seed: Annotated[int, typer.Option(help="Another seed makes other scenes.")] = 7,
) -> None:
    """Fill the archive with simulated scenes of mines that grow; the truth is written beside.

    Example: minecam archive make /tmp/archive --mines 2
    """
    from deploy import simulate

    archive = folder or settings().archive_folder
    with _writing(archive):
        simulate.make(archive, mines=mines, dates=dates, seed=seed, progress=typer.echo)
    typer.echo(f"{archive}: register its mines with `minecam mine import {archive / 'places.geojson'}`")


@app.command()
def chips(
    folder: Annotated[Path, typer.Argument(help="Folder to write: images/, radar/, labels/, sites.csv.")],
    count: Annotated[int, typer.Option(min=1, help="How many; four of each invented site.")] = 260,
    seed: Annotated[int, typer.Option(help="Another seed makes other sites.")] = 11,
) -> None:
    """Make simulated labelled chips, to train and try models on.

    Example: minecam archive chips /tmp/chips --count 40
    """
    from deploy.simulate import make_chips

    with _writing(folder):
        make_chips(folder, chips=count, seed=seed, progress=typer.echo)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="pairs, chips or series folder, or any folder of GeoTIFFs.")],
    folder: Folder = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many places.")] = None,
    split: Annotated[str | None, typer.Option(help="Only places of this split: train, val or test.")] = None,
    as_json: Json = False,
) -> None:
    """Bring scenes into the archive; what is there already stays as it is.

    GeoTIFFs need band descriptions (B02, B03, ...), a CRS, and a date in a tag or in the file name; pixels of up to
    25 m become 10 m. What cannot be reflectance is refused. Exit status 1 when everything is.

    Example: minecam archive import pairs/ /tmp/archive --limit 40
    """
    from deploy.archive.importing import import_folder

    archive = folder or settings().archive_folder
    done = import_folder(source, archive, limit=limit, split=split, progress=None if as_json else typer.echo)
    if as_json:
        counted = {"places": done.places, "scenes": done.scenes}
        typer.echo(json.dumps({**counted, "refused": done.refused, "notes": done.notes}))
    else:
        typer.echo(f"{archive}: {done.places} places, {done.scenes} scenes, {len(done.refused)} refused")
    for name, words in done.notes:
        typer.echo(f"note {name}: {words}", err=True)
    for name, reason in done.refused:
        typer.echo(f"refused {name}: {reason}", err=True)
    if done.refused and not done.slugs:
        raise typer.Exit(1)


@app.command()
def serve(
    folder: Folder = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on loopback; else that of the settings.")
    ] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1, help="Answer more than these with 429.")] = None,
    processing_units: Annotated[float | None, typer.Option(min=0, help="Answer 403 once these are spent.")] = None,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before each answer, as a far service takes.")] = 0.0,
) -> None:
    """Serve the archive on loopback until stopped; `minecam up` does so by itself.

    Example: minecam archive serve /tmp/archive --port 4280
    """
    from deploy.archive.access import Gateway
    from deploy.archive.server import serve as run

    archive = folder or settings().archive_folder
    if not archive.is_dir():
        raise WrongUse(f"there is no archive {archive}: fill one with `minecam archive make` or `import`")
    at = port or settings().archive_port
    gateway = Gateway(requests_per_minute=requests_per_minute, processing_units=processing_units, latency=latency)
    try:
        run(archive, port=at, gateway=gateway)
    except OSError as error:
        raise StackError(f"port {at} cannot be used ({error.strerror}): choose another with --port") from error
