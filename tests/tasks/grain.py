"""What makes pixels ground: no sensor gives one value twice in a row, and what holds one value is not valid."""

import numpy as np


def grained(bands: np.ndarray, least: int = 5) -> np.ndarray:
    """Return `bands` uint16 (B, H, W) with a grain of `least` digital numbers up or down, always the same."""
    grain = np.random.default_rng(0).integers(-least, least + 1, bands.shape)
    return np.clip(bands.astype(int) + grain, 0, 65535).astype(np.uint16)
