"""Words an event of an alert for people: subject, plain text for a channel, Markdown for an artifact or a file.

`notify` sends what is worded here. Pure: a row of `alert_event_read.sql` in, text out.
"""

from collections.abc import Sequence
from typing import Any

import shapely

import sql
from tasks.alert import amount, unit
from tasks.text import inert, without_calls


def subject(event: sql.Row) -> str:
    """Return the one line that a phone shows."""
    state = "more severe" if event["to_state"] == event["from_state"] else event["to_state"]
    return without_calls(f"MineCam: {event['rule']} {state} at {_where(event)}, {_amount(event)}")


def body(event: sql.Row) -> str:
    """Return the plain text of a notification: what, since when, where, by which model and products."""
    lines = [*facts(event).items(), *([("Map", map_address(event))] if event["geom"] else [])]
    return without_calls("\n".join([event["description"], *(f"{name}: {text}" for name, text in lines)]))


def markdown(event: sql.Row, picture: str | None) -> str:
    """Return the Markdown of an alert; `picture` is the address of its picture, a data: URI, say."""
    parts = [f"## {inert(subject(event))}", inert(event["description"]) + "."]
    if picture:
        parts.append(f"![before and after, the alert outlined]({picture})")
    parts.append("\n".join(f"- **{name}**: {inert(text)}" for name, text in facts(event).items()))
    if event["geom"]:
        latitude, longitude = place(event)
        parts.append(f"[{latitude:.5f}, {longitude:.5f} on OpenStreetMap]({map_address(event)})")
    return "\n\n".join(parts) + "\n"


def facts(event: sql.Row) -> dict[str, str]:
    """Return what is to be said of an event, name to text; what is not known is left out."""
    scenes = [
        (event["before_time"], event["before_product_ids"] or []),
        (event["sensing_time"], event["product_ids"] or []),
    ]
    seen = [(time, ids) for time, ids in scenes if time]
    observations = event["observations"]
    of_ground = unit(event["measure"]) == "ha"
    words = {
        "Alert": f"{event['alert_id']}, event {event['alert_event_id']}",
        "Why": event["why"],
        "By": None if event["actor"] == "minecam" else event["actor"],
        "Hectares": f"{event['hectares']:.2f}" if event["hectares"] is not None else None,
        "Measured": None if of_ground and event["measured"] == event["hectares"] else _amount(event),
        "Severity": f"{event['severity']} ({_severity(event)})",
        "First seen": f"{event['first_time']:%Y-%m-%d}",
        "Last seen": f"{event['last_time']:%Y-%m-%d}",
        "Before": _scene(event["before_time"], event["before_cloud_share"]),
        "After": _scene(event["sensing_time"], event["cloud_share"]),
        "Later observations": f"{sum(observations)} of {len(observations)} agree" if observations else None,
        "Confidence": f"{100 * event['confidence']:.0f} %" if event["confidence"] is not None else None,
        "Model": f"{event['model']} ({event['model_checksum'][:8]})" if event["model"] else None,
        "Products": ", ".join(name for _, ids in seen for name in ids),
        "Attribution": attribution(seen),
    }
    return {name: text for name, text in words.items() if text}


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


def _where(event: sql.Row) -> str:
    return str(event["mine"] or "the fleet")


def _amount(event: sql.Row) -> str:
    return amount(event["measured"], event)


def _severity(event: sql.Row) -> str:
    level = event["severity"]
    steps = event["severity_steps"][: level - 1]  # the rule may have other steps by now
    return f"{steps[-1]:g} times the threshold or more" if steps else "at the threshold"


def _scene(time: Any, cloud_share: float | None) -> str | None:
    """Return the day of a scene and how much of the AOI was under cloud."""
    if not time:
        return None
    return f"{time:%Y-%m-%d}" + (
        f", {100 * cloud_share:.0f} % of the AOI under cloud" if cloud_share is not None else ""
    )
