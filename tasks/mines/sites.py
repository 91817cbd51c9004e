"""Mine outlines as people bring them: outline files, whose rows become the mines that they speak of."""

import json
import math
import re
import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from tasks.errors import WrongUse
from tasks.text import clean, one_line

NEAR_KM = 50.0
"""Outlines of one name that lie farther apart are different mines."""

KM_PER_DEGREE = 111.2
"""Of latitude."""

UNREADABLE = (
    pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
    shapely.errors.ShapelyError, ValueError,
)  # fmt: skip
"""What reading a file raises that is no outline file, or a broken one."""

COLUMNS = {
    "slug": ("slug",),
    "key": ("mine_id", "gem_mine_id", "site_id", "tile_id", "id", "fid"),
    "name": ("name", "mine_name", "mine", "site", "site_name", "title"),
    "country": ("country", "country_area", "country_name", "nation"),
    "commodity": ("commodity", "commodities", "primary_commodity", "mineral", "coal_grade"),
    "operator": ("operator", "owner", "company"),
    "mine_type": ("mine_type", "minetype", "minetype1", "type", "mine_feature_subcategory"),
    "licence": ("licence", "license", "concession"),
    "model": ("model",),
    "notes": ("notes", "comment", "description"),
}
"""Column names that outline files use for what we record, the likeliest first."""


@dataclass(frozen=True)
class Site:
    """One mine of an outline file: its recorded words and its geometries as found (EPSG:4326)."""

    slug: str
    name: str
    aoi: BaseGeometry
    licence: BaseGeometry | None
    words: dict[str, str]


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


def read_frame(path: Path, layer: str | None = None) -> geopandas.GeoDataFrame:
    """Read the outlines of a GeoJSON, GeoPackage or KML file in EPSG:4326; raises WrongUse when it cannot."""
    if not path.exists():
        raise WrongUse(f"there is no file {path}")
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if layer is None and len(layers) > 1:
            raise WrongUse(f"{path.name} has the layers {', '.join(layers)}: choose one with --layer")
        if layer is not None and layer not in layers:
            raise WrongUse(f"{path.name} has no layer '{layer}', only {', '.join(layers)}")
        frame = pyogrio.read_dataframe(path, layer=layer, on_invalid="fix")  # rings that do not close
    except UNREADABLE as error:
        raise WrongUse(
            f"{path.name} is no readable outline file (GeoJSON, GeoPackage, KML): {one_line(error)}"
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.empty:
        raise WrongUse(f"{path.name} holds no outlines")
    return frame if frame.crs is None else frame.to_crs(4326)


def sites(frame: geopandas.GeoDataFrame, *, stem: str) -> list[Site]:
    """Return the mines of an outline table; rows of one mine (same slug or key, else name) become one site.

    Rows of one name that lie more than 50 km apart or in different countries are different mines. A mine without a
    name is called after its key (`Tile 514`), or after the file (`stem`) and its row number, and so is the slug of a
    name without ASCII letters.
    """
    names = {re.sub(r"[^a-z0-9]+", "_", str(column).lower()).strip("_"): column for column in frame.columns}
    chosen = {word: next((names[c] for c in known if c in names), None) for word, known in COLUMNS.items()}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for number, row in enumerate(frame.to_dict("records"), start=1):
        words = {word: row[column] for word, column in chosen.items() if column is not None and _given(row[column])}
        words["aoi"] = row[frame.geometry.name]
        words["row"] = f"{stem} {number}"
        words.setdefault("name", _name_without_name(words, chosen["key"], stem, number))
        group = str(words.get("slug") or words.get("key") or words["name"])
        groups.setdefault(group, []).append(words)
    found: dict[str, Site] = {}
    for key, rows in groups.items():
        named = not ("slug" in rows[0] or "key" in rows[0])
        for part in _neighbours(rows) if named else [rows]:
            site = _site(part)
            if site.slug in found and not named:
                site = replace(site, slug=f"{site.slug[:50]}-{slugify(key)[:12]}")
            site = replace(site, slug=_free(site.slug, found))
            found[site.slug] = site
    return list(found.values())


def _free(slug: str, taken: Container[str]) -> str:
    """Return `slug`, or the first of slug-2, slug-3, ... that is not taken."""
    numbered = (slug if number == 1 else f"{slug[:58].rstrip('-')}-{number}" for number in count(1))
    return next(one for one in numbered if one not in taken)


def _neighbours(rows: list[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return `rows` in groups of one country whose outlines lie near each other."""
    groups: list[list[int]] = []
    for number, row in enumerate(rows):
        joined = [number]
        for group in list(groups):
            one_country = _same_country([rows[at] for at in (*joined, *group)])
            if one_country and any(_near(row["aoi"], rows[at]["aoi"]) for at in group):
                groups.remove(group)
                joined = sorted([*group, *joined])
        groups.append(joined)
    return [[rows[at] for at in group] for group in sorted(groups)]


def _same_country(rows: list[Mapping[str, Any]]) -> bool:
    return len({str(row["country"]).strip().lower() for row in rows if "country" in row}) < 2


def _near(one: BaseGeometry | None, other: BaseGeometry | None) -> bool:
    """Return whether two outlines (EPSG:4326) lie within 50 km; what has no place is near to everything."""
    if one is None or other is None or one.is_empty or other.is_empty:
        return True
    squeeze = [math.cos(math.radians(one.centroid.y)), 1.0]  # a degree of longitude is shorter than one of latitude
    degrees = shapely.distance(*(shapely.transform(part, lambda points: points * squeeze) for part in (one, other)))
    return not degrees * KM_PER_DEGREE > NEAR_KM


def _given(value: Any) -> bool:
    return value is not None and value == value and clean(value) != ""


def _name_without_name(words: Mapping[str, Any], key_column: str | None, stem: str, number: int) -> str:
    if "slug" in words:
        return str(words["slug"])
    kind = re.sub(r"(?i)[ _-]*id$", "", str(key_column or "")) or stem
    return f"{kind.capitalize()} {words['key']}" if "key" in words else f"{stem} {number}"


def _site(rows: list[Mapping[str, Any]]) -> Site:
    first = rows[0]
    known = [word for word in first if word in COLUMNS and word not in ("slug", "key", "licence")]
    text = {word: clean(first[word], lines=word == "notes") for word in known}
    name = text.pop("name")
    slug = clean(first["slug"]) if "slug" in first else slug_of(name, str(first.get("key", "")), first["row"])
    return Site(slug, name, _together([row["aoi"] for row in rows]), _licence(first.get("licence")), text)


def _together(shapes: list[BaseGeometry | None]) -> BaseGeometry:
    """One geometry of all rows of a mine; rows that overlap are merged, a lone row stays as found."""
    given = [part for part in shapes if part is not None]
    if len(given) == 1:
        return given[0]
    return shapely.union_all([shapely.make_valid(part) if not part.is_valid else part for part in given])


def _licence(value: Any) -> BaseGeometry | None:
    """A licence column holds a GeoJSON geometry; other words there (a licence number) are no outline."""
    try:
        return shape(json.loads(value) if isinstance(value, str) else value) if value is not None else None
    except (ValueError, TypeError, AttributeError, KeyError, shapely.errors.ShapelyError):
        return None
