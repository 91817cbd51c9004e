"""Holds an epoch against what was seen before it: what changed, pixel by pixel and as polygons."""

from tasks.compare.change import above_mapping_unit, changed, changes, mined
from tasks.compare.compare import compare
from tasks.compare.previous import previous_observation

__all__ = ["above_mapping_unit", "changed", "changes", "compare", "mined", "previous_observation"]
