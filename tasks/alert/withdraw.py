"""Takes back what rests on acquisitions that are refused now: their epochs, and alerts that nothing else has shown.

Stands between the judging and `compare`. It asks the rows what is left to take back, so a killed run loses nothing.
"""

import sql
from tasks.alert.lifecycle import transition
from tasks.mines import Mine


def withdraw(connection: sql.Connection, mine: Mine) -> int:
    """Supersede the epochs of acquisitions of `mine` that are in quarantine now; return how many there were.

    Provisional alerts expire that nothing but these epochs has shown. One transaction.
    """
    with connection.transaction():
        epochs = sql.run(connection, "epoch_withdraw", mine_id=mine.mine_id)
        for epoch in epochs:
            for alert in sql.run(connection, "alert_unfounded", epoch_id=epoch["epoch_id"]):
                transition(
                    connection, alert_id=alert["alert_id"], from_state=alert["state"], to_state="expired",
                    epoch_id=epoch["epoch_id"], why="what showed it was judged again, and refused",
                )  # fmt: skip
        for acquisition_id in {epoch["acquisition_id"] for epoch in epochs}:
            sql.run(connection, "months_fill", acquisition_id=acquisition_id)
    return len(epochs)
