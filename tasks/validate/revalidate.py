"""Judges an acquisition again when what it is held against has become another: one came late, or was judged otherwise.

Beside `validate`, in order of sensing, so that what becomes of an acquisition does not depend on when others came.
"""

import logging
from collections.abc import Iterator

import sql
from tasks.errors import RasterError, RasterLost
from tasks.mines import Mine
from tasks.rasters import read_raster
from tasks.records import Acquisition, advance
from tasks.settings import settings
from tasks.validate.alignment import undone
from tasks.validate.references import references
from tasks.validate.validate import validate

log = logging.getLogger(__name__)


def unsettled(connection: sql.Connection, mine: Mine, sensor_set: str) -> Iterator[Acquisition]:
    """Yield the acquisitions of a mine that are to be judged again, in order of sensing; each is, before the next."""
    after = None
    keys = {"mine_id": mine.mine_id, "sensor_set": sensor_set, "grid": str(mine.grid)}
    while acquisition := sql.fetch_one(connection, Acquisition, "acquisition_unsettled", **keys, after=after):
        yield acquisition
        after = acquisition.acquisition_id


def revalidate(
    connection: sql.Connection, acquisition: Acquisition, mine: Mine, *, flow_run_id: str | None = None
) -> tuple[Acquisition, bool]:
    """Judge an acquisition of `unsettled` again; return it as it stands then, and whether it is to be segmented anew.

    It is where it lies elsewhere now or was refused before. Where it is refused now, `withdraw` is to take back its
    epochs. What a person decided stays. It stays as it is, for the next run to judge, while not all rasters can be
    read. Raises RasterLost when its own is lost, unless it is in quarantine.
    """
    if not _readable(connection, acquisition):
        return acquisition, False
    identity, least = acquisition.acquisition_id, settings().min_shift_px
    with connection.transaction():
        opened = sql.fetch_one(
            connection, Acquisition, "acquisition_open", acquisition_id=identity, states=[acquisition.state]
        )
        if opened is None:  # somebody has just decided on it, or it has newer products
            return acquisition, False
        judged = validate(connection, opened, mine, flow_run_id=flow_run_id)
        if not judged.accepted:
            return judged, False
        if acquisition.state != "segmented" or undone(acquisition, least) != undone(judged, least):
            return judged, True
        return advance(connection, judged, "acquisition_segmented"), False


def _readable(connection: sql.Connection, acquisition: Acquisition) -> bool:
    """Say whether all rasters can be read that a judgement needs: one by half of them would undo what is known."""
    try:
        read_raster(*acquisition.image)
    except RasterError as error:
        if isinstance(error, RasterLost) and acquisition.state != "quarantined":
            raise
        log.warning("%s is not judged again for now: %s", acquisition.sensing_date, error)
        return False
    return references(connection, acquisition).complete
