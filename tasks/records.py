"""What flows from step to step: acquisitions, epochs and comparisons, each as its row stands.

They are frozen. A step takes one and returns its next state, so that nothing is asked for twice. The fields are the
columns of the tables; `\\d+ acquisition` in psql has a comment on each.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sql

State = Literal["discovered", "downloaded", "accepted", "quarantined", "segmented", "failed"]
Shift = tuple[float, float]
"""Rows and columns, in pixels, by which a scene lies off those that it is laid on: too far south, too far east."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """One sensing of one mine by one collection on one day, for one sensor set; times in UTC, shares 0-1.

    `cloud_cover` is the catalog's, of the whole tile; `aoi_coverage`, `valid_share` and `cloud_share` were measured of
    the AOI. `raster` is an address, `checksum` its SHA-256. `reasons` say why it was quarantined, failed, or waits.
    `held_against` are the acquisitions that it was judged beside.
    """

    acquisition_id: int
    mine_id: int
    sensor_set: str
    collection: str
    orbit_direction: str = ""
    sensing_date: date
    sensing_time: datetime
    published_at: datetime | None = None
    product_ids: list[str]
    baseline: str | None = None
    cloud_cover: float | None = None
    state: State
    reasons: list[str]
    tries: int
    raster: str | None = None
    checksum: str | None = None
    processing_units: float = 0.0
    aoi_coverage: float | None = None
    valid_share: float | None = None
    cloud_share: float | None = None
    shift_rows: float | None = None
    shift_columns: float | None = None
    held_against: list[int] | None = None
    discovered_at: datetime
    downloaded_at: datetime | None = None
    validated_at: datetime | None = None
    segmented_at: datetime | None = None
    failed_at: datetime | None = None
    superseded_at: datetime | None = None
    superseded_why: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether validation found nothing wrong with it."""
        return self.state in ("accepted", "segmented")

    @property
    def shift(self) -> Shift | None:
        """By how much it lies off; None: not known."""
        rows, columns = self.shift_rows, self.shift_columns
        return None if rows is None or columns is None else (rows, columns)

    @property
    def image(self) -> tuple[str, str | None]:
        """The address of its raster and the checksum; raises ValueError before it is downloaded."""
        if self.raster is None:
            raise ValueError(f"acquisition {self.acquisition_id} is {self.state}: it has no raster")
        return self.raster, self.checksum


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """An accepted, segmented acquisition by one model; `valid_hectares` of `aoi_hectares` were truly observed.

    `model_checksum` is the SHA-256 of the weights, `class_raster` and `confidence_raster` are addresses.
    """

    epoch_id: int
    acquisition_id: int
    mine_id: int
    sensor_set: str
    orbit_direction: str
    sensing_time: datetime
    model: str
    model_checksum: str
    code_version: str
    flow_run_id: str | None
    class_raster: str
    class_checksum: str
    confidence_raster: str
    confidence_checksum: str
    aoi_hectares: float
    valid_hectares: float
    created_at: datetime
    superseded_at: datetime | None
    superseded_why: str | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """An epoch held against what was seen before it; hectares are `valid` on both sides, `unknown`, or `changed`.

    `previous_epochs` are those that gave the previous observation of at least one pixel, latest first.
    """

    comparison_id: int
    epoch_id: int
    mine_id: int
    previous_epochs: list[int]
    valid_hectares: float
    unknown_hectares: float
    changed_hectares: float
    flow_run_id: str | None
    created_at: datetime
    checked_at: datetime
    superseded_at: datetime | None
    superseded_why: str | None


def advance(connection: sql.Connection, acquisition: Acquisition, query: str, /, **figures: Any) -> Acquisition:
    """Run the query that moves an acquisition on and return its next state.

    Where it was not in a state from which it goes on like that, somebody else has moved it: as it stands.
    """
    identity = acquisition.acquisition_id
    moved = sql.fetch_one(connection, Acquisition, query, acquisition_id=identity, **figures)
    return moved or current(connection, acquisition)


def current(connection: sql.Connection, acquisition: Acquisition) -> Acquisition:
    """Return an acquisition as it stands now."""
    (row,) = sql.fetch(connection, Acquisition, "acquisition_find", acquisition_id=acquisition.acquisition_id)
    return row
