"""Segments accepted acquisitions, draws polygons, and stores both as an epoch."""

from tasks.segment.predictions import read_prediction
from tasks.segment.segment import model_for, model_name, portions, segment
from tasks.segment.sieve import sieved
from tasks.segment.store import store
from tasks.segment.vectorise import outlines, regions, vectorise

__all__ = [
    "model_for",
    "model_name",
    "outlines",
    "portions",
    "read_prediction",
    "regions",
    "segment",
    "sieved",
    "store",
    "vectorise",
]  # fmt: skip
