"""The other acquisitions of a mine that one is held against: the one before it, and those that all are laid on.

`validate` reads them for an acquisition that it judges.
"""

import logging
from dataclasses import dataclass

import sql
from tasks.alignment import Shift
from tasks.errors import RasterError, RasterLost
from tasks.rasters import Raster, read

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class History:
    """Other acquisitions of a mine: the one `before` this, and the `references` that its shift is measured against.

    `lost`: not all of the references can be read.
    """

    before: list[Raster]
    references: list[tuple[Raster, Shift]]
    lost: bool

    @property
    def rasters(self) -> list[Raster]:
        """All of them once, the one before first."""
        return list({id(one): one for one in (*self.before, *(raster for raster, _ in self.references))}.values())


def history(connection: sql.Connection, acquisition: sql.Row) -> History:
    """Return what the acquisition is held against.

    An old raster that was lost stops no new acquisitions; the next run fetches it anew, its epoch stands meanwhile.
    """
    keys = {"acquisition_id": acquisition["acquisition_id"]}
    before, known = (sql.run(connection, f"acquisition_{name}", **keys) for name in ("previous", "reference"))
    rasters: dict[str, Raster] = {}
    for row in {row["raster"]: row for row in (*before, *known)}.values():
        try:
            rasters[row["raster"]] = read(row["raster"], row["checksum"])
        except RasterLost as error:
            log.warning("%s: it is fetched anew by the next run", error)
            sql.run(connection, "acquisition_failed", acquisition_id=row["acquisition_id"], reason=str(error))
        except RasterError:
            continue  # for now
    references = [
        (rasters[row["raster"]], (row["shift_rows"], row["shift_columns"])) for row in known if row["raster"] in rasters
    ]
    return History(
        before=[rasters[row["raster"]] for row in before if row["raster"] in rasters],
        references=references,
        lost=len(references) < len(known),
    )
