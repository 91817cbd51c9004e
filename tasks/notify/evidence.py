"""The evidence of an alert: the ground before and after with its outline, as a picture and as files.

`notify` puts it into artifacts, `minecam alerts show` writes it into a folder.
"""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

import sql
from tasks.alert import unit
from tasks.errors import MineCamError, WrongUse
from tasks.notify.notice import markdown
from tasks.rasters import Grid, before_after, colours, pixels, read_raster, rings, to_utm

log = logging.getLogger(__name__)

LEAST_PIXELS = 64  # side of the ground that a picture shows
NAMES = (
    "alert_id", "alert_event_id", "rule", "description", "state", "severity", "measured", "hectares", "confidence",
    "first_time", "last_time", "observations", "why", "actor", "model", "model_checksum", "sensing_time", "product_ids",
    "cloud_share", "before_time", "before_product_ids", "before_cloud_share",
)  # fmt: skip
"""Columns of an event that `figures` gives under their own names."""


def picture(event: sql.Row) -> bytes | None:
    """Return the PNG of the ground before the alert and at this event; None where a raster is missing.

    `event` is a row of alert_event_read.
    """
    if not event["before_raster"] or not event["raster"]:
        return None
    try:
        before = read_raster(event["before_raster"], event["before_checksum"])
        after = read_raster(event["raster"], event["checksum"])
    except MineCamError as error:
        log.warning("alert %d goes without a picture: %s", event["alert_id"], error)
        return None
    if before.grid != after.grid:  # the AOI was redrawn in between
        return None
    ground = to_utm(shapely.from_wkb(bytes(event["geom"])), after.grid.epsg)
    rows, columns = surroundings(ground, after.grid)
    return before_after(
        before=colours(before)[rows, columns],
        after=colours(after)[rows, columns],
        outlines=[pixels(ring, after.grid) - (columns.start, rows.start) for ring in rings(ground)],
        captions=(f"{event['before_time']:%Y-%m-%d}", f"{event['sensing_time']:%Y-%m-%d}"),
    )


def latest(connection: sql.Connection, alert_id: int) -> sql.Row:
    """Return the latest event of an alert with all that is said of it; raises WrongUse when there is none."""
    found = sql.run_one(connection, "alert_event_latest", alert_id=alert_id)
    if found is None:
        raise WrongUse(f"there is no alert {alert_id}: `minecam alerts --all` shows them")
    (event,) = sql.run(connection, "alert_event_read", mine_id=None, events=[found["alert_event_id"]])
    return event


def figures(event: sql.Row) -> dict[str, Any]:
    """Return what is known of the alert of `event`, for a program to read: numbers, lists, times as ISO 8601 (UTC)."""
    kept = {
        "mine": event["slug"], "mine_name": event["mine"], "unit": unit(event["measure"]),
        **{name: event[name] for name in NAMES},
    }  # fmt: skip
    return {name: _plain(value) for name, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return round(value, 4) if isinstance(value, float) else value


def geometry(event: sql.Row) -> dict[str, Any] | None:
    """Return the ground of the alert as GeoJSON in EPSG:4326; None where it is of no ground."""
    if not event["geom"]:
        return None
    ground: dict[str, Any] = json.loads(shapely.to_geojson(shapely.from_wkb(bytes(event["geom"]))))
    return ground


def write(event: sql.Row, folder: Path) -> list[Path]:
    """Write what shows the alert of `event` into `folder` and return the files: words, outline and picture.

    Raises WrongUse when it cannot be written there.
    """
    png = picture(event)
    stem = f"alert-{event['alert_id']}"
    outline = {"type": "Feature", "geometry": geometry(event), "properties": figures(event)}
    contents = {
        f"{stem}.md": markdown(event, f"{stem}.png" if png else None).encode(),
        f"{stem}.geojson": json.dumps(outline).encode(),
        **({f"{stem}.png": png} if png else {}),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise WrongUse(f"{folder} cannot be written to: {error.strerror}") from error
    return [folder / name for name in contents]


def surroundings(ground: Any, grid: Grid) -> tuple[slice, slice]:
    """Return the rows and columns of `grid` that show `ground` (in its metres) in the middle of a square."""
    corners = pixels(shapely.box(*ground.bounds).exterior, grid)
    centre, extent = (corners.min(axis=0) + corners.max(axis=0)) / 2, np.ptp(corners, axis=0).max()
    side = max(int(1.5 * extent), LEAST_PIXELS)
    starts = [
        int(np.clip(middle - side / 2, 0, max(size - side, 0)))
        for middle, size in zip(centre, (grid.width, grid.height), strict=True)
    ]
    columns = slice(starts[0], min(starts[0] + side, grid.width))
    return slice(starts[1], min(starts[1] + side, grid.height)), columns
