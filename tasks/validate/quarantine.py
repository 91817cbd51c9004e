"""The quarantine: acquisitions that validation refused, and what people decide on them.

Beside the flow of data: what is released is segmented by the next run, what is rejected is never judged again. What
waits is judged again when a rule or a setting has changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg import Rollback

import sql
from tasks import agenda
from tasks.errors import RasterError, WrongUse
from tasks.mines import Mine
from tasks.rasters import Panel, colours, read_raster, sheet
from tasks.records import Acquisition, advance, current
from tasks.settings import settings
from tasks.suites import PREVIEW, judge, record, suite
from tasks.text import LONGEST_NOTES, clean, fit
from tasks.validate.validate import validate

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
    panel = Panel(colours(read_raster(row["raster"], row["checksum"])), f"{row['sensing_time']:%Y-%m-%d %H:%M} UTC")
    return sheet([[panel]], title=f"{row['mine']}, in quarantine", words="; ".join(row["reasons"]), legend=False)


@dataclass(frozen=True)
class Judged:
    """What became of an acquisition that was judged again: its state, and its reasons before and now."""

    acquisition_id: int
    mine: str
    sensing_time: datetime
    state: str
    before: list[str]
    reasons: list[str]

    @property
    def changed(self) -> bool:
        """Whether it left the quarantine, or stays there for other reasons."""
        return self.state != "quarantined" or self.before != self.reasons


def judge_again(connection: sql.Connection, mine: Mine) -> Iterator[Judged]:
    """Judge what waits in the quarantine of `mine` by the suites and settings of today, in order of sensing.

    Nothing is downloaded. What passes is accepted, and the next run segments it; what was refused by a preview is
    judged by the figures of that preview, and the next run downloads it. Each is recorded by itself, and only where
    something changed, so a run that was killed is simply made again. Raises Busy while a run has the mine.
    """
    with agenda.one_run_at_a_time(connection, mine) as mine:
        for row in listed(connection, mine.slug):
            (was,) = sql.fetch(connection, Acquisition, "acquisition_find", acquisition_id=row["acquisition_id"])
            try:
                with connection.transaction():
                    now = (_judge_raster if was.raster else _judge_preview)(connection, was, mine)
                    if now.state == "quarantined" and now.reasons == was.reasons:
                        raise Rollback  # as it was: nothing to record
                reasons = now.reasons
            except RasterError as error:
                now, reasons = was, [f"{error}: `minecam run {mine.slug} --rerun`"]
            yield Judged(was.acquisition_id, mine.slug, was.sensing_time, now.state, was.reasons, reasons)


def _judge_raster(connection: sql.Connection, acquisition: Acquisition, mine: Mine) -> Acquisition:
    keys = {"acquisition_id": acquisition.acquisition_id, "states": ["quarantined"]}
    if opened := sql.fetch_one(connection, Acquisition, "acquisition_open", **keys):
        return validate(connection, opened, mine)
    return current(connection, acquisition)  # somebody has just decided on it


def _judge_preview(connection: sql.Connection, acquisition: Acquisition, mine: Mine) -> Acquisition:
    known = sql.run_one(connection, "preview_figures", acquisition_id=acquisition.acquisition_id)
    if known is None:
        return current(connection, acquisition)
    judgement = judge(figures=known["figures"], checks=suite(PREVIEW, settings()))
    record(connection, acquisition, suite=PREVIEW, judgement=judgement, figures=known["figures"])
    return advance(connection, acquisition, "preview_judge", passed=judgement.passed, reasons=judgement.reasons)


def _quarantined(connection: sql.Connection, acquisition_id: int) -> sql.Row:
    row = sql.run_one(connection, "quarantine_lock", acquisition_id=acquisition_id)
    if row is not None and row["superseded_at"] is not None:
        raise WrongUse(f"acquisition {acquisition_id} has newer products: `minecam quarantine list` shows what waits")
    if row is None or row["state"] != "quarantined":
        state = f"is {row['state']}" if row else "does not exist"
        raise WrongUse(f"acquisition {acquisition_id} {state}: `minecam quarantine list` shows those in quarantine")
    return row
