"""What a Process request asks for: the raster it wants, the scenes it may use, and the form of the answer.

Pure: takes the JSON body, raises Refused (400) for what the service would refuse.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from deploy.archive.bands import COLLECTIONS, Collection
from deploy.archive.failures import bad, understanding
from deploy.archive.folder import Scene, parse_time

MAX_SIDE = 2500
DEFAULT_SIDE = 256
FORMATS = ("image/tiff", "image/png", "image/jpeg", "application/json")
UPSAMPLINGS = ("NEAREST", "BILINEAR", "BICUBIC")
ORDERS = ("mostRecent", "leastRecent", "leastCC")
_EPSG = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/0/(\d+)")
_CRS84 = re.compile(r"https?://www\.opengis\.net/def/crs/OGC/1\.3/CRS84")


@dataclass(frozen=True)
class Frame:
    """The raster asked for: `epsg`, pixel grid, and the geometry (in `epsg`) outside of which nothing is wanted."""

    epsg: int
    bounds: tuple[float, float, float, float]
    width: int
    height: int
    clip: BaseGeometry | None

    @property
    def transform(self) -> Affine:
        """Pixel to CRS coordinates."""
        west, south, east, north = self.bounds
        return Affine((east - west) / self.width, 0, west, 0, (south - north) / self.height, north)


@dataclass(frozen=True)
class Source:
    """One entry of input.data."""

    identifier: str | None
    collection: Collection
    start: datetime
    end: datetime
    max_cloud: float
    order: str
    properties: dict[str, str]
    processing: dict[str, Any]

    def usable(self, scenes: list[Scene]) -> list[Scene]:
        """Return those of `scenes` (newest first) that the filter lets through, the preferred first."""
        found = [
            scene
            for scene in scenes
            if self.start <= scene.when <= self.end
            and (scene.cloud_cover is None or scene.cloud_cover <= self.max_cloud)
            and all(str(scene.properties.get(name)).lower() == value for name, value in self.properties.items())
        ]
        if self.order == "leastRecent":
            return found[::-1]
        if self.order == "leastCC":
            return sorted(found, key=lambda scene: 101.0 if scene.cloud_cover is None else scene.cloud_cover)
        return found


@dataclass(frozen=True)
class ProcessRequest:
    """A Process request as understood."""

    frame: Frame
    sources: list[Source]
    evalscript: str
    responses: dict[str, str]


def parsed(body: Any) -> ProcessRequest:
    """Return what the request `body` asks for."""
    if not isinstance(body, dict):
        raise bad("the body must be a JSON object")
    with understanding():
        return _understood(body)


def _understood(body: dict[str, Any]) -> ProcessRequest:
    given = body.get("input") or {}
    if not isinstance(body.get("evalscript"), str):
        raise bad("must not be null", parameter="evalscript")
    entries = given.get("data")
    if not isinstance(entries, list) or not entries:
        raise bad("must name at least one data source", parameter="input->data")
    output = body.get("output") or {}
    return ProcessRequest(
        frame=_frame(given.get("bounds") or {}, output),
        sources=[_source(entry) for entry in entries],
        evalscript=body["evalscript"],
        responses=_responses(output.get("responses")),
    )


def _frame(bounds: dict[str, Any], output: dict[str, Any]) -> Frame:
    epsg = _epsg((bounds.get("properties") or {}).get("crs"))
    clip = None
    if bounds.get("geometry") is not None:
        try:
            clip = shape(bounds["geometry"])
        except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
            raise bad(f"is no GeoJSON geometry ({error})", parameter="input->bounds->geometry") from error
    corners = bounds.get("bbox") or (clip.bounds if clip is not None else None)
    try:
        west, south, east, north = (float(number) for number in corners)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        raise bad("must be four numbers", parameter="input->bounds->bbox", value=corners) from None
    if west >= east or south >= north:
        raise bad("must be west, south, east, north", parameter="input->bounds->bbox", value=corners)
    width = _side(output, "width", "resx", east - west)
    height = _side(output, "height", "resy", north - south)
    return Frame(epsg, (west, south, east, north), width, height, clip)


def _side(output: dict[str, Any], count: str, resolution: str, length: float) -> int:
    if count in output and resolution in output:
        raise bad(f"only one of '{count}' and '{resolution}' may be given", parameter=f"output->{count}")
    try:
        pixels = int(output[count]) if count in output else DEFAULT_SIDE
        if resolution in output:
            pixels = max(1, round(length / float(output[resolution])))
    except (TypeError, ValueError, ZeroDivisionError):
        raise bad("must be a positive number", parameter=f"output->{count}") from None
    if not 1 <= pixels <= MAX_SIDE:
        raise bad(f"must be between 1 and {MAX_SIDE}", parameter=f"output->{count}", value=pixels)
    return pixels


def _epsg(given: Any) -> int:
    if given is None or _CRS84.fullmatch(str(given)):
        return 4326
    found = _EPSG.fullmatch(str(given))
    try:
        return int(CRS.from_epsg(int(found[1])).to_epsg() or 0) if found else _unknown(given)
    except CRSError:
        return _unknown(given)


def _unknown(given: Any) -> int:
    raise bad(f"unsupported CRS {given}", parameter="input->bounds->properties->crs", value=given)


def _source(entry: Any) -> Source:
    kind = entry.get("type") if isinstance(entry, dict) else None
    if kind not in COLLECTIONS:
        raise bad(f"unknown collection '{kind}'", parameter="input->data->type", value=kind)
    limits = entry.get("dataFilter") or {}
    span = limits.get("timeRange") or {}
    try:
        start, end = parse_time(span["from"]), parse_time(span["to"])
    except (KeyError, TypeError, ValueError):
        raise bad("needs 'from' and 'to' as full date-times", parameter="input->data->dataFilter->timeRange") from None
    if end < start:
        raise bad("ends before it starts", parameter="input->data->dataFilter->timeRange", value=span)
    order = limits.get("mosaickingOrder", "mostRecent")
    if order not in ORDERS:
        raise bad(f"must be one of {', '.join(ORDERS)}", parameter="input->data->dataFilter->mosaickingOrder")
    return Source(
        identifier=entry.get("id"),
        collection=COLLECTIONS[kind],
        start=start,
        end=end,
        max_cloud=float(limits.get("maxCloudCoverage", 100)),
        order=order,
        properties=_properties(limits),
        processing=_processing(entry.get("processing") or {}),
    )


def _processing(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise bad("must be an object", parameter="input->data->processing")
    if str(given.get("upsampling", "NEAREST")).upper() not in UPSAMPLINGS:
        raise bad(f"must be one of {', '.join(UPSAMPLINGS)}", parameter="input->data->processing->upsampling")
    return given


def _properties(limits: dict[str, Any]) -> dict[str, str]:
    """The filters on Sentinel-1 products, by the name of the item's property."""
    names = {
        "acquisitionMode": "sar:instrument_mode", "polarization": "s1:polarization",
        "resolution": "s1:resolution", "orbitDirection": "sat:orbit_state",
    }  # fmt: skip
    return {name: str(limits[key]).lower() for key, name in names.items() if key in limits}


def _responses(given: Any) -> dict[str, str]:
    """Return {identifier: media type}; without any, `default` as PNG (the service's own default)."""
    responses = {}
    for one in given or [{"identifier": "default"}]:
        kind = (one.get("format") or {}).get("type", "image/png")
        if kind not in FORMATS:
            raise bad(f"must be one of {', '.join(FORMATS)}", parameter="output->responses->format", value=kind)
        responses[str(one.get("identifier", "default"))] = kind
    return responses
