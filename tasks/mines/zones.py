"""The register of zones: ground on which no mine should dig. Rules look inside them, from the next epoch on."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

import sql
from tasks.errors import WrongUse
from tasks.mines.outline import polygons, sound
from tasks.mines.reading import read_table
from tasks.mines.registry import SLUG
from tasks.mines.sites import Site, beside, doubts, sites
from tasks.text import LONGEST_NOTES, clean, fit

KINDS = {
    "protected": "nature under protection",
    "indigenous": "land of people who must agree",
    "water": "rivers, lakes, springs and what protects them",
    "settlement": "where people live, with the distance to keep",
    "no-go": "anything else that is not to be dug",
}


@dataclass
class Imported:
    """What became of the zones of a file: slugs, (name, reason) of those refused, and in words what was left aside."""

    added: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    merged: dict[str, int] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)


def read(path: Path, layer: str | None = None) -> tuple[list[Site], list[str]]:
    """Return the zones of a file as mines are read, and in words what was left aside; raises WrongUse.

    Rows without a polygon are no zone, unless there is nothing else.
    """
    table = read_table(path, layer)
    found = sites(table.frame, stem=path.stem)
    drawn = [site for site in found if polygons(site.aoi)] or found
    return drawn, [*table.aside, *doubts(table.frame), *beside(found)]


def kind_of(site: Site) -> str | None:
    """Return the kind of zone that a column `kind` of its file says."""
    return site.cells.get("kind")


def add(
    connection: sql.Connection, *, slug: str, name: str, kind: str | None, geometry: BaseGeometry | None
) -> sql.Row:
    """Register a zone of any size (EPSG:4326) and return its row; raises WrongUse.

    From the next epoch of a mine on it counts, for rules that look inside zones.
    """
    if not _insert(connection, slug, name, kind, geometry)[0]:
        raise WrongUse(_taken(find(connection, slug)))
    return find(connection, slug)


def import_zones(
    connection: sql.Connection, path: Path, *, layer: str | None = None, kind: str | None = None
) -> Imported:
    """Register every zone of a file, those without a kind of their own as `kind`; known slugs stay as they are.

    One transaction. One that cannot be used is refused by name, the others go in. Raises WrongUse when the file cannot
    be read.
    """
    found, aside = read(path, layer)
    done = Imported(aside=aside)
    with connection.transaction():
        for site in found:
            try:
                _import(connection, site, kind_of(site) or kind, done)
            except WrongUse as error:
                done.refused.append((site.name, str(error)))
    return done


def _import(connection: sql.Connection, site: Site, kind: str | None, done: Imported) -> None:
    if site.fault is not None:
        raise WrongUse(site.fault)
    new, repaired = _insert(connection, site.slug, site.name, kind, site.aoi)
    if not new and (known := find(connection, site.slug))["retired_at"] is not None:
        raise WrongUse(_taken(known))
    (done.added if new else done.present).append(site.slug)
    if site.rows > 1:
        done.merged[site.slug] = site.rows
    if new and repaired:
        done.repaired.append(site.slug)


def _insert(
    connection: sql.Connection, slug: str, name: str, kind: str | None, geometry: BaseGeometry | None
) -> tuple[bool, bool]:
    """Write the row; return whether it is new, and whether its outline was repaired."""
    if kind not in KINDS:
        said = "it has no kind" if kind is None else f"'{kind}' is no kind of zone"
        raise WrongUse(f"{said}: choose one of {', '.join(KINDS)} (--kind, or a column kind)")
    if not SLUG.fullmatch(slug):
        raise WrongUse(f"'{slug}' is no slug: small letters, digits and hyphens, at most 63, not beginning with one")
    ground = sound(geometry, max_km2=math.inf, what="zone")
    row = {"slug": slug, "name": fit(name, "name"), "kind": kind, "geom": shapely.to_wkb(ground.geometry)}
    return bool(sql.run(connection, "zone_add", **row)), ground.repaired


def _taken(row: sql.Row) -> str:
    if row["retired_at"] is None:
        return f"there is already a zone '{row['slug']}': choose another slug, or retire that one first"
    return f"there was a zone '{row['slug']}', retired on {row['retired_at']:%Y-%m-%d}: choose another slug"


def find(connection: sql.Connection, slug: str) -> sql.Row:
    """Return the zone called `slug`, retired or not, with its `km2` and the slugs of its `mines`; raises WrongUse."""
    row = sql.run_one(connection, "zone_list", slug=slug, retired=True)
    if row is None:
        raise WrongUse(f"there is no zone '{slug}': `minecam zone list` shows them")
    return row


def listed(connection: sql.Connection, *, retired: bool = False) -> list[sql.Row]:
    """Return the zones that count, with `retired` the others too, each with its `km2` and the slugs of its `mines`."""
    return sql.run(connection, "zone_list", slug=None, retired=retired)


def rules_inside(connection: sql.Connection, slug: str) -> list[sql.Row]:
    """Return the rules that look inside a zone, and the ids of their alerts there that stand."""
    return sql.run(connection, "zone_rules", slug=slug)


def retire(connection: sql.Connection, slug: str, *, who: str, why: str) -> sql.Row:
    """Let a zone count no more and return its row; it stays recorded, and so does what was found in it.

    Raises WrongUse when there is none, it is retired already, or there is no reason.
    """
    if not clean(why):
        raise WrongUse("say why: an auditor will want to know")
    who, why = fit(who, "name of who decides"), fit(why, "reason", most=LONGEST_NOTES, lines=True)
    row = find(connection, slug)
    if not sql.run(connection, "zone_retire", slug=slug, who=who, why=why):
        raise WrongUse(f"zone '{slug}' is retired since {row['retired_at']:%Y-%m-%d}")
    return find(connection, slug)
