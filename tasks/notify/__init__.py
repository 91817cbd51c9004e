"""Tells people and Prefect of alerts: who is told, in what words, with what picture."""
