"""Messages of what is said of events, cut and split to what a channel takes. Pure.

A notice is never spread over messages: a digest is split between notices, and a notice that is longer than a message
may be is cut, line by line, and says how to read the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sql
from tasks.notify.notice import body, subject

MOST_IN_DIGEST = 20
"""Notices in one message, however much the channel takes: nobody reads more."""

ENDLESS = 10**9
JOINT = 20
"""Characters that may stand between subject and body where a channel puts both into one text."""

SHORTEST_CUT = 80
"""A line is not cut below this: fewer whole lines say more than the beginnings of all."""


@dataclass(frozen=True)
class Room:
    """How many characters of a message a channel takes: of the subject, and of the body; where it puts both into one
    text (`joint`), `body` is of both."""

    subject: int = ENDLESS
    body: int = ENDLESS
    joint: bool = False

    def beside(self, head: str) -> int:
        """Return how many characters of body go with the subject `head`."""
        return self.body - (length(head) + JOINT if self.joint else 0)


@dataclass(frozen=True)
class Message:
    """What is sent at once, and the events that it tells of."""

    events: Sequence[sql.Row]
    subject: str
    body: str


def single(event: sql.Row, room: Room) -> Message:
    """Return the message about one event."""
    whole = subject(event)
    head = _head(whole, room)
    text = body(event) if head == whole else f"{whole}\n{body(event)}"
    return Message([event], head, cut(text, room.beside(head), event))


def digest(events: Sequence[sql.Row], room: Room) -> list[Message]:
    """Return the messages about several events: what was refused before comes last, the most severe first; each says
    which of how many it is."""
    ordered = sorted(events, key=lambda event: (event["tries"], -event["severity"], event["alert_event_id"]))
    most = room.beside(_head(_title(ordered, len(ordered), len(ordered)), room))
    parts: list[list[tuple[sql.Row, str]]] = []
    left = 0
    for event in ordered:
        text = cut(f"{subject(event).removeprefix('MineCam: ')}\n{body(event)}", most, event)
        if not parts or length(text) + 2 > left or len(parts[-1]) == MOST_IN_DIGEST:
            parts.append([])
            left = most + 2
        parts[-1].append((event, text))
        left -= length(text) + 2
    return [
        Message(
            told := [event for event, _ in part],
            _head(_title(told, number, len(parts)), room),
            "\n\n".join(text for _, text in part),
        )
        for number, part in enumerate(parts, 1)
    ]


def cut(text: str, most: int, event: sql.Row) -> str:
    """Return a notice of `event` in at most `most` characters: long lines are shortened, lines that do not fit left
    out, and the last one says so and where the rest is."""
    if length(text) <= most:
        return text
    ending = f"Cut; all of it: minecam alerts show {event['alert_id']}"
    kept, left = [], most - length(ending)
    for line in text.splitlines():
        shorter = shorten(line, max(most // 4, SHORTEST_CUT))
        if length(shorter) < left and not shorter.endswith(":…"):
            kept.append(shorter)
            left -= length(shorter) + 1
    return shorten("\n".join([*kept, ending]), most)


def shorten(text: str, most: int) -> str:
    """Return `text` in at most `most` characters, cut between words unless one of them fills half of it; an address is
    whole or left out."""
    if length(text) <= most:
        return text
    kept = text.encode("utf-16-le")[: 2 * max(most - 1, 0)].decode("utf-16-le", "ignore")
    words, _, word = text[: len(kept) + 1].rpartition(" ")
    return (words if 2 * length(words) >= most or "://" in word else kept).rstrip(" ,;") + "…"


def length(text: str) -> int:
    """Return the characters of `text` as channels count them: those beyond 16 bits, such as emoji, as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(text: str, room: Room) -> str:
    return shorten(text, min(room.subject, room.body // 2 if room.joint else room.subject))


def _title(events: Sequence[sql.Row], number: int, parts: int) -> str:
    mines = len({event["slug"] for event in events})
    which = f" ({number}/{parts})" if parts > 1 else ""
    return f"MineCam: {len(events)} news of alerts at {mines} mines{which}"
