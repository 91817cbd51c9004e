"""What a model says of every pixel: classes and chances. Apart from `predict`, so that reading one needs no torch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """uint8 (H, W), 255 not valid: `classes` 0 background, 1-10; in per cent `confidence` of those, and `footprint`.

    `footprint` is the chance of all components together: ground can surely be mine while it is open what it is.
    """

    classes: np.ndarray
    confidence: np.ndarray
    footprint: np.ndarray
