"""Rules: what raises alerts, as rows. Lists and adds them, and replays history to say what one would have raised."""

import logging
import uuid
from itertools import groupby
from operator import itemgetter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import sql
from models.labels import LABELS
from tasks import registry
from tasks.alert import advance, raise_alerts
from tasks.errors import RasterError, WrongUse

log = logging.getLogger(__name__)

PLACES = ("anywhere", "outside_licence", "inside_zone")

MINED = tuple(range(1, 10))
"""Components but for reclaimed ground."""


class Rule(BaseModel):
    """A rule to be. Classes are ids of labels, 0 is background."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = Field(min_length=1, max_length=200)
    from_classes: tuple[int, ...] = (0, 10)
    to_classes: tuple[int, ...] = MINED
    place: str = "anywhere"
    threshold_hectares: float = Field(gt=0, allow_inf_nan=False)
    confirm_n: int = Field(2, ge=1, le=100)
    confirm_m: int = Field(3, ge=1, le=100)
    expire_days: int = Field(180, ge=1, le=36_500)
    mine: str | None = None
    country: str | None = None
    commodity: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Rule":
        if self.place not in PLACES:
            raise ValueError(f"there is no place '{self.place}': choose of {', '.join(PLACES)}")
        if len(self.to_classes) == 1 and set(self.from_classes) == set(self.to_classes):
            raise ValueError("ground that stays what it is never fires: give other labels in from or to")
        if self.confirm_n > self.confirm_m:
            raise ValueError(
                f"{self.confirm_n} of {self.confirm_m} observations cannot agree: give n of m, n at most m"
            )
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
    words["from_classes"], words["to_classes"] = list(rule.from_classes), list(rule.to_classes)
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
    raster cannot be read is left out, and logged.
    """
    with connection.transaction(force_rollback=True):
        row = add(connection, rule)
        events: list[sql.Row] = []
        for slug, comparisons in groupby(
            sql.run(connection, "rule_rehearsal", rule_id=row["rule_id"]), key=itemgetter("slug")
        ):
            mine = registry.find(connection, slug)
            for comparison in comparisons:
                (epoch,) = sql.run(connection, "epoch_find", epoch_id=comparison["epoch_id"])
                try:
                    new = advance(connection, epoch, rule_id=row["rule_id"])
                except RasterError as error:
                    log.warning("%s on %s is left out: %s", slug, f"{epoch['sensing_time']:%Y-%m-%d}", error)
                    continue
                new += raise_alerts(connection, comparison, epoch, mine, [row])
                read = sql.run(connection, "alert_event_read", mine_id=mine.mine_id, events=new)
                events += [{**event, "on": epoch["sensing_time"]} for event in read]
        return events


def of_row(row: sql.Row, **changed: object) -> Rule:
    """Return the rule of a row of `listed` under a name of its own, with what is `changed`, to rehearse it.

    Raises WrongUse when what is changed makes no rule.
    """
    kept = {name: row[name] for name in Rule.model_fields if name not in ("name", "from_classes", "to_classes")}
    given = {name: value for name, value in changed.items() if value is not None}
    whole = {"from_classes": tuple(row["from_classes"]), "to_classes": tuple(row["to_classes"]), **kept, **given}
    # In SQL a rule may have any name and any words.
    return rule_of(**{**whole, "name": f"rehearsed-{uuid.uuid4().hex[:8]}", "description": "rehearsed"})
