"""Catalog 1.0.0 of the local archive: which scenes match a search, page by page, and what asking costs.

Pure: takes the body of a search and the scenes of a collection, gives the answer's body.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import shapely
from pyproj import Geod
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from deploy.archive.bands import COLLECTIONS, Collection
from deploy.archive.cql import Comparison, conditions
from deploy.archive.failures import Refused, bad, understanding
from deploy.archive.folder import Scene, parse_time
from tasks.rasters import in_one_piece

DEFAULT_LIMIT, MAX_LIMIT = 10, 100
DEFAULT_FIELDS = ("id", "type", "geometry", "bbox", "links", "assets", "properties.datetime")
PARAMETERS = frozenset(
    {"collections", "datetime", "bbox", "intersects", "filter", "filter-lang", "filter-crs", "fields", "limit",
     "next", "distinct", "ids", "sortby"}
)  # fmt: skip
_EARTH = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Search:
    """A search as understood: times are UTC and both ends count; area is EPSG:4326."""

    collection: Collection
    start: datetime
    end: datetime
    area: BaseGeometry | None
    conditions: list[Comparison]
    fields: dict[str, Any] | None
    distinct: str | None
    limit: int
    offset: int

    def matches(self, scene: Scene) -> bool:
        """Whether `scene` is an answer."""
        return (
            self.start <= scene.when <= self.end
            and (self.area is None or scene.outline.intersects(self.area))
            and all(condition.holds(scene.properties) for condition in self.conditions)
        )

    @property
    def processing_units(self) -> float:
        """Area (at least 0.01 of a million km²) times months begun, from 0.01 to 1 (ProcessingUnit.qmd)."""
        outline = box(-180, -90, 180, 90) if self.area is None else in_one_piece(self.area).envelope
        million_km2 = abs(_EARTH.geometry_area_perimeter(outline)[0]) / 1e12
        return min(1.0, max(0.01, max(0.01, million_km2) * months(self.start, self.end)))


def months(start: datetime, end: datetime) -> int:
    """Return how many months have begun between two times, at least 1."""
    whole = 12 * (end.year - start.year) + end.month - start.month
    rest = (end.day, end.time()) > (start.day, start.time())
    return max(1, whole + rest)


def parsed(body: Any) -> Search:
    """Return the search that the request `body` asks for; raises Refused."""
    if not isinstance(body, dict):
        raise bad("the body of a search must be a JSON object")
    if unknown := sorted(set(body) - PARAMETERS):
        raise bad(f"unknown parameter '{unknown[0]}'")
    with understanding():
        return _understood(body)


def _understood(body: dict[str, Any]) -> Search:
    collection = _collection(body.get("collections"))
    start, end = interval(body.get("datetime"))
    queryables = collection.queryables
    return Search(
        collection=collection,
        start=start,
        end=end,
        area=_area(body.get("bbox"), body.get("intersects")),
        conditions=conditions(body.get("filter"), language=body.get("filter-lang"), queryables=queryables),
        fields=_fields(body.get("fields")),
        distinct=_distinct(body.get("distinct"), collection),
        limit=min(_count(body.get("limit"), "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT),
        offset=_count(body.get("next"), "next", 0, least=0),
    )


def search(asked: Search, scenes: Sequence[Scene], link: Callable[[Scene], list[dict[str, str]]]) -> dict[str, Any]:
    """Return the FeatureCollection that answers `asked` out of `scenes` (newest first).

    `context.next` is there only when there is more.
    """
    found = [scene for scene in scenes if asked.matches(scene)]
    if asked.distinct:
        values = [_value(scene, asked.distinct) for scene in found]
        rows: list[Any] = sorted({value for value in values if value is not None})
    else:
        rows = list(found)
    page = rows[asked.offset : asked.offset + asked.limit]
    context: dict[str, int] = {"limit": asked.limit, "returned": len(page)}
    if asked.offset + len(page) < len(rows):
        context["next"] = asked.offset + len(page)
    features = page if asked.distinct else [select({**one.item, "links": link(one)}, asked.fields) for one in page]
    return {"type": "FeatureCollection", "features": features, "links": [], "context": context}


def select(item: dict[str, Any], fields: dict[str, Any] | None) -> dict[str, Any]:
    """Return the part of `item` that `fields` {include, exclude} asks for (Catalog.qmd, Include/Exclude behaviour)."""
    if fields is None:
        return item
    include, exclude = set(fields.get("include") or ()), set(fields.get("exclude") or ())
    wanted = include if include and exclude else include | set(DEFAULT_FIELDS)
    whole = {name: value for name, value in item.items() if name in wanted and name not in exclude}
    if "properties" not in exclude:
        named = {name.partition(".")[2] for name in wanted if name.startswith("properties.")}
        every = "properties" in wanted
        kept = {
            name: value
            for name, value in item["properties"].items()
            if (every or name in named) and f"properties.{name}" not in exclude
        }
        whole |= {"properties": kept} if kept or every else {}
    return whole


def interval(text: Any) -> tuple[datetime, datetime]:
    """Return both ends of a `datetime` parameter: one full date-time, or two with `/`, either of them open (`..`)."""
    if not isinstance(text, str) or not text:
        raise bad("'datetime' is required: a date-time or an interval of two")
    start, slash, end = text.partition("/")
    if not slash:
        end = start
    if start in ("", "..") and end in ("", ".."):
        raise bad("'datetime' must not be open at both ends")
    first = datetime(2014, 1, 1, tzinfo=UTC) if start in ("", "..") else _moment(start)
    last = datetime.now(UTC) if end in ("", "..") else _moment(end)
    if last < first:
        raise bad(f"'datetime' ends before it starts: {text}")
    return first, last


def _moment(text: str) -> datetime:
    if "T" not in text:  # a date alone is refused by the service
        raise bad(f"'{text}' is no full date-time like 2026-01-31T23:59:59Z")
    try:
        return parse_time(text)
    except ValueError:
        raise bad(f"'{text}' is no full date-time like 2026-01-31T23:59:59Z") from None


def _collection(given: Any) -> Collection:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or len(names) != 1:
        raise bad("'collections' must name exactly one collection")
    return collection(names[0])


def collection(name: Any) -> Collection:
    """Return the collection called `name`; raises Refused with 404."""
    if not isinstance(name, str) or name not in COLLECTIONS:
        raise Refused(404, f"Collection '{name}' does not exist")
    return COLLECTIONS[name]


def _area(bounds: Any, intersects: Any) -> BaseGeometry | None:
    if bounds is not None and intersects is not None:
        raise bad("only one of 'bbox' and 'intersects' may be given")
    if intersects is not None:
        try:
            area = shape(intersects)
        except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
            raise bad(f"'intersects' is no GeoJSON geometry ({error})") from error
        return area if area.is_valid else shapely.make_valid(area)
    if bounds is None:
        return None
    try:
        west, south, east, north = (float(number) for number in bounds)
    except (TypeError, ValueError):
        raise bad("'bbox' must be four numbers: west, south, east, north") from None
    if west > east or south > north:
        raise bad(f"'bbox' {bounds} is not west, south, east, north")
    return box(west, south, east, north)


def _fields(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or any(not isinstance(names, list | None) for names in given.values()):
        raise bad("'fields' must be an object with lists 'include' and 'exclude'")
    return given


def _distinct(given: Any, collection: Collection) -> str | None:
    if given is None or given == "date" or given in collection.queryables:
        return given
    raise bad(f"distinct is not supported for '{given}'")


def _value(scene: Scene, name: str) -> Any:
    return f"{scene.when:%Y-%m-%d}" if name == "date" else scene.properties.get(name)


def _count(given: Any, name: str, default: int, *, least: int) -> int:
    if given is None:
        return default
    try:
        count = int(given)
    except (TypeError, ValueError):
        raise bad(f"'{name}' must be a whole number, not {given!r}") from None
    if count < least:
        raise bad(f"'{name}' must be at least {least}")
    return count


def describe(collection: Collection, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Return the STAC Collection of `collection` with the extent of its scenes."""
    bounds = list(shapely.union_all([scene.outline for scene in scenes]).bounds) if scenes else [-180, -90, 180, 90]
    times = [scene.properties["datetime"] for scene in scenes]
    return {
        "stac_version": "1.0.0",
        "type": "Collection",
        "id": collection.name,
        "title": collection.title,
        "description": f"{collection.title} in the local archive",
        "license": "proprietary",
        "extent": {
            "spatial": {"bbox": [bounds]},
            "temporal": {"interval": [[times[-1], times[0]] if times else [None, None]]},
        },
        "summaries": {"eo:bands": [{"name": name} for name in collection.units]},
        "links": [],
    }
