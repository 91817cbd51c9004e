"""Delivers events of alerts: a Prefect artifact with a picture, the notification block, a Prefect event.

The last step of the flow of data. What cannot be delivered stays so, and the next run tries it again.
"""

import logging
import re
import uuid
from typing import Any

import numpy as np
import shapely

import sql
from tasks.errors import MineCamError, WrongUse
from tasks.grid import Grid, to_utm
from tasks.notice import body, markdown, subject
from tasks.pictures import before_after, colours
from tasks.rasters import read
from tasks.registry import Mine
from tasks.settings import settings

log = logging.getLogger(__name__)

MOST_BLOCKS = 200  # read when a block is looked up by its name; the API gives no more at once
LEAST_PIXELS = 64  # side of the ground that a picture shows


def notify(connection: sql.Connection, mine: Mine) -> int:
    """Deliver the mine's undelivered events: those just raised, and what earlier runs could not deliver.

    Returns how many were delivered. A receiver that is down or refuses is logged, and never stops the run.
    """
    waiting = sql.run(connection, "alert_event_read", mine_id=mine.mine_id, events=None)
    if waiting:
        log.info("%s: %d events of alerts to deliver", mine.slug, len(waiting))
    for delivered, event in enumerate(waiting):
        try:
            _deliver(event)
        except Exception as error:  # whatever a receiver raises: it must not stop the watching
            log.warning(
                "%s: %d events of alerts stay undelivered until the next run (%s): check the notification block '%s'",
                mine.slug, len(waiting) - delivered, _without_addresses(error), settings().notification_block,
            )  # fmt: skip
            return delivered
        sql.run(connection, "alert_event_delivered", alert_event_id=event["alert_event_id"])
    return len(waiting)


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
        raise WrongUse(f"there are several blocks '{plain}': set MINECAM_NOTIFICATION_BLOCK to {slugs[0]}/{plain}")
    return Block.load(f"{slugs[0]}/{plain}") if slugs else None


def _deliver(event: sql.Row) -> None:
    """Write the artifact, send through the block, emit the event: what may be repeated first."""
    from prefect.artifacts import create_markdown_artifact
    from prefect.events import emit_event

    create_markdown_artifact(
        markdown(event, picture(event)), key=f"alert-{event['alert_id']}", description=subject(event)
    )
    block = receiver(settings().notification_block)
    if block is not None:
        with block.raise_on_failure():  # without it the block logs a failure and says nothing
            block.notify(body(event), subject(event))
    emit_event(
        f"minecam.alert.{event['to_state']}",
        resource={
            "prefect.resource.id": f"minecam.mine.{event['slug']}",
            "prefect.resource.name": event["mine"],
            "minecam.alert": str(event["alert_id"]),
            "minecam.rule": event["rule"],
            "minecam.severity": str(event["severity"]),
        },
        payload={"hectares": event["hectares"], "why": event["why"], "first_time": event["first_time"].isoformat()},
        # Its own for ever: an event that is sent again after a crash is known to the server.
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"minecam:{event['alert_event_id']}:{event['at'].isoformat()}"),
    )


def picture(event: sql.Row) -> bytes | None:
    """Return the PNG of the ground before the alert and at this event; None where a raster is missing."""
    if not event["before_raster"] or not event["raster"]:
        return None
    try:
        before = read(event["before_raster"], event["before_checksum"])
        after = read(event["raster"], event["checksum"])
    except MineCamError as error:
        log.warning("alert %d goes without a picture: %s", event["alert_id"], error)
        return None
    if before.grid != after.grid:  # the AOI was redrawn in between
        return None
    ground = to_utm(shapely.from_wkb(bytes(event["geom"])), after.grid.epsg)
    rows, columns = surroundings(ground, after.grid)
    return before_after(
        before=colours(before)[rows, columns],
        after=colours(after)[rows, columns],
        outlines=[pixels(ring, after.grid) - (columns.start, rows.start) for ring in rings(ground)],
        captions=(f"{event['before_time']:%Y-%m-%d}", f"{event['sensing_time']:%Y-%m-%d}"),
    )


def surroundings(ground: Any, grid: Grid) -> tuple[slice, slice]:
    """Return the rows and columns of `grid` that show `ground` (in its metres) in the middle of a square."""
    corners = pixels(shapely.box(*ground.bounds).exterior, grid)
    centre, extent = (corners.min(axis=0) + corners.max(axis=0)) / 2, np.ptp(corners, axis=0).max()
    side = max(int(1.5 * extent), LEAST_PIXELS)
    starts = [
        int(np.clip(middle - side / 2, 0, max(size - side, 0)))
        for middle, size in zip(centre, (grid.width, grid.height), strict=True)
    ]
    columns = slice(starts[0], min(starts[0] + side, grid.width))
    return slice(starts[1], min(starts[1] + side, grid.height)), columns


def rings(ground: Any) -> list[Any]:
    """Return every ring of the polygons in `ground`."""
    return [ring for part in shapely.get_parts(ground) for ring in (part.exterior, *part.interiors)]


def pixels(ring: Any, grid: Grid) -> np.ndarray:
    """Return the corners of `ring` as column and row, (n, 2)."""
    return (shapely.get_coordinates(ring) - (grid.left, grid.top)) / (grid.transform.a, grid.transform.e)


def _without_addresses(error: Exception) -> str:
    """Return the error's words; the address of a receiver often is its password."""
    words = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"\w+://\S+", "<address>", words)[:300]
