"""Files of many mines, registered at once; what becomes of each is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shapely.geometry import GeometryCollection
from shapely.geometry.base import BaseGeometry

import sql
from models.errors import ModelError
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.mines.outline import others, polygons, sound, sound_aoi
from tasks.mines.points import around
from tasks.mines.reading import read_table
from tasks.mines.sites import Site, beside, doubts, sites
from tasks.settings import settings


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
    ground, words = site.aoi, {**site.words, "model": registry.lasting_model(site.words.get("model"))}
    circle = radius is not None and not polygons(ground)
    if radius is not None and circle:
        ground = around(ground, radius)
        words["notes"] = "\n".join(filter(None, (words.get("notes"), circle_note(site.aoi, radius))))
    aoi = sound_aoi(ground, max_km2=limit)
    licence = None if site.licence is None else sound(site.licence, max_km2=limit, what="licence")
    new = registry.insert(connection, site.slug, site.name, aoi, licence, words)
    if not new and (known := registry.find(connection, site.slug)).retired_at is not None:
        raise WrongUse(registry.taken(known))
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
