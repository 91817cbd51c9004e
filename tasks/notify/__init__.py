"""Tells people and Prefect of alerts: who is told, in what words, with what picture."""

from tasks.notify import evidence, routes
from tasks.notify.channel import receiver
from tasks.notify.notice import body, subject
from tasks.notify.notify import notify

__all__ = ["body", "evidence", "notify", "receiver", "routes", "subject"]
