"""Judges what was downloaded: accepted, or quarantined with the reasons."""

from tasks.validate import datadocs, quarantine
from tasks.validate.alignment import aligned, undone
from tasks.validate.clouds import told_by
from tasks.validate.revalidate import revalidate, unsettled
from tasks.validate.summary import findings
from tasks.validate.validate import reflectance, validate, validity

__all__ = [
    "aligned", "datadocs", "findings", "quarantine", "reflectance", "revalidate", "told_by", "undone", "unsettled",
    "validate", "validity",
]  # fmt: skip
