"""What a chip is: a labelled scene of a site, as `chips` and `pairs` read it. Pure."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chip:
    """One chip of a site, where `commodity` is mined in a mine of `mine_type` (empty: not known).

    `scene` float32 (bands, H, W), reflectance (radar: linear gamma0); `labels` uint8 (H, W), 255 unsure or without
    label; `valid` bool (H, W).
    """

    name: str
    site: str
    commodity: str
    mine_type: str
    scene: np.ndarray
    labels: np.ndarray
    valid: np.ndarray
