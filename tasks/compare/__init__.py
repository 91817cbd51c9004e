"""Holds an epoch against what was seen before it: what changed, pixel by pixel and as polygons."""

from tasks.compare.change import changed, changes, mined, settled
from tasks.compare.compare import compare
from tasks.compare.previous import previous_observation

__all__ = ["changed", "changes", "compare", "mined", "previous_observation", "settled"]
