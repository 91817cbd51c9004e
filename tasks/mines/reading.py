"""Files of outlines and points as people bring them, read into one table in degrees, and what was left aside."""

import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pyarrow
import pyogrio
import pyproj
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from tasks.errors import WrongUse
from tasks.mines.kml import documents
from tasks.mines.outline import others, polygons
from tasks.mines.points import placed, read_csv

UNREADABLE = (
    pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
    pyproj.exceptions.ProjError, shapely.errors.ShapelyError, zipfile.BadZipFile, OSError, ValueError,
    RecursionError,
)  # fmt: skip
"""What reading a file raises that is no outline file, or a broken one."""


@dataclass(frozen=True)
class Table:
    """The rows of a file, EPSG:4326, and in words what of the file is not among them or was taken otherwise."""

    frame: geopandas.GeoDataFrame
    aside: list[str]


@dataclass(frozen=True)
class Layer:
    """A layer of a file, with its rows."""

    name: str
    frame: pd.DataFrame

    def __str__(self) -> str:
        return self.name

    @property
    def geometries(self) -> list[BaseGeometry | None]:
        """Of its rows; of a table without geometries none."""
        return list(self.frame.geometry) if isinstance(self.frame, geopandas.GeoDataFrame) else []

    @property
    def has_polygons(self) -> bool:
        """Whether any row has one."""
        return any(polygons(geometry) for geometry in self.geometries)


def read_table(path: Path, layer: str | None = None, *, option: str = "--layer") -> Table:
    """Read a file of outlines or points: GeoJSON, GeoPackage, Shapefile, KML, KMZ, GeoParquet, CSV or Excel.

    Of a KML file all folders are read; of other files the one layer with outlines, or `layer`. Raises WrongUse when the
    file cannot be read, holds nothing, or has several layers to choose from with `option`.
    """
    if not path.exists():
        raise WrongUse(f"there is no file {path}")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return Table(placed(read_csv(path), path.name), [])
    try:
        if path.suffix.lower() in (".parquet", ".geoparquet"):
            return _in_degrees(geopandas.read_parquet(path), path.name, [])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rings that do not close are closed
            return _table(path, layer, option)
    except NotImplementedError as error:  # of pyogrio: curves
        raise WrongUse(
            f"{path.name} holds curves, which cannot be read: save it with straight edges (`ogr2ogr -nlt "
            "CONVERT_TO_LINEAR`)"
        ) from error
    except UNREADABLE as error:
        raise WrongUse(
            f"{path.name} is no readable outline file (GeoJSON, GeoPackage, Shapefile, KML, CSV), or is cut off: "
            "open it in QGIS, and save it anew"
        ) from error


def _table(path: Path, layer: str | None, option: str) -> Table:
    is_kml = path.suffix.lower() in (".kml", ".kmz")
    sources: Sequence[Path | bytes] = [path]
    aside: list[str] = []
    if is_kml:
        sources, aside = documents(path)
    found = [one for source in sources for one in _layers(source)]
    if layer is not None:
        chosen = [one for one in found if re.sub(r" \(#\d+\)$", "", one.name) == layer or one.name == layer]
        if not chosen:
            raise WrongUse(f"{path.name} has no layer '{layer}', only {_listed(found)}")
    elif is_kml:
        chosen = [one for one in found if len(one.frame)]
    else:
        chosen = _with_most(found)
        if len(chosen) > 1:
            raise WrongUse(f"{path.name} has the layers {_listed(chosen)}: choose one with {option}")
        rest = [(one, others(*one.geometries)) for one in found if all(one is not other for other in chosen)]
        aside += [f"the layer {one} ({held}) is left aside" for one, held in rest if held]
    rows = [one.frame for one in chosen if len(one.frame)]
    if not rows:
        raise WrongUse(f"{path.name} holds no outlines")
    frame = rows[0] if len(rows) == 1 else pd.concat(rows, ignore_index=True)
    if not isinstance(frame, geopandas.GeoDataFrame):
        return Table(placed(frame, path.name), aside)
    return _in_degrees(_with_loose_coordinates(frame, path), path.name, aside)


def _layers(source: Path | bytes) -> Iterator[Layer]:
    for number, (name, _) in enumerate(pyogrio.list_layers(source)):
        about = pyogrio.read_info(source, layer=number)
        unsaid = about["driver"] == "ESRI Shapefile" and about["encoding"] != "UTF-8"
        frame = pyogrio.read_dataframe(
            source,
            layer=number,
            on_invalid="fix",
            use_arrow=True,  # keeps whole numbers whole where a cell of their column is empty
            arrow_to_pandas_kwargs={"types_mapper": pd.ArrowDtype},
            encoding=about["encoding"] if unsaid else None,  # without .cpg, Arrow takes text for UTF-8
        )
        words = [column for column in frame.columns if frame[column].dtype != "geometry"]
        try:
            frame[words] = frame[words].astype(object)
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise WrongUse(f"the text in layer {name} is no UTF-8: save the file as UTF-8") from error
        yield Layer(str(name), frame)


def _with_most(layers: list[Layer]) -> list[Layer]:
    """Return the layers with outlines; where none has any, those with other geometries, then tables with rows."""
    some = [one for one in layers if len(one.frame)]
    return (
        [one for one in some if one.has_polygons]
        or [one for one in some if any(geometry is not None for geometry in one.geometries)]
        or [one for one in some if one.geometries]
        or some
    )


def _in_degrees(frame: geopandas.GeoDataFrame, name: str, aside: list[str]) -> Table:
    if frame.crs is not None:
        return Table(frame.to_crs(4326), aside)
    west, south, east, north = frame.total_bounds
    if not (west >= -360 and east <= 360 and south >= -180 and north <= 180):
        raise WrongUse(
            f"{name} does not say in which coordinates it is (of a shapefile, the .prj is missing), and they are no "
            "degrees: bring it with its CRS"
        )
    return Table(frame.set_crs(4326), [*aside, f"{name} does not say in which coordinates it is: taken as degrees"])


def _with_loose_coordinates(frame: geopandas.GeoDataFrame, path: Path) -> geopandas.GeoDataFrame:
    """Give rows of GeoJSON that GDAL leaves without geometry those that stand there: numbers as text, heights null."""
    lost = [at for at, geometry in enumerate(frame.geometry) if geometry is None or geometry.is_empty]
    if not lost or path.suffix.lower() not in (".geojson", ".json"):
        return frame
    content = json.loads(path.read_bytes())
    features = content.get("features", [content])
    if not isinstance(features, list) or len(features) != len(frame):
        return frame
    geometries = list(frame.geometry)
    for at in lost:
        geometries[at] = _loosely(features[at])
    return frame.set_geometry(geopandas.GeoSeries(geometries, index=frame.index, crs=frame.crs))


def _loosely(feature: Any) -> BaseGeometry | None:
    try:
        geometry = feature.get("geometry", feature)
        return shape({"type": geometry["type"], "coordinates": _numbers(geometry["coordinates"])})
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError):
        return None


def _numbers(coordinates: Any) -> Any:
    if isinstance(coordinates[0], list):
        return [_numbers(one) for one in coordinates]
    return [float(number) for number in coordinates[:2]]


def _listed(layers: list[Layer]) -> str:
    return ", ".join(map(str, layers))
