"""`minecam demo`: from nothing to alerts on simulated mines, with what to look at afterwards."""

import json
import sys
from pathlib import Path

import typer

import sql
from deploy.cli.report import report
from deploy.stack import stack
from tasks.errors import WrongUse
from tasks.mines import imports, registry
from tasks.report import picture
from tasks.settings import home, settings

FIRST_DAY, LAST_DAY = "2026-01-01", "2026-10-31"


def demo() -> None:
    """Watch four simulated mines over ten dates: start the stack, make scenes, run, report.

    Doing it again changes nothing that is right already. `minecam down` stops what it started.

    Example: minecam demo
    """
    if stack.status()["archive"] == "elsewhere":
        raise WrongUse("the demo watches simulated mines: unset SH_CLIENT_ID for it")
    stack.up(typer.echo)
    from deploy.stack.runs import follow  # Prefect reads its environment when it is imported: not before `up`

    places = _scenes(settings().archive_folder)
    with sql.connect(settings().database_address, role="ingest") as connection:
        added = imports.import_outlines(connection, places).added
    if added:
        typer.echo(f"registered {', '.join(added)}")
    typer.echo("watching: every sensing is downloaded, validated, segmented, stored, and compared")
    follow("monitor/fleet", {"start": FIRST_DAY, "end": LAST_DAY}, typer.echo)
    typer.echo()
    slugs = [place["properties"]["slug"] for place in json.loads(places.read_text())["features"]]
    slugs = [slug for slug in slugs if slug.startswith("sim-")]
    report(slugs)
    typer.echo("\nLook at:")
    for name, address in {**stack.addresses(), "picture": str(_picture(slugs))}.items():
        typer.echo(f"  {name:9} {address}")
    typer.echo(f"`{sys.argv[0]} down` stops what was started; `{sys.argv[0]} --help` shows what else there is.")


def _scenes(archive: Path) -> Path:
    """Make the simulated scenes unless they are there; return the file of their places."""
    places = archive / "places.geojson"
    if not places.exists() or "sim-" not in places.read_text():
        from deploy import simulate

        typer.echo(f"archive: making simulated scenes in {archive}")
        simulate.make(archive, progress=typer.echo)
    return places


def _picture(slugs: list[str]) -> Path:
    """Draw the mine with the most severe alert that stands."""
    file = home() / "demo.png"
    with sql.connect(settings().database_address, role="read") as connection:
        standing = [row["mine"] for row in sql.run(connection, "alert_list", mine_id=None, closed=False)]
        chosen = next((slug for slug in standing if slug in slugs), slugs[0])
        file.write_bytes(picture(connection, registry.find(connection, chosen)))
    return file
