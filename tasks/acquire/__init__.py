"""Asks the service: what there is of a mine, a cheap preview of it, and its pixels, within the budget."""
