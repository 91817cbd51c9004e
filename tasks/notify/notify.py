"""Delivers events of alerts: a Prefect artifact with a picture, a Prefect event, and notification blocks.

The last step of the flow of data. Which block is told of what, and at once or in a digest, are `routes`. Each block is
told of each event at least once, and again only where a run was killed between telling it and recording that; the
number of the event is in the message. What cannot be delivered stays so, and the next run tries it again.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import sql
from tasks.alert import unit
from tasks.errors import WrongUse
from tasks.mines import Mine
from tasks.notify import routes
from tasks.notify.evidence import picture
from tasks.notify.notice import body, digest, markdown, subject
from tasks.rasters import address
from tasks.settings import settings
from tasks.text import one_line

log = logging.getLogger(__name__)

MOST_BLOCKS = 200  # read when a block is looked up by its name; the API gives no more at once
MOST_IN_DIGEST = 20  # events in one message; receivers refuse long ones
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
                for begin in range(0, len(events), MOST_IN_DIGEST):
                    delivery.tell(block, events[begin : begin + MOST_IN_DIGEST], _tell_of_all)
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
        new = [event for event in events if block in self._left[event["alert_event_id"]]]
        if not new or block in self._down:
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

    def close(self) -> int:
        """Record which events all have been told of who are to know, and return how many these are."""
        done = [event_id for event_id, left in self._left.items() if not left]
        sql.run(self._connection, "alert_event_delivered", events=done)
        if waiting := len(self._left) - len(done):
            log.info("%d events of alerts wait for a digest or the next run", waiting)
        return len(done)

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


def receiver(name: str) -> Any | None:
    """Return the Prefect notification block called `name`, or '<type slug>/<name>'; None when there is none.

    Raises WrongUse when the name alone does not say which.
    """
    from prefect.blocks.core import Block
    from prefect.client.orchestration import get_client

    kind, _, plain = name.rpartition("/")
    with get_client(sync_client=True) as client:
        documents = client.read_block_documents(limit=MOST_BLOCKS, include_secrets=False)
    slugs = [
        document.block_type.slug
        for document in documents
        if document.name == plain
        and document.block_type is not None
        and document.block_schema is not None
        and "notify" in document.block_schema.capabilities
        and kind in ("", document.block_type.slug)
    ]
    if len(slugs) > 1:
        raise WrongUse(f"there are several blocks '{plain}': say which, as {slugs[0]}/{plain}")
    return Block.load(f"{slugs[0]}/{plain}") if slugs else None


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


def _tell_of_one(block: str, events: Sequence[sql.Row]) -> None:
    (event,) = events
    _send(block, subject(event), body(event))


def _tell_of_all(block: str, events: Sequence[sql.Row]) -> None:
    _send(block, *digest(events))


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
