"""Replays a labelled folder through the whole system: archive, client, Prefect, PostGIS, in a home of its own.

Nothing of the usual home folder is read or written; what was done already in the same folder is not done again.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sql
from deploy.archive.importing import import_folder
from deploy.stack import stack
from tasks.errors import RunError
from tasks.mines import imports
from tasks.settings import settings

Say = Callable[[str], None]

Words = dict[str, Any]
"""What a folder knows of a place: slug, name, and the columns of its table."""


@contextmanager
def watched(
    source: Path, *, home: Path | None, limit: int | None, split: str | None, say: Say
) -> Iterator[tuple[list[Words], sql.Connection]]:
    """Watch the places of `source` over all their dates, and yield what is known of them and a connection that reads.

    Without `home` the stack lives in a temporary folder. It runs until the end of the `with`.
    """
    with _stack(home, say) as folder:
        imported = import_folder(source, folder / "archive", limit=limit, split=split, progress=say)
        for name, reason in imported.refused:
            say(f"refused {name}: {reason}")
        places = _places(folder / "archive", imported.slugs)
        with sql.connect(settings().database_address, role="ingest") as connection:
            imports.import_outlines(connection, folder / "archive" / "places.geojson")
        if places:
            _watch(span_of(folder / "archive"), say)
        with sql.connect(settings().database_address, role="read") as connection:
            yield places, connection


@contextmanager
def _stack(home: Path | None, say: Say) -> Iterator[Path]:
    """Run a stack of its own and yield its home; the environment is put back after it."""
    before = dict(os.environ)
    folder = home.absolute() if home else Path(tempfile.mkdtemp(prefix="minecam-backtest-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the user postgres must be able to enter
    for name in ("MINECAM_DATABASE_URL", "MINECAM_ARCHIVE", "MINECAM_RASTERS", "SH_CLIENT_ID", "SH_CLIENT_SECRET"):
        os.environ.pop(name, None)
    os.environ["MINECAM_HOME"] = str(folder)
    try:
        stack.up(say)
        yield folder
    finally:
        stack.down(say)
        os.environ.clear()
        os.environ.update(before)
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def _places(archive: Path, slugs: list[str]) -> list[Words]:
    features = json.loads((archive / "places.geojson").read_text())["features"]
    return [one["properties"] for one in features if one["properties"]["slug"] in slugs]


def _watch(span: dict[str, str], say: Say) -> None:
    """Run the fleet over the dates; what fails shows as a place without verdict."""
    from deploy.stack.runs import follow

    try:
        follow("monitor/fleet", span, say)
    except RunError as error:
        say(str(error))


def span_of(archive: Path) -> dict[str, str]:
    """Return the first and the last day of the scenes in an archive folder, as `start` and `end`."""
    items = (json.loads(path.read_text()) for path in (archive / "items").glob("*/*.json"))
    days = sorted(item["properties"]["datetime"][:10] for item in items)
    return {"start": days[0], "end": days[-1]}
