"""Raises alerts from changes and carries them on: what rules measure, what later looks say, what people decide."""
