"""The quarantine: acquisitions that validation refused, and what people decide on them.

Beside the flow of data: what is released is segmented by the next run, what is rejected is never judged again.
"""

import sql
from tasks.errors import WrongUse
from tasks.pictures import Panel, colours, sheet
from tasks.rasters import read
from tasks.words import LONGEST_NOTES, clean, fit

DECISIONS = {"release": "released", "reject": "rejected"}


def listed(connection: sql.Connection, mine: str | None = None) -> list[sql.Row]:
    """Return what waits for a decision, with its reasons; of one mine (slug), or of all."""
    return sql.run(connection, "quarantine_list", mine=mine)


def decide(connection: sql.Connection, acquisition_id: int, decision: str, *, who: str, why: str) -> sql.Row:
    """Let a person `release` or `reject` an acquisition and return its row as it was.

    Raises WrongUse when it is not in quarantine, was rejected before, or there is no reason.
    """
    if not clean(why):
        raise WrongUse("say why: an auditor will want to know")
    who, why = fit(who, "name of who decides"), fit(why, "reason", most=LONGEST_NOTES, lines=True)
    with connection.transaction():
        row = _quarantined(connection, acquisition_id)
        if row["rejected"] and decision == "reject":
            raise WrongUse(f"acquisition {acquisition_id} is rejected already")
        sql.run(
            connection, "quarantine_decide", acquisition_id=acquisition_id, decision=DECISIONS[decision], who=who,
            why=why,
        )  # fmt: skip
    return row


def picture(connection: sql.Connection, acquisition_id: int) -> bytes:
    """Return a PNG of an acquisition in quarantine, in true colour, with its reasons.

    Raises WrongUse when it is not in quarantine, RasterError when its raster cannot be read.
    """
    row = _quarantined(connection, acquisition_id)
    if row["raster"] is None:
        raise WrongUse(
            f"acquisition {acquisition_id} was never downloaded: `minecam quarantine release` lets the next run do so"
        )
    panel = Panel(colours(read(row["raster"], row["checksum"])), f"{row['sensing_time']:%Y-%m-%d %H:%M} UTC")
    return sheet([[panel]], title=f"{row['mine']}, in quarantine", words="; ".join(row["reasons"]))


def _quarantined(connection: sql.Connection, acquisition_id: int) -> sql.Row:
    row = sql.run_one(connection, "quarantine_lock", acquisition_id=acquisition_id)
    if row is not None and row["superseded_at"] is not None:
        raise WrongUse(f"acquisition {acquisition_id} has newer products: `minecam quarantine list` shows what waits")
    if row is None or row["state"] != "quarantined":
        state = f"is {row['state']}" if row else "does not exist"
        raise WrongUse(f"acquisition {acquisition_id} {state}: `minecam quarantine list` shows those in quarantine")
    return row
