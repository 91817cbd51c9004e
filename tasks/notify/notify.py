"""Delivers events of alerts: a Prefect artifact with a picture, a Prefect event, and notification blocks.

The last step of the flow of data. Which block is told of what, and at once or in a digest, are `routes`. Each block is
told of each event at least once, and again only where a run was killed between telling it and recording that; the
number of the event is in the message. No message is longer than its channel takes, and each is recorded by itself: what
cannot be delivered stays so, and the next run tries it again.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from operator import itemgetter

import sql
from tasks.alert import unit
from tasks.errors import WrongUse
from tasks.mines import Mine
from tasks.notify import routes
from tasks.notify.channel import receiver, room
from tasks.notify.evidence import picture
from tasks.notify.messages import Message, Room, digest, single
from tasks.notify.notice import markdown, subject
from tasks.rasters import address
from tasks.settings import settings
from tasks.text import one_line

log = logging.getLogger(__name__)

PREFECT = "prefect"
"""In the table `delivery`: the artifact and the Prefect event, which every event of an alert has."""


def notify(connection: sql.Connection, mine: Mine | None = None) -> int:
    """Deliver what waits: the events of `mine`, just raised or left by earlier runs; without it, all, and the digests.

    Returns how many events have now been told to all who are to know. A receiver that is down or refuses is logged,
    holds up nobody else, and never stops the run.
    """
    with _one_at_a_time(connection):
        waiting = sql.run(connection, "alert_event_read", mine_id=mine and mine.mine_id, events=None)
        if not waiting:
            return 0  # most runs: Prefect is not asked for blocks
        # What was refused before comes last, so that it holds up nothing else.
        waiting.sort(key=itemgetter("tries"))
        log.info("%s: %d events of alerts to deliver", mine.slug if mine else "fleet", len(waiting))
        delivery = Delivery(connection, waiting)
        for event in waiting:
            delivery.tell(PREFECT, [event], _tell_prefect)
            for block in delivery.recipients(event).at_once:
                delivery.tell(block, [event], _tell_of_one)
        if mine is None:
            collected: dict[str, list[sql.Row]] = {}
            for event in waiting:
                for block in delivery.recipients(event).digest:
                    collected.setdefault(block, []).append(event)
            for block, events in collected.items():
                delivery.tell_in_digests(block, events)
        return delivery.close()


class Delivery:
    """One round of deliveries of `waiting` events; a block that fails is left alone until the next round."""

    def __init__(self, connection: sql.Connection, waiting: Sequence[sql.Row]) -> None:
        self._connection = connection
        self._routes = routes.listed(connection) or routes.default(_is_there(settings().notification_block))
        self._left = {event["alert_event_id"]: self._blocks(event) - set(event["told"]) for event in waiting}
        self._down: set[str] = set()

    def recipients(self, event: sql.Row) -> routes.Recipients:
        """Return the notification blocks that are to be told of `event`."""
        return routes.recipients(event, self._routes)

    def tell(self, block: str, events: Sequence[sql.Row], send: Callable[[str, Sequence[sql.Row]], None]) -> None:
        """Have `send` tell `block` of those of `events` that it does not know, and record what became of it."""
        new = self._new(block, events)
        if not new:
            return
        keys = {"events": [event["alert_event_id"] for event in new], "block": block}
        try:
            send(block, new)
        except Exception as error:  # whatever a receiver raises: it must not stop the watching
            problem = _without_addresses(error)
            sql.run(self._connection, "delivery_failed", problem=problem, **keys)
            self._down.add(block)
            log.warning(
                "the notification block '%s' cannot be told (%s): check it; the next run tries again", block, problem
            )
            return
        sql.run(self._connection, "delivery_done", **keys)
        for event_id in keys["events"]:
            self._left[event_id].discard(block)

    def tell_in_digests(self, block: str, events: Sequence[sql.Row]) -> None:
        """Tell `block` of those of `events` that it does not know, in as many messages as that takes."""
        new = self._new(block, events)
        for part in digest(new, _room(block, new)) if new else []:
            self.tell(block, part.events, partial(_tell_of_part, part))

    def close(self) -> int:
        """Record which events all have been told of who are to know, and return how many these are."""
        done = [event_id for event_id, left in self._left.items() if not left]
        sql.run(self._connection, "alert_event_delivered", events=done)
        if waiting := len(self._left) - len(done):
            log.info("%d events of alerts wait for a digest or the next run", waiting)
        return len(done)

    def _new(self, block: str, events: Sequence[sql.Row]) -> list[sql.Row]:
        """Return those of `events` that `block` can be told of now."""
        return [e for e in events if block in self._left[e["alert_event_id"]] and block not in self._down]

    def _blocks(self, event: sql.Row) -> set[str]:
        ways = self.recipients(event)
        return {PREFECT, *ways.at_once, *ways.digest}


@contextmanager
def _one_at_a_time(connection: sql.Connection) -> Iterator[None]:
    """Wait until no other run delivers, so that none is told twice; a killed run lets go."""
    sql.run(connection, "notify_lock")
    try:
        yield
    finally:
        if not connection.closed:
            sql.run(connection, "notify_unlock")


def _is_there(name: str) -> bool:
    try:
        return receiver(name) is not None
    except WrongUse:
        return True  # there are several: the delivery says so, and waits


def _send(name: str, title: str, text: str) -> None:
    """Send a message through block `name`, `notify_attempts` times at most; raises what the last try raised."""
    given = settings()
    block = receiver(name)
    if block is None:
        raise WrongUse(f"there is no notification block '{name}': make it, or `minecam route remove` what names it")
    for attempt in range(1, given.notify_attempts + 1):
        try:
            with block.raise_on_failure():  # without it the block logs a failure and says nothing
                block.notify(text, title)
            return
        except Exception:
            if attempt == given.notify_attempts:
                raise
            time.sleep(given.notify_retry_seconds * attempt)


def _room(name: str, events: Sequence[sql.Row]) -> Room:
    """Return what block `name` takes of a message about `events`; where it cannot be asked, sending says why."""
    try:
        return room(receiver(name), careful=any(name in event["refused"] for event in events))
    except Exception:
        return Room()


def _tell_of_one(block: str, events: Sequence[sql.Row]) -> None:
    message = single(events[0], _room(block, events))
    _send(block, message.subject, message.body)


def _tell_of_part(part: Message, block: str, _: Sequence[sql.Row]) -> None:
    _send(block, part.subject, part.body)


def _tell_prefect(_: str, events: Sequence[sql.Row]) -> None:
    """Write the artifact, then emit the event; both may be repeated."""
    (event,) = events
    from prefect.artifacts import create_markdown_artifact
    from prefect.events import emit_event

    png = picture(event)
    shown = address(png) if png else None
    create_markdown_artifact(markdown(event, shown), key=f"alert-{event['alert_id']}", description=subject(event))
    emit_event(
        f"minecam.alert.{event['to_state']}",
        resource={
            "prefect.resource.id": f"minecam.mine.{event['slug']}" if event["slug"] else "minecam.fleet",
            "prefect.resource.name": event["mine"] or "fleet",
            "minecam.alert": str(event["alert_id"]),
            "minecam.rule": event["rule"],
            "minecam.severity": str(event["severity"]),
        },
        payload={
            "measured": event["measured"],
            "unit": unit(event["measure"]),
            "hectares": event["hectares"],
            "why": event["why"],
            "first_time": event["first_time"].isoformat(),
        },
        # Its own for ever: an event that is sent again after a crash is known to the server.
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"minecam:{event['alert_event_id']}:{event['at'].isoformat()}"),
    )


def _without_addresses(error: Exception) -> str:
    """Return the error's words; the address of a receiver often is its password."""
    words = one_line(error, 100_000) or type(error).__name__
    return re.sub(r"\w+://\S+", "<address>", words)[:300]
