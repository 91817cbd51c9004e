"""Words an event of an alert for people: subject, plain text for a channel, Markdown for a Prefect artifact.

`notify` sends what is worded here. Pure: a row of `alert_event_read.sql` in, text out.
"""

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import shapely

import sql

SEVERITIES = {1: "at the threshold", 2: "twice the threshold or more", 3: "five times the threshold or more"}


def subject(event: sql.Row) -> str:
    """Return the one line that a phone shows."""
    return f"MineCam: {event['rule']} {event['to_state']} at {event['mine']}, {event['hectares']:.1f} ha"


def body(event: sql.Row) -> str:
    """Return the plain text of a notification: what, since when, where, by which model and products."""
    lines = [*_lines(event), ("Map", map_address(event))]
    return "\n".join([event["description"], *(f"{name}: {text}" for name, text in lines)])


def markdown(event: sql.Row, picture: bytes | None) -> str:
    """Return the Markdown of the alert's artifact; `picture` is a PNG that becomes a data: URI."""
    latitude, longitude = place(event)
    parts = [f"## {escape(subject(event))}", event["description"] + "."]
    if picture:
        address = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        parts.append(f"![before and after, the alert outlined]({address})")
    parts.append("\n".join(f"- **{name}**: {escape(text)}" for name, text in _lines(event)))
    parts.append(f"[{latitude:.5f}, {longitude:.5f} on OpenStreetMap]({map_address(event)})")
    return "\n\n".join(parts) + "\n"


def place(event: sql.Row) -> tuple[float, float]:
    """Return latitude and longitude of a point on the alert's ground."""
    point = shapely.from_wkb(bytes(event["geom"])).representative_point()
    return point.y, point.x


def map_address(event: sql.Row) -> str:
    """Return the OpenStreetMap address that shows the alert."""
    latitude, longitude = place(event)
    spot = f"{latitude:.5f}/{longitude:.5f}"
    return f"https://www.openstreetmap.org/?mlat={latitude:.5f}&mlon={longitude:.5f}#map=15/{spot}"


def attribution(scenes: Sequence[tuple[Any, Sequence[str]]]) -> str:
    """Return whose pixels were seen, of (sensing time, product ids); simulated ones are called simulated."""
    genuine = {time.year for time, ids in scenes if any(not name.startswith("SIM_") for name in ids)}
    years = ", ".join(map(str, sorted(genuine)))
    words = [f"contains modified Copernicus Sentinel data {years}"] if genuine else []
    if any(name.startswith("SIM_") for _, ids in scenes for name in ids):
        words.append("simulated by MineCam")
    return "; ".join(words)


def _lines(event: sql.Row) -> list[tuple[str, str]]:
    """Return what is to be said, (name, text); what is not known is left out."""
    scenes = [
        (event["before_time"], event["before_product_ids"] or []),
        (event["sensing_time"], event["product_ids"] or []),
    ]
    seen = [(time, ids) for time, ids in scenes if time]
    observations = event["observations"]
    later = f"{sum(observations)} of {len(observations)} agree" if observations else None
    model = f"{event['model']} ({event['model_checksum'][:8]})" if event["model"] else None
    words = {
        "Why": event["why"],
        "Hectares": f"{event['hectares']:.2f}",
        "Severity": f"{event['severity']} ({SEVERITIES[event['severity']]})",
        "First seen": f"{event['first_time']:%Y-%m-%d}",
        "Last seen": f"{event['last_time']:%Y-%m-%d}",
        "Before": f"{event['before_time']:%Y-%m-%d}" if event["before_time"] else None,
        "Later observations": later,
        "Model": model,
        "Products": ", ".join(name for _, ids in seen for name in ids),
        "Attribution": attribution(seen),
    }
    return [(name, text) for name, text in words.items() if text]
