"""Asks the service: what there is of a mine, a cheap preview of it, and its pixels, within the budget."""

from tasks.acquire import budget, service
from tasks.acquire.client import Session
from tasks.acquire.discover import discover
from tasks.acquire.download import download, kept
from tasks.acquire.preview import preview
from tasks.acquire.sharing import Due, neighbourhoods, passes

__all__ = ["Due", "Session", "budget", "discover", "download", "kept", "neighbourhoods", "passes", "preview", "service"]
