"""What people edit of a mine that is registered: another AOI or licence, other words; watched no more, or again.

What stood there before is kept (`mine_edit`). Whoever edits holds the mine (`agenda.one_run_at_a_time`), so that no run
goes on with what was before.
"""

import json
from dataclasses import dataclass
from datetime import date

import shapely
from shapely.geometry.base import BaseGeometry

import sql
from tasks.errors import WrongUse
from tasks.mines.outline import sound, sound_aoi
from tasks.mines.registry import Mine, find, fitted
from tasks.settings import settings
from tasks.text import LONGEST_NOTES, clean, fit

EDITABLE = ("name", "country", "commodity", "operator", "mine_type", "model", "notes")


@dataclass(frozen=True)
class Past:
    """What there is of a mine: current epochs, the first day of them, and how many are `before` today's AOI.

    `alerts` are the ids of those that stand, `outside_licence` of those that a rule outside the licence raised.
    """

    epochs: int
    first_day: date | None
    before: int
    alerts: list[int]
    outside_licence: list[int]


def edit(
    connection: sql.Connection,
    mine: Mine,
    *,
    who: str,
    why: str,
    aoi: BaseGeometry | None = None,
    licence: BaseGeometry | None = None,
    no_licence: bool = False,
    words: dict[str, str] | None = None,
) -> Mine:
    """Give a mine another AOI or licence (EPSG:4326), or other `words`, and return it as it stands then.

    One transaction. Epochs stay, as epochs of the AOI of their day: what lies outside that they did not see. Raises
    WrongUse when an outline cannot be used, nothing would change, or there is no reason; ModelError for an unknown
    model.
    """
    who, why = _said(who, why)
    limit = settings().max_aoi_km2
    ground = None if aoi is None else sound_aoi(aoi, max_km2=limit).geometry
    permit = None if licence is None else sound(licence, max_km2=limit, what="licence").geometry
    if ground is not None and ground.equals(mine.aoi):
        ground = None
    if permit is not None and mine.licence is not None and permit.equals(mine.licence):
        permit = None
    other = {word: text for word, text in fitted(words or {}).items() if text != getattr(mine, word)}
    if ground is None and permit is None and not other and not (no_licence and mine.licence is not None):
        raise WrongUse(f"nothing of '{mine.slug}' would change: it has these outlines and words already")
    with connection.transaction():
        sql.run(
            connection, "mine_edit", mine_id=mine.mine_id, who=who, why=why, words=json.dumps(other),
            no_licence=no_licence, aoi=None if ground is None else shapely.to_wkb(ground),
            licence=None if permit is None else shapely.to_wkb(permit),
        )  # fmt: skip
        if ground is not None:
            sql.run(connection, "months_fill_mine", mine_id=mine.mine_id)
    return find(connection, mine.slug)


def retire(connection: sql.Connection, mine: Mine, *, who: str, why: str) -> Mine:
    """Let a mine be watched no more: not searched, not counted as silent. All that is known of it stays.

    Raises WrongUse when it is retired already, or there is no reason.
    """
    return _watched(connection, mine, who, why, retired=True)


def resume(connection: sql.Connection, mine: Mine, *, who: str, why: str) -> Mine:
    """Let a retired mine be watched again; raises WrongUse when it is watched, or there is no reason."""
    return _watched(connection, mine, who, why, retired=False)


def _watched(connection: sql.Connection, mine: Mine, who: str, why: str, *, retired: bool) -> Mine:
    who, why = _said(who, why)
    if not sql.run(connection, "mine_retire", mine_id=mine.mine_id, retired=retired, who=who, why=why):
        raise WrongUse(
            f"mine '{mine.slug}' is {'retired already' if retired else 'watched: there is nothing to resume'}"
        )
    return find(connection, mine.slug)


def past(connection: sql.Connection, mine: Mine) -> Past:
    """Return what there is of a mine."""
    (row,) = sql.run(connection, "mine_past", mine_id=mine.mine_id)
    return Past(**row)


def _said(who: str, why: str) -> tuple[str, str]:
    if not clean(why):
        raise WrongUse("say why: an auditor will want to know")
    return fit(who, "name of who decides"), fit(why, "reason", most=LONGEST_NOTES, lines=True)
