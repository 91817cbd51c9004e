"""Rules: what raises alerts, as rows. Lists and adds them, and replays history to say what one would have raised."""

import logging
import math
import uuid
from itertools import groupby
from operator import attrgetter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

import sql
from models.labels import LABELS
from tasks.alert.alert import advance, raise_alerts
from tasks.alert.measures import OF_CALENDAR, OF_CHANGE, OF_GROWTH, severity
from tasks.alert.observation import Observation
from tasks.errors import RasterError, WrongUse
from tasks.mines import registry
from tasks.records import Comparison, Epoch
from tasks.text import clean

log = logging.getLogger(__name__)

PLACES = ("anywhere", "outside_licence", "inside_zone")
MEASURES = ("transition", "hectares", "patch", "growth", "growth_percent", "unseen", "silent", "given_up")

KNOWN = frozenset(label.id for label in LABELS)


class Rule(BaseModel):
    """A rule to be. Classes are ids of labels, 0 is background; `threshold` is in the unit of `measure`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = Field(min_length=1, max_length=200)
    measure: str = "transition"
    from_classes: tuple[int, ...] = ()
    to_classes: tuple[int, ...] = ()
    place: str = "anywhere"
    threshold: float = Field(gt=0, allow_inf_nan=False)
    window_days: int | None = Field(None, ge=1, le=36_500)
    severity_steps: tuple[float, ...] = (2.0, 5.0)
    confirm_n: int = Field(2, ge=1, le=100)
    confirm_m: int = Field(3, ge=1, le=100)
    expire_days: int = Field(180, ge=1, le=36_500)
    cooldown_days: int = Field(30, ge=0, le=36_500)
    mine: str | None = None
    country: str | None = None
    commodity: str | None = None

    @field_validator("description", "country", "commodity", mode="before")
    @classmethod
    def _words(cls, given: Any) -> Any:
        return clean(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _sound(self) -> "Rule":
        of_change, of_calendar = self.measure == OF_CHANGE, self.measure in OF_CALENDAR
        wrong = {
            f"there is no measure '{self.measure}': choose of {', '.join(MEASURES)}": self.measure not in MEASURES,
            f"there is no place '{self.place}': choose of {', '.join(PLACES)}": self.place not in PLACES,
            f"{self.measure} is measured of the whole mine: leave the place out": (
                self.place != "anywhere" and self.measure in (*OF_GROWTH, *OF_CALENDAR)
            ),
            "there is no label of such a number": not {*self.from_classes, *self.to_classes} <= KNOWN,
            "name the labels that the ground has now": not self.to_classes and not of_calendar,
            f"{self.measure} looks at no labels: leave them out": bool(self.to_classes) and of_calendar,
            "only a transition has labels that the ground had before": bool(self.from_classes) != of_change,
            "ground that stays what it is never fires: give other labels in from or to": (
                of_change and len(self.to_classes) == 1 and set(self.from_classes) == set(self.to_classes)
            ),
            f"say over how many days {self.measure} is measured": (
                self.measure in OF_GROWTH and self.window_days is None
            ),
            "only growth is measured over a window": self.measure not in OF_GROWTH and self.window_days is not None,
            f"{self.confirm_n} of {self.confirm_m} observations cannot agree: give n of m, n at most m": (
                self.confirm_n > self.confirm_m
            ),
            "give the severity steps as rising multiples above 1": (
                list(self.severity_steps) != sorted({*self.severity_steps})
                or any(not 1 < x < math.inf for x in self.severity_steps)
            ),
        }
        for why, is_so in wrong.items():
            if is_so:
                raise ValueError(why)
        return self


def rule_of(**words: Any) -> Rule:
    """Return the rule of `words`; raises WrongUse that says what is wrong with the first of them that is."""
    try:
        return Rule(**words)
    except ValidationError as error:
        first = error.errors()[0]
        field = "".join(f"{part}: " for part in first["loc"][:1])
        raise WrongUse(f"{field}{first['msg'].removeprefix('Value error, ')}") from None


def classes(names: str) -> tuple[int, ...]:
    """Return the ids of the labels in `names`, parted by commas; raises WrongUse for an unknown one."""
    known = {label.name: label.id for label in LABELS}
    given = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in given if name not in known]:
        raise WrongUse(f"there is no label '{unknown[0]}': choose of {', '.join(known)}")
    if not given:
        raise WrongUse(f"name at least one label of {', '.join(known)}")
    return tuple(known[name] for name in given)


def listed(connection: sql.Connection, name: str | None = None) -> list[sql.Row]:
    """Return all rules, or the one called `name`, with the names of classes; raises WrongUse when there is none."""
    rows = sql.run(connection, "rule_list", name=name)
    if name is not None and not rows:
        raise WrongUse(f"there is no rule '{name}': `minecam rule list` shows them")
    return rows


def add(connection: sql.Connection, rule: Rule) -> sql.Row:
    """Add `rule` and return its row; raises WrongUse when its name is taken or its mine is not known."""
    words = rule.model_dump(exclude={"mine"})
    words |= {name: list(words[name]) for name in ("from_classes", "to_classes", "severity_steps")}
    words["mine_id"] = None if rule.mine is None else registry.find(connection, rule.mine).mine_id
    rows = sql.run(connection, "rule_add", **words)
    if not rows:
        raise WrongUse(f"there is a rule '{rule.name}' already: give another name")
    return rows[0]


def mines_of(connection: sql.Connection, rule: sql.Row) -> int:
    """Return how many mines the rule of row `rule` is for."""
    (row,) = sql.run(connection, "rule_mines", rule_id=rule["rule_id"])
    return int(row["mines"])


def enable(connection: sql.Connection, name: str, *, enabled: bool) -> None:
    """Let a rule raise alerts, or no more; alerts that stand are carried on. Raises WrongUse for an unknown one."""
    if not sql.run(connection, "rule_enable", name=name, enabled=enabled):
        raise WrongUse(f"there is no rule '{name}': `minecam rule list` shows them")


def rehearse(connection: sql.Connection, rule: Rule) -> list[sql.Row]:
    """Return the events that `rule` would have left in the history of its mines, in their order; writes nothing.

    Every current comparison is gone through again by the code that raises alerts, and rolled back. One whose class
    raster cannot be read is left out, and logged. A rule that looks at the calendar is held against the gaps between
    looks.
    """
    with connection.transaction(force_rollback=True):
        row = add(connection, rule)
        if rule.measure in OF_CALENDAR:
            gaps = sql.run(connection, f"rehearse_{rule.measure}", rule_id=row["rule_id"])
            known = {"alert_id": None, "from_state": None, "to_state": "confirmed", "measure": rule.measure}
            return [{**gap, **known, "severity": severity(gap["measured"], row)} for gap in gaps]
        events: list[sql.Row] = []
        mines = {mine.mine_id: mine for mine in registry.mines(connection)}
        every = sql.fetch(connection, Comparison, "rule_rehearsal", rule_id=row["rule_id"])
        for mine_id, comparisons in groupby(every, key=attrgetter("mine_id")):
            mine = mines[mine_id]
            for comparison in comparisons:
                (epoch,) = sql.fetch(connection, Epoch, "epoch_find", epoch_id=comparison.epoch_id)
                observation = Observation(connection, comparison, epoch, mine)
                try:
                    new = advance(observation, rule_id=row["rule_id"])
                except RasterError as error:
                    log.warning("%s on %s is left out: %s", mine.slug, f"{epoch.sensing_time:%Y-%m-%d}", error)
                    continue
                new += raise_alerts(observation, [row])
                read = sql.run(connection, "alert_event_read", mine_id=mine.mine_id, events=new)
                events += [{**event, "on": epoch.sensing_time} for event in read]
        return events


def of_row(row: sql.Row, **changed: object) -> Rule:
    """Return the rule of a row of `listed` under a name of its own, with what is `changed`, to rehearse it.

    Raises WrongUse when what is changed makes no rule.
    """
    kept = {name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in Rule.model_fields}
    given = {name: value for name, value in changed.items() if value is not None}
    # In SQL a rule may have any name and any words.
    return rule_of(**{**kept, **given, "name": f"rehearsed-{uuid.uuid4().hex[:8]}", "description": "rehearsed"})
