"""`archive import`: brings labelled folders and the user's own GeoTIFFs into the archive folder.

Stands between files as people have them and `archive serve`. Scenes are written first, their items after
them, places.geojson last; what is there already stays as it is.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rasterio.errors import RasterioError

from deploy.archive import layouts
from deploy.archive.failures import MALFORMED
from deploy.archive.geotiffs import geotiffs
from deploy.archive.grids import ELSEWHERE, place_grid, where
from deploy.archive.layouts import Place, Refused, Source
from deploy.archive.places import Places, aoi_of, feature_of, grid_of, read_places, write_places
from deploy.archive.placing import Written, product_of, write_scene
from deploy.archive.products import Product
from deploy.archive.writing import SceneGrid, item_path, scene_path, write_item
from tasks.errors import MineCamError, WrongUse
from tasks.rasters import to_wgs84

LAYOUTS = {
    "cases.csv": layouts.change,  # before pairs: a change folder has both tables
    "pairs.csv": layouts.pairs,
    "sites.csv": layouts.chips,
    "series.csv": layouts.series,
}
"""Readers of the known layouts by the table that gives them away, the surest first."""


@dataclass
class Imported:
    """What an import did: how many places and scenes are new, what was refused, and noted of others (name, words)."""

    places: int = 0
    scenes: int = 0
    refused: Refused = field(default_factory=list)
    notes: Refused = field(default_factory=list)
    slugs: list[str] = field(default_factory=list)
    """The places of the source that are now in the archive, new or not."""


def layout_of(source: Path) -> Callable[[Path, str | None], tuple[list[Place], Refused]]:
    """Return the reader of the layout that `source` has; raises WrongUse when it is no folder or holds several."""
    if not source.is_dir():
        raise WrongUse(f"there is no folder {source} to import")
    for table, layout in LAYOUTS.items():
        if (source / table).exists():
            return layout
    if inside := sorted({path.parent.name for table in LAYOUTS for path in source.glob(f"*/{table}")}):
        raise WrongUse(f"{source} holds several folders to import: give {', '.join(inside)} one by one")
    return geotiffs


def import_folder(
    source: Path,
    archive: Path,
    *,
    limit: int | None = None,
    split: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Imported:
    """Import the first `limit` places of `source` (of its `split`, or category) into the archive folder.

    Knows the layouts pairs, chips, change and series, and any folder of GeoTIFFs with band descriptions and
    dates. What cannot be used is refused by name, the rest goes in; what is in already is left alone. Raises
    WrongUse when there is nothing to import.
    """
    if limit is not None and limit < 1:
        raise WrongUse(f"a limit of {limit} places imports nothing: give 1 or more")
    places, refused = _places(source, split)
    done = Imported(refused=refused)
    known = read_places(archive)
    chosen = places[:limit]
    try:
        for number, place in enumerate(chosen, start=1):
            if progress is not None:
                progress(f"{place.name} ({number} of {len(chosen)}): {len(place.sources)} dates")
            _import_place(place, archive, known, done)
    finally:
        if done.places:
            write_places(archive, known)
    return done


def _places(source: Path, split: str | None) -> tuple[list[Place], Refused]:
    layout = layout_of(source)
    try:
        return layout(source, split)
    except (KeyError, TypeError, ValueError, OSError, csv.Error) as error:
        raise WrongUse(f"the tables of {source} are not as their layout says ({error!r:.200}): mend them") from error


def _import_place(place: Place, archive: Path, known: Places, done: Imported) -> None:
    """Write the scenes of `place` that are not there yet, and the place itself when it is new."""
    sources = _usable(place, done)
    if not sources:
        return
    feature = known.get(place.slug)
    grid = _common_grid(place, sources, done) if feature is None else grid_of(feature)
    if grid is None:
        done.refused.append((place.name, f"the archive has another place '{place.slug}': rename the folder"))
        return
    named = [(one, _own_name(archive, place, one, product_of(place, one, grid))) for one in sources]
    if feature is not None:
        named = [(one, product) for one, product in named if not _there(archive, one, product)]
    written = _write_scenes(place, named, archive, grid, done)
    if feature is None and not _add_place(place, written, archive, grid, known, done):
        return
    done.slugs.append(place.slug)
    for one in written:
        said: dict[str, Any] = {"properties": one.properties, "bands": one.bands, "outline": one.grid.outline}
        write_item(archive, one.name, collection=one.collection, **said)
        done.scenes += 1


def _common_grid(place: Place, sources: list[Source], done: Imported) -> SceneGrid:
    """Return the grid of a new place, and take those of `sources` out that show other ground."""
    grid, elsewhere = place_grid([one.path for one in sources])
    for source in [one for one in sources if one.path in elsewhere]:
        done.refused.append((_label(place, source), ELSEWHERE))
        sources.remove(source)
    return grid


def _add_place(
    place: Place, written: list[Written], archive: Path, grid: SceneGrid, known: Places, done: Imported
) -> bool:
    """Make `place` known; False, its scenes removed, when they show nothing."""
    aoi = aoi_of([one.ground for one in written])
    if not aoi.is_empty:
        known[place.slug] = feature_of(place, to_wgs84(aoi, grid.epsg), grid)
        done.places += 1
        return True
    for one in written:
        (archive / scene_path(one.collection, one.name)).unlink()
    if written:
        done.refused.append((place.name, "no pixel holds data on any date"))
    return False


def _own_name(archive: Path, place: Place, source: Source, product: Product) -> Product:
    """Return `product`, its name made longer where another place has cut its scene out of the same product."""
    path = archive / item_path(source.collection, product.name)
    try:
        if not path.exists() or json.loads(path.read_text())["properties"].get("minecam:place") == place.slug:
            return product
    except MALFORMED:
        pass  # it is not of this place, whatever it is
    return replace(product, name=f"{product.name}_{place.slug}")


def _there(archive: Path, source: Source, product: Product) -> bool:
    return (archive / item_path(source.collection, product.name)).exists()


def _usable(place: Place, done: Imported) -> list[Source]:
    """Return the sources of `place` that can be opened and have a CRS; the others are refused by name."""
    usable = []
    for source in place.sources:
        try:
            where(source.path)
            usable.append(source)
        except (MineCamError, RasterioError) as error:
            done.refused.append((_label(place, source), _reason(error)))
    return usable


def _write_scenes(
    place: Place, named: list[tuple[Source, Product]], archive: Path, grid: SceneGrid, done: Imported
) -> list[Written]:
    written = []
    for source, product in named:
        try:
            scene = write_scene(place, source, product, archive, grid)
            written.append(scene)
            done.notes += [(_label(place, source), note) for note in scene.notes]
        except (MineCamError, RasterioError) as error:
            done.refused.append((_label(place, source), _reason(error)))
    return written


def _label(place: Place, source: Source) -> str:
    return f"{place.name}/{source.path.name}"


def _reason(error: Exception) -> str:
    if isinstance(error, RasterioError):
        return "it cannot be read, or is cut off: copy it again"
    return str(error)
