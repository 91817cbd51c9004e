"""Channels: Prefect notification blocks, found by name, and what each takes of a message."""

from typing import Any

from tasks.errors import WrongUse
from tasks.notify.messages import ENDLESS, Room

MOST_BLOCKS = 200  # read when a block is looked up by its name; the API gives no more at once
TEAMS = Room(250, 4_000)
"""Teams takes 28 KB, which hold so many characters however they are encoded; apprise says 1,000."""

SLACK_BLOCKS = Room(150, 3_000)
"""Slack takes less of a message that is made of blocks; apprise says 35,000."""

CAREFUL = Room(250, 2_000, joint=True)
"""What is sent to a channel of unknown limits that did not take a message."""


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


def room(block: Any, *, careful: bool = False) -> Room:
    """Return what `block` takes of a message: the least of its services.

    Where that is not known it is without end, or careful where a message was refused: pass `careful`.
    """
    rooms = [_takes(service) for service in _services(block)] or [Room()]
    if careful:
        rooms = [CAREFUL if one.body == ENDLESS else one for one in rooms]
    return Room(min(one.subject for one in rooms), min(one.body for one in rooms), any(one.joint for one in rooms))


def _services(block: Any) -> list[Any]:
    """Return the services of apprise that `block` speaks to; of a webhook, the one whose address it is, if one is."""
    from apprise import Apprise
    from apprise.manager_plugins import NotificationManager
    from prefect.blocks.notifications import AbstractAppriseNotificationBlock, CustomWebhookNotificationBlock
    from prefect.utilities.templating import apply_values

    if isinstance(block, AbstractAppriseNotificationBlock):
        return list(block._apprise_client)
    if isinstance(block, CustomWebhookNotificationBlock):
        address = str(apply_values({"url": block.url}, block.secrets.get_secret_value())["url"])
        # Asked first: apprise logs an address that it does not know, token and all.
        if any(service.parse_native_url(address) for service in NotificationManager().plugins()):
            return [service] if (service := Apprise.instantiate(address)) else []
    return []


def _takes(service: Any) -> Room:
    """Return what a service of apprise takes; where it has only the limits that every service has, they are unknown."""
    from apprise import NotifyBase
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.workflows import NotifyWorkflows

    if isinstance(service, NotifyWorkflows):
        return TEAMS
    if isinstance(service, NotifySlack) and service.use_blocks:
        return SLACK_BLOCKS
    joint = service.title_maxlen <= 0 or service.overflow_amalgamate_title
    if service.body_maxlen == NotifyBase.body_maxlen:
        return Room(joint=joint)
    return Room(service.title_maxlen if service.title_maxlen > 0 else ENDLESS, service.body_maxlen, joint)
