"""Rasters: the grid of a mine, files on it, which of their pixels were observed, and pictures of them. No step."""
