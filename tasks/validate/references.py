"""The earlier acquisitions of a mine that one is held against: the one before it, and those that all are laid on.

`validate` reads them for an acquisition that it judges.
"""

import logging
from dataclasses import dataclass

import sql
from tasks.errors import RasterError, RasterLost
from tasks.rasters import Raster, read
from tasks.validate.alignment import Shift

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class History:
    """Earlier acquisitions of a mine: the one `before` this, and the `references` that its shift is measured against.

    `ids`: of all that could be read, in order. `lost`: not all of the references can be read.
    """

    before: list[Raster]
    references: list[tuple[Raster, Shift]]
    ids: list[int]
    lost: bool

    @property
    def rasters(self) -> list[Raster]:
        """All of them once, the one before first."""
        return list({id(one): one for one in (*self.before, *(raster for raster, _ in self.references))}.values())


def history(connection: sql.Connection, acquisition: sql.Row) -> History:
    """Return what the acquisition is held against.

    An old raster that was lost stops no new acquisitions; the next run fetches it anew, its epoch stands meanwhile.
    """
    keys = {name: acquisition[name] for name in ("mine_id", "sensor_set", "acquisition_id")}
    known = sql.run(connection, "acquisition_reference", **keys)
    read_ones: list[tuple[sql.Row, Raster]] = []
    for row in known:
        try:
            read_ones.append((row, read(row["raster"], row["checksum"])))
        except RasterLost as error:
            log.warning("%s: it is fetched anew by the next run", error)
            sql.run(connection, "acquisition_failed", acquisition_id=row["acquisition_id"], reason=str(error))
        except RasterError:
            continue  # for now
    references = [(raster, (row["shift_rows"], row["shift_columns"])) for row, raster in read_ones if _laid(row)]
    return History(
        before=[raster for row, raster in read_ones if row["is_previous"]],
        references=references,
        ids=sorted(row["acquisition_id"] for row, _ in read_ones),
        lost=len(references) < sum(map(_laid, known)),
    )


def _laid(row: sql.Row) -> bool:
    return row["shift_rows"] is not None
