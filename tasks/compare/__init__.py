"""Holds an epoch against what was seen before it: what changed, pixel by pixel and as polygons."""
