"""Raises alerts from changes and carries them on: what rules measure, what later observations say, what people decide."""
