"""The register of mines: adds them and finds them. The first step of the flow of data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import cast

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from models.labels import LABELS
from tasks.errors import WrongUse
from tasks.mines.outline import Outline, sound, sound_aoi
from tasks.rasters import Grid, grid_for
from tasks.settings import settings
from tasks.text import LONGEST_NOTES, fit

WORDS = ("country", "commodity", "operator", "mine_type", "model", "notes", "priority")
PRIORITIES = ("high", "normal", "low")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Mine:
    """A registered mine: outlines in EPSG:4326, `model` the one that watches it (None: the default).

    `retired_at`: since when it is watched no more; `aoi_since`: since when the AOI is as it is, None: as registered.
    """

    mine_id: int
    slug: str
    name: str
    aoi: MultiPolygon
    licence: MultiPolygon | None
    model: str | None
    country: str | None = None
    commodity: str | None = None
    operator: str | None = None
    mine_type: str | None = None
    notes: str | None = None
    priority: str = "normal"
    retired_at: datetime | None = None
    aoi_since: datetime | None = None

    @property
    def grid(self) -> Grid:
        """The fixed UTM grid of its rasters."""
        return grid_for(self.aoi)


def add(
    connection: sql.Connection,
    *,
    slug: str,
    name: str,
    aoi: BaseGeometry | None,
    licence: BaseGeometry | None = None,
    country: str | None = None,
    commodity: str | None = None,
    operator: str | None = None,
    mine_type: str | None = None,
    model: str | None = None,
    notes: str | None = None,
    priority: str | None = None,
) -> Mine:
    """Register a mine; outlines in EPSG:4326.

    Raises WrongUse when the slug is taken or an outline cannot be used, ModelError when there is no such model.
    """
    limit = settings().max_aoi_km2
    ground = sound_aoi(aoi, max_km2=limit)
    permit = None if licence is None else sound(licence, max_km2=limit, what="licence")
    words = {
        "country": country, "commodity": commodity, "operator": operator, "mine_type": mine_type,
        "model": lasting_model(model), "notes": notes, "priority": _priority(priority),
    }  # fmt: skip
    if not insert(connection, slug, name, ground, permit, words):
        raise WrongUse(taken(find(connection, slug)))
    return find(connection, slug)


def prioritise(connection: sql.Connection, slug: str, priority: str) -> None:
    """Let a mine come first (`high`), as the others (`normal`) or last (`low`); raises WrongUse."""
    mine = find(connection, slug)
    sql.run(connection, "mine_prioritise", slug=mine.slug, priority=_priority(priority))


def _priority(given: str | None) -> str | None:
    if given is not None and given not in PRIORITIES:
        raise WrongUse(f"'{given}' is no priority: choose of {', '.join(PRIORITIES)}")
    return given


def lasting_model(given: str | None) -> str | None:
    """Return the model that a mine is to be watched by; raises WrongUse or ModelError where there is none."""
    if given is None:
        return None
    from models import zoo  # torch takes its time

    try:
        return zoo.lasting(given)
    except OSError as error:  # a cell of a thousand letters is no file's name
        raise WrongUse(f"'{given[:40]}...' is no model: see `minecam model list`") from error


def insert(
    connection: sql.Connection,
    slug: str,
    name: str,
    aoi: Outline,
    licence: Outline | None,
    words: dict[str, str | None],
) -> bool:
    """Write the row; False when the slug is taken."""
    if not SLUG.fullmatch(slug):
        raise WrongUse(f"'{slug}' is no slug: small letters, digits and hyphens, at most 63, not beginning with one")
    columns = {word: _fit(word, words.get(word)) for word in WORDS}
    outlines = {
        "aoi": shapely.to_wkb(aoi.geometry),
        "licence": None if licence is None else shapely.to_wkb(licence.geometry),
    }
    return bool(sql.run(connection, "mine_add", slug=slug, name=fit(name, "name"), **columns, **outlines))


def fitted(words: Mapping[str, str]) -> dict[str, str]:
    """Return `words` of a mine made safe, an unknown model refused; raises WrongUse, ModelError."""
    safe = {word: _fit(word, lasting_model(text) if word == "model" else text) for word, text in words.items()}
    return {word: text for word, text in safe.items() if text}


def _fit(word: str, text: str | None) -> str | None:
    if not text or word in ("model", "priority"):  # looked up before
        return text
    return fit(text, "notes", most=LONGEST_NOTES, lines=True) if word == "notes" else fit(text, word.replace("_", " "))


def find(connection: sql.Connection, slug: str) -> Mine:
    """Return the mine called `slug`; raises WrongUse that names the likeliest others."""
    row = sql.run_one(connection, "mine_find", slug=slug) if SLUG.fullmatch(slug) else None
    if row is None:
        close = get_close_matches(slug, [mine.slug for mine in mines(connection)], n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see `minecam mine list`"
        raise WrongUse(f"there is no mine '{slug}': {hint}")
    return _mine(row)


def watched(connection: sql.Connection, slug: str) -> Mine:
    """Return the mine called `slug`, which is watched; raises WrongUse."""
    mine = find(connection, slug)
    if mine.retired_at is not None:
        raise WrongUse(f"{_retired(mine)}: `minecam mine resume {slug} --why ...` has it watched again")
    return mine


def mines(connection: sql.Connection, *, retired: bool = False) -> list[Mine]:
    """Return the mines that are watched, by priority and slug; with `retired` the others too, last."""
    rows = sql.run(connection, "mine_list")
    return [_mine(row) for row in (*rows, *(sql.run(connection, "mine_retired") if retired else ()))]


def _retired(mine: Mine) -> str:
    return f"mine '{mine.slug}' is retired since {mine.retired_at:%Y-%m-%d}"


def taken(mine: Mine) -> str:
    """Say that the slug of `mine` is taken, and what to do."""
    if mine.retired_at is None:
        return f"there is already a mine '{mine.slug}': choose another slug"
    return f"{_retired(mine)}: have it watched again by `minecam mine resume {mine.slug}`, or choose another slug"


def _mine(row: sql.Row) -> Mine:
    names = ("mine_id", "slug", "name", "model", "country", "commodity", "operator", "mine_type", "notes", "priority",
             "retired_at", "aoi_since")  # fmt: skip
    licence = None if row["licence"] is None else _outline(row["licence"])
    return Mine(aoi=_outline(row["aoi"]), licence=licence, **{name: row[name] for name in names})


def _outline(wkb: bytes) -> MultiPolygon:
    return cast(MultiPolygon, shapely.from_wkb(bytes(wkb)))


def publish_labels(connection: sql.Connection) -> None:
    """Write the label set into the table `label`, so that SQL can name and colour classes, and its styles for QGIS."""
    with connection.transaction():
        for label in LABELS:
            colour = "#{:02x}{:02x}{:02x}".format(*label.rgb)
            sql.run(
                connection, "label_publish", class_id=label.id, name=label.name, meaning=label.meaning, colour=colour
            )
        sql.run(connection, "style_publish")
