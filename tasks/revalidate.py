"""Judges an acquisition again when what it is held against has become another: one came late, or was judged otherwise.

Beside `validate`, in order of sensing, so that what becomes of an acquisition does not depend on when others came.
"""

from collections.abc import Iterator

import sql
from tasks import agenda
from tasks.lifecycle import transition
from tasks.registry import Mine
from tasks.segment import undone
from tasks.settings import settings
from tasks.validate import validate


def unsettled(connection: sql.Connection, mine: Mine, sensor_set: str) -> Iterator[sql.Row]:
    """Yield the acquisitions of a mine that are to be judged again, in order of sensing; each is, before the next."""
    after = None
    keys = {"mine_id": mine.mine_id, "sensor_set": sensor_set}
    while row := sql.run_one(connection, "acquisition_unsettled", **keys, after=after):
        yield row
        after = row["acquisition_id"]


def revalidate(connection: sql.Connection, acquisition: sql.Row, mine: Mine, *, flow_run_id: str | None = None) -> bool:
    """Judge an acquisition again; True: it is to be segmented anew, since it lies elsewhere now or was refused before.

    Where it is refused now, its epochs are superseded, and alerts expire that nothing but these have shown. What a
    person decided stays. Raises RasterError when its raster cannot be read; then nothing was written.
    """
    with connection.transaction():
        opened = sql.run_one(
            connection, "acquisition_open", acquisition_id=acquisition["acquisition_id"], states=[acquisition["state"]]
        )
        if opened is None:  # somebody has just decided on it, or it has newer products
            return False
        if not validate(connection, opened, mine, flow_run_id=flow_run_id):
            _withdraw(connection, acquisition)
            return False
        now = agenda.current(connection, acquisition)
        least = settings().min_shift_px
        if acquisition["state"] != "segmented" or undone(acquisition, least) != undone(now, least):
            return True
        sql.run(connection, "acquisition_segmented", acquisition_id=acquisition["acquisition_id"])
        return False


def _withdraw(connection: sql.Connection, acquisition: sql.Row) -> None:
    """Supersede the epochs of an acquisition that is refused, and let what only these have shown expire."""
    for epoch in sql.run(connection, "epoch_withdraw", acquisition_id=acquisition["acquisition_id"]):
        for alert in sql.run(connection, "alert_unfounded", epoch_id=epoch["epoch_id"]):
            transition(
                connection, alert_id=alert["alert_id"], from_state=alert["state"], to_state="expired",
                epoch_id=epoch["epoch_id"], why="what showed it was judged again, and refused",
            )  # fmt: skip
    sql.run(connection, "months_fill", acquisition_id=acquisition["acquisition_id"])
