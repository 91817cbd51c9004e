"""The slots of the limit of requests to the service, and whether somebody holds them.

Prefect counts taken slots in its database. Who holds them stands in leases, files in its home folder that outlive it. A
slot without a lease never comes free by itself: the server was killed between the two, or the file was lost with the
power.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from flows.steps import SERVICE
from tasks.errors import StackError
from tasks.settings import home

BLINK = 1.0
"""Seconds between two looks: a slot is taken a moment before its lease is written."""


@dataclass(frozen=True)
class Lease:
    """`slots` that the flow run `holder` holds until `ends` unless it says that it goes on."""

    lease_id: UUID
    slots: int
    holder: UUID | None
    ends: datetime


@dataclass(frozen=True)
class Slots:
    """Of `limit` slots so many are `taken`, and so many of these held by no run that is at work."""

    limit: int
    taken: int
    nobodys: int


def folder() -> Path:
    """Where the embedded server keeps its leases."""
    return home() / "prefect" / "concurrency_leases"


def look() -> Slots:
    """Return how the slots stand; raises StackError where the server has no such limit, or does not answer."""
    try:
        with get_client(sync_client=True) as client:
            found = _look(client)
            if found.nobodys:
                time.sleep(BLINK)
                again = _look(client)
                found = replace(again, nobodys=min(found.nobodys, again.nobodys))
            return found
    except ObjectNotFound as error:
        raise StackError(f"there is no global concurrency limit '{SERVICE}': run `minecam up`") from error
    except httpx.HTTPError as error:
        raise StackError(f"the Prefect server does not answer ({error}): run `minecam up`") from error


def free() -> int:
    """Give back the slots that nobody holds, and return how many they were."""
    left = found = look().nobodys
    if not found:
        return 0
    with get_client(sync_client=True) as client:
        limit = client.read_global_concurrency_limit_by_name(SERVICE)
        for lease in _leases(limit.id):
            if not _alive(client, lease):
                client.release_concurrency_slots_with_lease(lease.lease_id)
                left -= lease.slots
        if left > 0:
            client.release_concurrency_slots([SERVICE], left, occupancy_seconds=BLINK)
    return found


def _look(client: SyncPrefectClient) -> Slots:
    limit = client.read_global_concurrency_limit_by_name(SERVICE)
    held = sum(lease.slots for lease in _leases(limit.id) if _alive(client, lease))
    return Slots(limit.limit, limit.active_slots, max(0, limit.active_slots - held))


def _alive(client: SyncPrefectClient, lease: Lease) -> bool:
    if lease.ends < datetime.now(UTC):
        return False
    if lease.holder is None:
        return True
    try:
        state = client.read_flow_run(lease.holder).state
    except ObjectNotFound:
        return False
    return state is not None and (state.is_running() or state.is_cancelling())


def _leases(limit: UUID) -> Iterator[Lease]:
    for file in folder().glob("*.json"):
        try:
            found = json.loads(file.read_text())
            if str(limit) not in found["resource_ids"]:
                continue
            holder = found["metadata"].get("holder")
            yield Lease(
                UUID(found["id"]), found["metadata"]["slots"], UUID(holder["id"]) if holder else None,
                datetime.fromisoformat(found["expiration"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # no lease, or one that has just been given back
