"""Stores an epoch: areas of its classes and its polygons, all in one transaction with the acquisition's state.

Stands between `vectorise` and `compare`.
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

import sql
from models.labels import LABELS, NODATA
from tasks.mines import Mine, polygons
from tasks.rasters import HECTARES_PER_PIXEL, to_wgs84
from tasks.records import Acquisition, Epoch, advance
from tasks.segment.segment import Segmented
from tasks.segment.vectorise import outlines, regions
from tasks.settings import settings
from tasks.suites import SEGMENTS, Figures, judge, record, suite

if TYPE_CHECKING:
    from models.zoo import SegmentationModel


def class_areas(classes: np.ndarray, confidence: np.ndarray) -> list[dict[str, Any]]:
    """Return class_id, hectares and mean confidence (0-1, None without a pixel) of every label.

    `classes` and `confidence` (per cent) are uint8 (H, W), 255 nodata.
    """
    seen = classes != NODATA
    pixels = np.bincount(classes[seen], minlength=len(LABELS))
    sums = np.bincount(classes[seen], weights=confidence[seen] / 100, minlength=len(LABELS))
    return [
        {
            "class_id": label.id,
            "hectares": float(pixels[label.id] * HECTARES_PER_PIXEL),
            "confidence": float(sums[label.id] / pixels[label.id]) if pixels[label.id] else None,
        }
        for label in LABELS
    ]


def figures(frame: gpd.GeoDataFrame, classes: np.ndarray) -> Figures:
    """Measure the polygons of an epoch against its class raster; an epoch without any is fine."""
    shapes = frame.geometry.to_numpy()
    raster = float(((classes != NODATA) & (classes != 0)).sum() * HECTARES_PER_PIXEL)
    drawn = float(frame["hectares"].sum())
    return {
        "polygons": len(frame),
        "invalid": int((~shapely.is_valid(shapes)).sum()),
        "not_multipolygon": int((shapely.get_type_id(shapes) != shapely.GeometryType.MULTIPOLYGON).sum()),
        "wrong_crs": int(frame.crs is None or frame.crs.to_epsg() != 4326),
        "unknown_class": int((~frame["class_id"].between(1, len(LABELS) - 1)).sum()),
        "low_confidence": float(frame["confidence"].min()) if len(frame) else None,
        "high_confidence": float(frame["confidence"].max()) if len(frame) else None,
        "difference": abs(drawn - raster) / max(raster, drawn, HECTARES_PER_PIXEL),
    }


def store(
    connection: sql.Connection,
    acquisition: Acquisition,
    mine: Mine,
    model: "SegmentationModel",
    segmented: Segmented,
    frame: gpd.GeoDataFrame,
    flow_run_id: str | None,
) -> tuple[Acquisition, Epoch | None]:
    """Write the epoch with its class areas and segments; return the acquisition, `segmented` now, and the epoch.

    A current epoch of the same weights, pixels and AOI is returned as it is; one of others under the same name is
    superseded, and so is one made from older products of the same sensing: only now, since newer products that are
    refused (cloud, a fault) must not take away what was known of that day. Polygons that fail their suite
    quarantine the acquisition: no epoch, and nothing else is written; `withdraw` takes back an epoch by other pixels.
    """
    measured = figures(frame, segmented.classes)
    judgement = judge(figures=measured, checks=suite(SEGMENTS, settings()))
    identity = acquisition.acquisition_id
    sql.run(connection, "year_add", sensing_time=acquisition.sensing_time)
    with connection.transaction():
        sql.run(connection, "acquisition_lock", acquisition_id=identity)
        known = sql.fetch_one(connection, Epoch, "epoch_current", acquisition_id=identity, model=model.name)
        same_weights = known is not None and known.model_checksum == model.checksum
        same_aoi = known is not None and (mine.aoi_since is None or known.created_at >= mine.aoi_since)
        if known and same_weights and same_aoi and known.class_checksum == segmented.checksums[0]:
            return advance(connection, acquisition, "acquisition_segmented"), known
        record(connection, acquisition, suite=SEGMENTS, judgement=judgement, figures=measured, flow_run_id=flow_run_id)
        if not judgement.passed:
            return advance(connection, acquisition, "acquisition_quarantine", reasons=judgement.reasons), None
        if known:
            other = "for another AOI" if not same_aoi else f"with other {'pixels' if same_weights else 'weights'}"
            sql.run(connection, "epoch_supersede", epoch_id=known.epoch_id, why=f"segmented {other}")
        sql.run(connection, "epoch_replace", acquisition_id=identity, model=model.name)
        epoch = _write_epoch(connection, acquisition, mine, model, segmented, flow_run_id)
        for area in class_areas(segmented.classes, segmented.confidence):
            sql.run(connection, "class_area_add", epoch_id=epoch.epoch_id, **area)
        _write_segments(connection, epoch, frame)
        _write_unseen(connection, epoch, mine, segmented)
        sql.run(connection, "months_fill", acquisition_id=identity)
        return advance(connection, acquisition, "acquisition_segmented"), epoch


def _write_epoch(
    connection: sql.Connection,
    acquisition: Acquisition,
    mine: Mine,
    model: "SegmentationModel",
    segmented: Segmented,
    flow_run_id: str | None,
) -> Epoch:
    (epoch,) = sql.fetch(
        connection,
        Epoch,
        "epoch_add",
        acquisition_id=acquisition.acquisition_id,
        model=model.name,
        model_checksum=model.checksum,
        code_version=version("minecam"),
        flow_run_id=flow_run_id,
        class_raster=segmented.addresses[0],
        class_checksum=segmented.checksums[0],
        confidence_raster=segmented.addresses[1],
        confidence_checksum=segmented.checksums[1],
        aoi_hectares=float(mine.grid.mask(mine.aoi).sum() * HECTARES_PER_PIXEL),
        valid_hectares=float((segmented.classes != NODATA).sum() * HECTARES_PER_PIXEL),
    )
    return epoch


def _write_segments(connection: sql.Connection, epoch: Epoch, frame: gpd.GeoDataFrame) -> None:
    columns = zip(frame["class_id"], frame["hectares"], frame["confidence"], frame.geometry, strict=True)
    rows = (
        (epoch.epoch_id, epoch.mine_id, int(cls), epoch.sensing_time, float(area), float(sure), outline)
        for cls, area, sure, outline in columns
    )
    sql.copy_rows(connection, "segment_copy", ["int8", "int4", "int2", "timestamptz", "float4", "float4"], rows)


def _write_unseen(connection: sql.Connection, epoch: Epoch, mine: Mine, segmented: Segmented) -> None:
    grid = segmented.grid
    unseen = grid.mask(mine.aoi) & (segmented.classes == NODATA)
    grounds = list(outlines(regions(unseen, unseen), grid)) if unseen.any() else []
    if grid != mine.grid:  # the AOI was redrawn since it was downloaded
        grounds += polygons(mine.aoi.difference(to_wgs84(shapely.box(*grid.bounds), grid.epsg)))
    if grounds:
        ground = shapely.union_all(grounds)
        sql.copy_rows(
            connection, "unseen_copy", ["int8"], [(epoch.epoch_id, shapely.multipolygons(shapely.get_parts(ground)))]
        )
