"""Backtest: replays places of which something is known through the whole system, and scores what it says."""
