"""Tables of outlines made into the mines that their rows speak of. Pure."""

import json
import math
import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import count

import geopandas
import numpy as np
import shapely
from shapely.geometry import GeometryCollection, shape
from shapely.geometry.base import BaseGeometry

from tasks.mines.columns import COLUMNS, Texts, folded, key_of, texts_of, word
from tasks.mines.outline import others, polygons
from tasks.rasters import unrolled
from tasks.text import clean

NEAR_KM = 50.0
"""Outlines of one name that lie farther apart are different mines."""

NEAR_POINTS_KM = 1.0
"""The same of points: in a register a row is a mine, unless it stands there twice."""

KM_PER_DEGREE = 111.2
"""Of latitude."""


NAMELESS = "it has neither a name nor a '{}': fill one in (done later, that would make another mine of it)"


@dataclass(frozen=True)
class Site:
    """One mine of a table: its recorded words, and its geometries as found (EPSG:4326); `rows` have outlines.

    `cells` has all that its rows say, by column. `fault` says why it cannot be a mine, where its rows do not.
    """

    slug: str
    name: str
    aoi: BaseGeometry | None
    licence: BaseGeometry | None
    words: dict[str, str]
    rows: int
    cells: dict[str, str]
    fault: str | None = None


@dataclass(frozen=True)
class Row:
    """One row: what it says, its geometry, and its name where it says none."""

    cells: Texts
    geometry: BaseGeometry | None
    place: str
    key: str | None
    name: str


def slugify(name: str) -> str:
    """Return `name` as a slug: ASCII letters, digits and hyphens, at most 63 of them."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-")


def slug_of(name: str, *otherwise: str) -> str:
    """Return the slug of `name`, or of the first of `otherwise` whose letters are not all lost in it."""
    for text in (name, *otherwise):
        slug = slugify(text)
        if slug and (text.isascii() or re.search("[a-z]", slug)):
            return slug
    return slugify(f"mine {otherwise[-1]}") if otherwise else ""


def doubts(frame: geopandas.GeoDataFrame) -> list[str]:
    """Return in words which columns of a table that are called like a key are none, and why."""
    return key_of(texts_of(frame))[1]


def beside(found: Sequence[Site]) -> list[str]:
    """Return in words what `found` hold that is no polygon ("beacon: 1 point left aside")."""
    held = [(site.name, others(site.aoi) or ("" if polygons(site.aoi) else "row without outline")) for site in found]
    return [f"{name}: {what} left aside" for name, what in held if what]


def sites(frame: geopandas.GeoDataFrame, *, stem: str, merge: bool = True) -> list[Site]:
    """Return the mines of an outline table; rows of one mine (same slug or key, else name) become one site.

    Rows of one name that lie more than 50 km apart or in different countries are different mines; without `merge` every
    row is one. A column is a key where it behaves like one (`columns.key_of`). A mine without a name is called after
    its key (`Tile 514`), or after the file (`stem`) and its row number, and so is the slug of a name without ASCII
    letters. A row without name and key in a table that has a key is no mine: filled in later, it would be another.
    """
    texts = texts_of(frame)
    key, _ = key_of(texts)
    rows = [_row(*one, key=key, stem=stem) for one in zip(texts, frame.geometry, range(1, len(texts) + 1), strict=True)]
    groups: dict[str, list[Row]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(str(number) if not merge else folded(row.key or row.name), []).append(row)
    found: dict[str, Site] = {}
    for group in groups.values():
        keyed = group[0].key is not None
        for part in [group] if keyed else _neighbours(group):
            site = _site(part, key)
            if site.slug in found and keyed and key != "slug" and merge:
                site = replace(site, slug=f"{site.slug[:50]}-{slugify(str(group[0].key))[:12]}")
            site = replace(site, slug=_free(site.slug, found))
            found[site.slug] = site
    return list(found.values())


def _row(cells: Texts, geometry: BaseGeometry | None, number: int, *, key: str | None, stem: str) -> Row:
    place = f"{stem} {number}"
    value = None if key is None else cells.get(key)
    name = word(cells, "name")
    if name is None and value is not None:
        kind = re.sub(r"_?id$", "", str(key)).replace("_", " ") or stem
        name = value if key == "slug" else f"{kind.capitalize()} {value}"
    return Row(cells, geometry, place, value, clean(name or place))


def _free(slug: str, taken: Container[str]) -> str:
    """Return `slug`, or the first of slug-2, slug-3, ... that is not taken."""
    numbered = (slug if number == 1 else f"{slug[:58].rstrip('-')}-{number}" for number in count(1))
    return next(one for one in numbered if one not in taken)


def _neighbours(rows: Sequence[Row]) -> list[list[Row]]:
    """Return `rows` in groups of one country whose outlines lie near each other."""
    groups: list[list[int]] = []
    for number, row in enumerate(rows):
        joined = [number]
        for group in list(groups):
            one_country = _same_country([rows[at] for at in (*joined, *group)])
            if one_country and any(_near(row.geometry, rows[at].geometry) for at in group):
                groups.remove(group)
                joined = sorted([*group, *joined])
        groups.append(joined)
    return [[rows[at] for at in group] for group in sorted(groups)]


def _same_country(rows: Sequence[Row]) -> bool:
    return len({folded(country) for row in rows if (country := word(row.cells, "country"))}) < 2


def _near(one: BaseGeometry | None, other: BaseGeometry | None) -> bool:
    """Return whether two outlines (EPSG:4326) lie within 50 km, or two points within one; what has no place is near to
    everything."""
    if one is None or other is None or one.is_empty or other.is_empty:
        return True
    squeeze = math.cos(math.radians(one.centroid.y))  # a degree of longitude is shorter than one of latitude

    def flat(geometry: BaseGeometry, turn: int = 0) -> BaseGeometry:
        parts = [unrolled(part) for part in polygons(geometry)]
        whole = GeometryCollection(parts) if parts else geometry
        return shapely.transform(whole, lambda points: (points + np.array([turn, 0])) * np.array([squeeze, 1]))

    degrees = min(shapely.distance(flat(one), flat(other, turn)) for turn in (-360, 0, 360))  # the 180° meridian
    drawn = polygons(one) or polygons(other)
    return not degrees * KM_PER_DEGREE > (NEAR_KM if drawn else NEAR_POINTS_KM)


def _site(rows: Sequence[Row], key: str | None) -> Site:
    cells: dict[str, str] = {}
    for row in rows:  # of each column, the first row that says something
        cells = {**row.cells, **cells}
    known = [what for what in COLUMNS if what not in ("slug", "key", "name", "licence")]
    words = {what: clean(said, lines=what == "notes") for what in known if (said := word(cells, what))}
    first = next((row for row in rows if word(row.cells, "name")), rows[0])
    slug = clean(first.key or "") if key == "slug" and first.key else slug_of(first.name, first.key or "", first.place)
    geometries = [row.geometry for row in rows if row.geometry is not None]
    aoi = geometries[0] if len(geometries) == 1 else GeometryCollection(geometries)
    return Site(
        slug=slug,
        name=first.name,
        aoi=aoi if geometries else None,
        licence=_licence(word(cells, "licence")),
        words=words,
        rows=sum(bool(polygons(row.geometry)) for row in rows) or len(rows),
        cells=cells,
        fault=None if key is None or first.key or word(cells, "name") else NAMELESS.format(key),
    )


def _licence(text: str | None) -> BaseGeometry | None:
    """A licence column holds a GeoJSON geometry; other words there (a licence number) are no outline."""
    try:
        return None if text is None else shape(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, shapely.errors.ShapelyError):
        return None
