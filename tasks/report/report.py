"""What became of one mine: acquisitions by state, hectares per class first, before and now, alerts, and a picture.

Reads what the monitoring run wrote; changes nothing.
"""

from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

import sql
from tasks.errors import WrongUse
from tasks.mines import Mine
from tasks.rasters import Panel, colours, overlay, pixels, read_raster, rings, sheet, to_utm
from tasks.segment import model_name
from tasks.settings import settings

WHOLE = 0.9
"""Share of the AOI that an epoch must have seen to show the mine as a whole."""


@dataclass(frozen=True)
class Report:
    """The figures of one mine; epochs have a date and the share of the AOI that was seen (0-1).

    `columns` are those of them that `areas` shows, as first, before and now, None where there is none; `areas` has a
    row per class with its hectares in these three, each on the ground that its epoch saw.
    """

    mine: str
    name: str
    model: str
    acquisitions: dict[str, int]
    epochs: list[dict[str, Any]]
    columns: dict[str, dict[str, Any] | None]
    areas: list[dict[str, Any]]
    alerts: dict[str, int]
    other_weights: int
    """Epochs that are left out, for they are by other weights of the model than the latest one."""


def report(connection: sql.Connection, mine: Mine) -> Report:
    """Return what is known of `mine`, as seen by its model."""
    epochs, others = _epochs(connection, mine)
    shown = columns(epochs)
    ids = {name: row and row["epoch_id"] for name, row in shown.items()}
    states = sql.run(connection, "report_acquisitions", mine_id=mine.mine_id)
    alerts = sql.run(connection, "report_alerts", mine_id=mine.mine_id)
    return Report(
        mine=mine.slug,
        name=mine.name,
        model=model_name(mine.model or settings().model),
        acquisitions={row["state"]: row["count"] for row in states},
        epochs=[_dated(row) for row in epochs],
        columns={name: row and _dated(row) for name, row in shown.items()},
        areas=sql.run(connection, "report_areas", **ids),
        alerts={row["state"]: row["count"] for row in alerts},
        other_weights=others,
    )


def _epochs(connection: sql.Connection, mine: Mine) -> tuple[list[sql.Row], int]:
    """Return the epochs by the weights that made the latest one, in order of sensing, and how many others there are.

    Those of another AOI than today's are left out once there are some of today's.
    """
    model = model_name(mine.model or settings().model)
    rows = sql.run(connection, "report_epochs", mine_id=mine.mine_id, model=model)
    alike = [row for row in rows if row["model_checksum"] == rows[-1]["model_checksum"]]
    of_today = [row for row in alike if mine.aoi_since is None or row["created_at"] >= mine.aoi_since]
    return of_today or alike, len(rows) - len(alike)


def columns(epochs: list[sql.Row]) -> dict[str, sql.Row | None]:
    """Return the epochs to show as first, before and now, of `epochs` in order of sensing; None where there is none.

    Before is the latest earlier one that saw the mine as a whole (at least 90 % of the AOI): next to one half hidden
    under cloud, a mine would seem to have doubled. Where no earlier one did, it is the one just before.
    """
    earlier = epochs[:-1]
    whole = [row for row in earlier if row["valid_share"] >= WHOLE]
    return {
        "first": next(iter(epochs), None),
        "before": next(reversed(whole or earlier), None),
        "now": next(reversed(epochs), None),
    }


def _dated(row: sql.Row) -> dict[str, Any]:
    return {"date": f"{row['sensing_time']:%Y-%m-%d}", "valid_share": round(row["valid_share"], 3)}


def picture(connection: sql.Connection, mine: Mine) -> bytes:
    """Return a PNG: the first and the latest epoch of `mine` in true colour and classified, open alerts outlined.

    Raises WrongUse when the mine has no epoch yet, RasterError when a raster is lost.
    """
    epochs, _ = _epochs(connection, mine)
    if not epochs:
        raise WrongUse(f"{mine.slug} has no epoch yet: run `minecam run {mine.slug} --from YYYY-MM-DD`")
    alerts = [
        shapely.from_wkb(bytes(row["geom"]))
        for row in sql.run(connection, "alert_list", mine_id=mine.mine_id, closed=False)
    ]
    shown = [epochs[0]] if len(epochs) == 1 else [epochs[0], epochs[-1]]
    return sheet(
        [_column(row, alerts if row is epochs[-1] else []) for row in shown],
        title=f"{mine.name}: {'first and ' if len(shown) > 1 else ''}latest epoch, {len(alerts)} open alerts outlined",
        words=_attribution(epochs),
    )


def _column(row: sql.Row, grounds: list[BaseGeometry]) -> list[Panel]:
    scene, classes = (
        read_raster(row["raster"], row["checksum"]),
        read_raster(row["class_raster"], row["class_checksum"]),
    )
    rgb, grid = colours(scene), classes.grid
    outlines = [pixels(ring, grid) for ground in grounds for ring in rings(to_utm(ground, grid.epsg))]
    day = f"{row['sensing_time']:%Y-%m-%d}"
    return [
        Panel(rgb, f"{day}, true colour", outlines),
        Panel(overlay(classes.array[0], rgb, strength=0.65), f"{day}, {row['model']}", outlines),
    ]


def _attribution(epochs: list[sql.Row]) -> str:
    if any(name.startswith("SIM_") for row in epochs for name in row["product_ids"]):
        return "Simulated scenes, no real place"
    years = sorted({row["sensing_time"].year for row in epochs})
    return f"Contains modified Copernicus Sentinel data {years[0]}" + (f"-{years[-1]}" if len(years) > 1 else "")
