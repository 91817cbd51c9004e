"""Judges what was downloaded: accepted, or quarantined with the reasons."""
