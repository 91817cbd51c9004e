"""Backtest: replays labelled places through the whole system and scores the alerts against the labels."""
