"""Segments accepted acquisitions, draws polygons, and stores both as an epoch."""
