"""Judges what was downloaded: accepted, or quarantined with the reasons."""

from tasks.validate import datadocs, quarantine
from tasks.validate.alignment import aligned, undone
from tasks.validate.clouds import cloud_source
from tasks.validate.revalidate import revalidate, unsettled
from tasks.validate.summary import summarise
from tasks.validate.validate import reflectance, validate, validity

__all__ = [
    "aligned",
    "cloud_source",
    "datadocs",
    "quarantine",
    "reflectance",
    "revalidate",
    "summarise",
    "undone",
    "unsettled",
    "validate",
    "validity",
]  # fmt: skip
