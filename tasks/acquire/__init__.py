"""Asks the service: what there is of a mine, a cheap preview of it, and its pixels, within the budget."""

from tasks.acquire import budget, service
from tasks.acquire.client import Session
from tasks.acquire.discover import discover
from tasks.acquire.download import download, is_here
from tasks.acquire.preview import look
from tasks.acquire.sharing import Due, neighbourhoods, passes

__all__ = ["Due", "Session", "budget", "discover", "download", "is_here", "look", "neighbourhoods", "passes", "service"]
