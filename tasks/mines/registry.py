"""The register of mines: adds them, imports them in bulk, finds them. The first step of the flow of data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import shapely
from shapely.geometry import GeometryCollection, MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from models.errors import ModelError
from models.labels import LABELS
from tasks.errors import WrongUse
from tasks.mines.outline import Outline, others, polygons, sound, sound_aoi
from tasks.mines.points import around
from tasks.mines.reading import read_table
from tasks.mines.sites import Site, beside, doubts, sites
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


@dataclass
class Imported:
    """What became of the mines of a file: slugs, and (name, reason) of those refused.

    `merged` says of how many rows a mine was put together, by slug, `circles` which are circles around points, and
    `aside` in words what was left aside, or taken otherwise than it is called.
    """

    added: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)
    circles: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


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
        "model": _model(model), "notes": notes, "priority": _priority(priority),
    }  # fmt: skip
    if not _insert(connection, slug, name, ground, permit, words):
        raise WrongUse(_taken(find(connection, slug)))
    return find(connection, slug)


def prioritise(connection: sql.Connection, slug: str, priority: str) -> None:
    """Let a mine come first (`high`), as the others (`normal`) or last (`low`); raises WrongUse."""
    mine = find(connection, slug)
    sql.run(connection, "mine_prioritise", slug=mine.slug, priority=_priority(priority))


def _priority(given: str | None) -> str | None:
    if given is not None and given not in PRIORITIES:
        raise WrongUse(f"'{given}' is no priority: choose of {', '.join(PRIORITIES)}")
    return given


def _model(given: str | None) -> str | None:
    if given is None:
        return None
    from models import zoo  # torch takes its time

    try:
        return zoo.lasting(given)
    except OSError as error:  # a cell of a thousand letters is no file's name
        raise WrongUse(f"'{given[:40]}...' is no model: see `minecam model list`") from error


def _insert(
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
    safe = {word: _fit(word, _model(text) if word == "model" else text) for word, text in words.items()}
    return {word: text for word, text in safe.items() if text}


def _fit(word: str, text: str | None) -> str | None:
    if not text or word in ("model", "priority"):  # looked up before
        return text
    return fit(text, "notes", most=LONGEST_NOTES, lines=True) if word == "notes" else fit(text, word.replace("_", " "))


def import_outlines(
    connection: sql.Connection,
    path: Path | str,
    layer: str | None = None,
    *,
    merge: bool = True,
    radius: float | None = None,
) -> Imported:
    """Register every mine of a file that `read_table` reads; mines whose slug is known stay as they are.

    Rows of one mine are put together unless `merge` is False; points become circles of `radius` metres, where that is
    given. A mine whose outline or model cannot be used is refused by name, the others go in. Raises WrongUse when the
    file cannot be read.
    """
    path = Path(path)
    table = read_table(path, layer)
    found = sites(table.frame, stem=path.stem, merge=merge)
    if radius is None:
        refuse_points(found, path.name)
    imported = Imported(aside=[*table.aside, *doubts(table.frame)])
    with connection.transaction():
        for site in found:
            try:
                _import(connection, site, radius, imported)
            except (WrongUse, ModelError) as error:
                imported.refused.append((site.name, str(error)))
    return imported


def refuse_points(found: Sequence[Site], file: str) -> None:
    """Raise WrongUse where `found` in a file are points and nothing else."""
    held = others(*(site.aoi for site in found))
    if "point" in held and "line" not in held and not any(polygons(site.aoi) for site in found):
        raise WrongUse(
            f"{file} holds {held} and no outlines: `minecam mine import {file} --buffer 2km` makes circles of 2 km"
        )


def _import(connection: sql.Connection, site: Site, radius: float | None, imported: Imported) -> None:
    if site.fault is not None:
        raise WrongUse(site.fault)
    limit = settings().max_aoi_km2
    ground, words = site.aoi, {**site.words, "model": _model(site.words.get("model"))}
    circle = radius is not None and not polygons(ground)
    if radius is not None and circle:
        ground = around(ground, radius)
        words["notes"] = "\n".join(filter(None, (words.get("notes"), circle_note(site.aoi, radius))))
    aoi = sound_aoi(ground, max_km2=limit)
    licence = None if site.licence is None else sound(site.licence, max_km2=limit, what="licence")
    new = _insert(connection, site.slug, site.name, aoi, licence, words)
    if not new and (known := find(connection, site.slug)).retired_at is not None:
        raise WrongUse(_taken(known))
    (imported.added if new else imported.present).append(site.slug)
    if site.rows > 1:
        imported.merged[site.slug] = site.rows
    if not circle:
        imported.aside += beside([site])
    if new and circle:
        imported.circles.append(site.slug)
    if new and (aoi.repaired or (licence is not None and licence.repaired)):
        imported.repaired.append(site.slug)


def circle_note(geometry: BaseGeometry | None, radius: float) -> str:
    """Return the note that marks an AOI as no outline that anyone drew."""
    return f"AOI: {radius:g} m around {others(geometry)}, no drawn outline"


def licence_of(path: Path, layer: str | None = None) -> tuple[BaseGeometry, list[str]]:
    """Return all outlines of a file as one licence, and in words what was left aside; raises WrongUse."""
    table = read_table(path, layer, option="--licence-layer")
    rows = sites(table.frame, stem=path.stem, merge=False)
    drawn = [row.name for row in rows if polygons(row.aoi)]
    several = [f"put together of {', '.join(drawn)}"] if len(drawn) > 1 else []
    whole = GeometryCollection([row.aoi for row in rows if row.aoi is not None])
    return whole, [*several, *table.aside, *beside(rows)]


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


def _taken(mine: Mine) -> str:
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
