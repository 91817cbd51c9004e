"""The flows that a person can start or schedule; a flow only orders tasks."""
