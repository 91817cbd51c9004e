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
from deploy.archive.layouts import table
from deploy.backtest.score import Outcome
from deploy.backtest.truth import Case, case_of
from deploy.stack import stack
from tasks import registry
from tasks.errors import RunError, WrongUse
from tasks.segment import model_name
from tasks.settings import settings

Say = Callable[[str], None]


def replay(source: Path, *, home: Path | None, limit: int | None, split: str | None, say: Say) -> list[Outcome]:
    """Return what the system says of every labelled place of `source` (layout of pairs.csv).

    Without `home` the stack lives in a temporary folder. Raises WrongUse when `source` has no labelled pairs.
    """
    with _watched(source, home, limit, split, say) as (places, connection):
        rows = sql.run(connection, "backtest_outcomes", model=model_name(settings().model))
        said = {row["slug"]: row for row in rows}
        return [_outcome(place, said[place["slug"]]) for place in places if place["slug"] in said]


def replay_cases(source: Path, *, home: Path | None, limit: int | None, say: Say) -> dict[str, list[Case]]:
    """Return what the system says changed in every case of `source` (layout of cases.csv and truth/), by kind.

    Cases of which only one date was accepted, or none, are left out. Raises WrongUse when there is no truth.

    Cases of one chip share their ground, so each kind has a stack of its own, in a folder of its own in `home`.
    """
    if not (source / "truth").is_dir():
        raise WrongUse(f"{source} has no folder truth: give --split and a kind of case to score alerts only")
    found = {}
    for kind in sorted({row["kind"] for row in table(source / "cases.csv")}):
        say(f"cases of kind {kind}")
        with _watched(source, home / kind if home else None, limit, kind, say) as (places, connection):
            known = {"model": model_name(settings().model)}
            judged = {row["slug"] for row in sql.run(connection, "backtest_outcomes", **known) if row["comparisons"]}
            found[kind] = [
                case_of(source, place["name"], sql.run(connection, "backtest_changes", mine=place["slug"], **known))
                for place in places
                if place["slug"] in judged
            ]
            say(f"{len(found[kind])} of {len(places)} cases judged")
    return found


@contextmanager
def _watched(
    source: Path, home: Path | None, limit: int | None, split: str | None, say: Say
) -> Iterator[tuple[list[dict[str, Any]], sql.Connection]]:
    """Watch the places of `source` from the first to the last date, and yield them with a connection that reads."""
    if not (source / "pairs.csv").exists():
        raise WrongUse(f"{source} holds no pairs.csv: give a folder with labelled pairs")
    with _stack(home, say) as folder:
        imported = import_folder(source, folder / "archive", limit=limit, split=split, progress=say)
        for name, reason in imported.refused:
            say(f"refused {name}: {reason}")
        places = _places(folder / "archive", imported.slugs)
        with sql.connect(settings().database_address, role="ingest") as connection:
            registry.import_outlines(connection, folder / "archive" / "places.geojson")
        _watch(places, say)
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


def _places(archive: Path, slugs: list[str]) -> list[dict[str, Any]]:
    features = json.loads((archive / "places.geojson").read_text())["features"]
    return [one["properties"] for one in features if one["properties"]["slug"] in slugs]


def _watch(places: list[dict[str, Any]], say: Say) -> None:
    """Run the fleet over the time of the pairs; what fails shows as a place without verdict."""
    if not places:
        return
    from deploy.stack.runs import follow

    span = {"start": min(place["t0"] for place in places), "end": max(place["t1"] for place in places)}
    try:
        follow("monitor/fleet", span, say)
    except RunError as error:
        say(str(error))


def _outcome(place: dict[str, Any], row: sql.Row) -> Outcome:
    judged = row["comparisons"] > 0
    return Outcome(
        place=place["slug"],
        label=int(place["label"]),
        category=place["category"],
        mined_before=bool(place["mined_before"]),
        hectares=float(row["hectares"]) if judged else None,
        alerted=row["alerts"] > 0,
        why="" if judged else "; ".join(row["reasons"]) or "not both dates were observed",
    )
