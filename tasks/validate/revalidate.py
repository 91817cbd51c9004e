"""Judges an acquisition again when what it is held against has become another: one came late, or was judged otherwise.

Beside `validate`, in order of sensing, so that what becomes of an acquisition does not depend on when others came.
"""

import logging
from collections.abc import Iterator

import sql
from tasks import agenda
from tasks.errors import RasterError, RasterLost
from tasks.mines import Mine
from tasks.rasters import read
from tasks.settings import settings
from tasks.validate.alignment import undone
from tasks.validate.references import history
from tasks.validate.validate import validate

log = logging.getLogger(__name__)


def unsettled(connection: sql.Connection, mine: Mine, sensor_set: str) -> Iterator[sql.Row]:
    """Yield the acquisitions of a mine that are to be judged again, in order of sensing; each is, before the next."""
    after = None
    keys = {"mine_id": mine.mine_id, "sensor_set": sensor_set, "grid": str(mine.grid)}
    while row := sql.run_one(connection, "acquisition_unsettled", **keys, after=after):
        yield row
        after = row["acquisition_id"]


def revalidate(connection: sql.Connection, acquisition: sql.Row, mine: Mine, *, flow_run_id: str | None = None) -> bool:
    """Judge an acquisition of `unsettled` again; True: it is to be segmented anew, as it lies elsewhere now or was
    refused before.

    Where it is refused now, `withdraw` is to take back its epochs. What a person decided stays. It stays as it is, for
    the next run to judge, while not all rasters can be read. Raises RasterLost when its own is lost, unless it is in
    quarantine.
    """
    if not _readable(connection, acquisition):
        return False
    identity, least = acquisition["acquisition_id"], settings().min_shift_px
    with connection.transaction():
        opened = sql.run_one(connection, "acquisition_open", acquisition_id=identity, states=[acquisition["state"]])
        if opened is None:  # somebody has just decided on it, or it has newer products
            return False
        if not validate(connection, opened, mine, flow_run_id=flow_run_id):
            return False
        now = agenda.current(connection, acquisition)
        if acquisition["state"] != "segmented" or undone(acquisition, least) != undone(now, least):
            return True
        sql.run(connection, "acquisition_segmented", acquisition_id=identity)
        return False


def _readable(connection: sql.Connection, acquisition: sql.Row) -> bool:
    """Say whether all rasters can be read that a judgement needs: one by half of them would undo what is known."""
    try:
        read(acquisition["raster"], acquisition["checksum"])
    except RasterError as error:
        if isinstance(error, RasterLost) and acquisition["state"] != "quarantined":
            raise
        log.warning("%s is not judged again for now: %s", acquisition["sensing_date"], error)
        return False
    return history(connection, acquisition).ids == acquisition["references_now"]
