"""The earlier acquisitions of a mine that one is held against: the one before it, and those that all are laid on.

`validate` reads them for an acquisition that it judges.
"""

import logging
from dataclasses import dataclass

import sql
from tasks.errors import RasterError, RasterLost
from tasks.rasters import Raster, read_raster
from tasks.records import Acquisition, Shift

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An earlier acquisition as `acquisition_reference.sql` gives it; `is_previous`: the one just before."""

    acquisition_id: int
    raster: str
    checksum: str
    shift_rows: float | None
    shift_columns: float | None
    is_previous: bool

    @property
    def shift(self) -> Shift | None:
        """How it lies itself; None where it is laid on nothing."""
        return None if self.shift_rows is None or self.shift_columns is None else (self.shift_rows, self.shift_columns)


@dataclass(frozen=True)
class References:
    """Earlier acquisitions of a mine: the one `before` this, and those that its shift is `measured_against`.

    `ids`: of all that could be read, in order. `complete`: all could be. `lost`: not all of those with a shift.
    """

    before: list[Raster]
    measured_against: list[tuple[Raster, Shift]]
    ids: list[int]
    complete: bool
    lost: bool

    @property
    def rasters(self) -> list[Raster]:
        """All of them once, the one before first."""
        every = (*self.before, *(raster for raster, _ in self.measured_against))
        return list({id(one): one for one in every}.values())


def references(connection: sql.Connection, acquisition: Acquisition) -> References:
    """Return what the acquisition is held against.

    An old raster that was lost stops no new acquisitions; the next run fetches it anew, its epoch stands meanwhile.
    """
    known = sql.fetch(
        connection, Reference, "acquisition_reference",
        mine_id=acquisition.mine_id, sensor_set=acquisition.sensor_set, acquisition_id=acquisition.acquisition_id,
    )  # fmt: skip
    found: list[tuple[Reference, Raster]] = []
    for reference in known:
        try:
            found.append((reference, read_raster(reference.raster, reference.checksum)))
        except RasterLost as error:
            log.warning("%s: it is fetched anew by the next run", error)
            sql.run(connection, "acquisition_failed", acquisition_id=reference.acquisition_id, reason=str(error))
        except RasterError:
            continue  # for now
    measured_against = [(raster, reference.shift) for reference, raster in found if reference.shift is not None]
    return References(
        before=[raster for reference, raster in found if reference.is_previous],
        measured_against=measured_against,
        ids=sorted(reference.acquisition_id for reference, _ in found),
        complete=len(found) == len(known),
        lost=len(measured_against) < sum(reference.shift is not None for reference in known),
    )
