"""What the Prefect server does by itself about runs that nobody works on any more, and about runs that nobody began.

Registered with the deployments. A person may edit, pause or delete them: each is changed only where we say otherwise
than the last time.
"""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

SILENCE = timedelta(minutes=10)
"""A run says every three minutes that it is alive (PREFECT_FLOWS_HEARTBEAT_FREQUENCY); three times, and a bit."""
TOO_LATE = timedelta(hours=23)
"""The next run of a daily schedule takes the place of one that is so late."""
SCHEDULED = {"prefect.resource.id": "prefect.tag.auto-scheduled", "prefect.resource.role": "tag"}
LIFE = "prefect.flow-run.*"
"""Any word of a run: its heartbeats, and every change of its state."""


def automate(client: SyncPrefectClient, said: dict[str, Any]) -> None:
    """Create the automations, or change what we say otherwise of them than `said`, what was said last."""
    there = {word: one for one in client.read_automations() for word in (one.name, str(one.id))}
    for ours in _automations():
        before, digest = said.get(ours.name, {}), sha256(ours.model_dump_json().encode()).hexdigest()[:16]
        if before.get("digest") == digest:
            continue
        known = there.get(before.get("id", ours.name))
        if known is None:
            made = client.create_automation(ours)
        else:
            made = known.id
            client.update_automation(known.id, ours.model_copy(update={"enabled": known.enabled}))
        said[ours.name] = {"id": str(made), "digest": digest}


def _automations() -> Iterator[AutomationCore]:
    yield AutomationCore(
        name="MineCam: a run that fell silent has crashed",
        description="Its worker was killed, or its machine is gone: what it began, the next run goes on with.",
        enabled=True,
        trigger=_without(after="prefect.flow-run.heartbeat", within=SILENCE),
        actions=[_end(StateType.CRASHED, "nothing was heard of it any more: its worker is gone, or cut off")],
    )
    yield AutomationCore(
        name="MineCam: a scheduled run that is a day late is cancelled",
        description="No worker began it, and the next one does its work too: else one would follow on the other.",
        enabled=True,
        trigger=_without(after="prefect.flow-run.Late", within=TOO_LATE, match_related=SCHEDULED),
        actions=[_end(StateType.CANCELLED, "no worker began it for a day: the next run does its work too")],
    )


def _end(state: StateType, why: str) -> ChangeFlowRunState:
    return ChangeFlowRunState(name=None, state=state, message=why, force=False)


def _without(*, after: str, within: timedelta, **more: Any) -> EventTrigger:
    """A run of which nothing is heard for so long after that event."""
    return EventTrigger(
        after={after},
        expect={LIFE},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=within,
        **more,
    )
