"""One source raster of an import becomes one scene of the archive: pixels, truth, and what its item will say.

Stands between `sources.py` and `grids.py`, which read, and `importing.py`, which writes the item at the end.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from rasterio.crs import CRS
from shapely.geometry.base import BaseGeometry

from deploy.archive.grids import ELSEWHERE, ground, onto, warp
from deploy.archive.layouts import Place, Source
from deploy.archive.products import Product, sentinel1, sentinel2
from deploy.archive.sources import Picture, cloud_cover, read, with_scl
from deploy.archive.writing import SceneGrid, scene_path, write_classes, write_raster
from tasks.errors import RasterError
from tasks.rasters import moved

LEVELS = {"sentinel-2-l1c": "1C", "sentinel-2-l2a": "2A"}


@dataclass(frozen=True)
class Written:
    """A scene that lies in the archive and lacks its item.

    `ground` is what it shows, in metres of its zone; `notes` say what was doubted or left out.
    """

    name: str
    collection: str
    grid: SceneGrid
    bands: tuple[str, ...]
    properties: dict[str, Any]
    ground: BaseGeometry
    notes: tuple[str, ...]


def product_of(place: Place, source: Source, grid: SceneGrid) -> Product:
    """Return the product name under which `source` goes into the archive: the same at every import."""
    key: dict[str, Any] = {"when": source.when, "grid": grid, "place": place.slug, "file": source.path.name}
    if source.collection in LEVELS:
        return sentinel2(**key, level=LEVELS[source.collection])
    return sentinel1(**key)


def write_scene(place: Place, source: Source, product: Product, archive: Path, grid: SceneGrid) -> Written:
    """Write the scene of `source` on the pixels of its place, and its truth; the item is left to the caller.

    Raises RasterError when the source cannot be a scene, or lies off the ground of its place.
    """
    found = read(source.path)
    made = source.collection == "sentinel-2-l2a" and "SCL" not in found.names
    whole = with_scl(found) if made else found
    picture, own = onto(whole, grid)
    if whole.seen.any() and not picture.seen.any():
        raise RasterError(ELSEWHERE)
    write_raster(
        archive / scene_path(source.collection, product.name), picture.planes, epsg=own.epsg, transform=own.transform,
        names=picture.names, nodata=0, tags={"product": product.name, "source": source.path.name},
    )  # fmt: skip
    for ending, truth in source.truth.items():
        day = product.moment.date()
        write_truth(archive / "truth" / place.slug / f"{day}{ending}.tif", truth, own, ending=ending)
    properties = _properties(place, source, product, picture, own, made=made)
    bare = moved(ground(picture), picture.crs, CRS.from_epsg(grid.epsg))
    return Written(product.name, source.collection, own, picture.names, properties, bare, picture.notes)


def write_truth(path: Path, truth: Path, grid: SceneGrid, *, ending: str) -> None:
    """Write the one-band raster `truth` on the pixels of its scene: classes, or `_change` or `_flags` as they are.

    What is unknown is the greatest number of the type (255, 65535), also where the truth does not reach.
    """
    with rasterio.open(truth) as raster:
        plane = raster.read(1)
        lies = Picture(plane[None], ("truth",), plane > 0, raster.crs, raster.transform)
    flags, unknown = ending == "_flags", 255 if plane.dtype == "uint8" else 65535
    same = (lies.crs, lies.transform, plane.shape) == (CRS.from_epsg(grid.epsg), grid.transform, grid.shape)
    values = plane if same else warp(plane, lies, grid, codes=True, nodata=unknown)
    place: dict[str, Any] = {"epsg": grid.epsg, "transform": grid.transform, "tags": {"source": truth.name}}
    if ending == "":
        write_classes(path, values, **place)
    else:
        write_raster(path, values[None], **place, names=(ending.strip("_"),), nodata=None if flags else unknown)


def _properties(
    place: Place, source: Source, product: Product, picture: Picture, grid: SceneGrid, *, made: bool
) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "datetime": f"{product.moment:%Y-%m-%dT%H:%M:%SZ}",
        "created": f"{product.created:%Y-%m-%dT%H:%M:%SZ}",
        "proj:epsg": grid.epsg,
        "gsd": grid.transform.a,
        "platform": product.platform,
        "constellation": source.collection[: len("sentinel-N")],
        "minecam:place": place.slug,
    }
    if source.collection in LEVELS:
        cloud = cloud_cover(picture)
        properties["s2:processing_baseline"] = product.baseline
        properties |= {} if cloud is None else {"eo:cloud_cover": cloud}
        properties |= _optical_origin(source, made=made)
    else:
        properties |= _radar_origin(source, picture)
    if source.period:
        start, end = source.period
        properties |= {"start_datetime": f"{start}T00:00:00Z", "end_datetime": f"{end}T23:59:59Z"}
    return properties


def _optical_origin(source: Source, *, made: bool) -> dict[str, str]:
    """Return the sentences that say what the import knows not to be as the collection promises."""
    said = {}
    if made:
        what = "a cloud-masked composite" if source.masked else "a picture"
        trust = "so every pixel with data counts as clear" if source.masked else "so clouds in it count as clear ground"
        said["minecam:validity"] = (
            f"SCL was made by the import: 5 (bare soil) where any band holds data, 0 elsewhere; "
            f"the source is {what} without SCL, {trust}."
        )
    if source.level == "L1C" and source.collection == "sentinel-2-l2a":
        said["minecam:processing_level"] = "L1C: top-of-atmosphere reflectance, served as L2A to come with an SCL."
    return said


def _radar_origin(source: Source, picture: Picture) -> dict[str, Any]:
    names = list(picture.names)
    kinds: dict[tuple[str, ...], str] = {("VV", "VH"): "DV", ("HH", "HV"): "DH"}
    return {
        "sat:orbit_state": source.orbit_state,
        "sar:instrument_mode": "IW",
        "sar:polarizations": names,
        "s1:polarization": kinds.get(picture.names[:2], f"S{names[0][0]}"),
        "s1:resolution": "HIGH",
    }
