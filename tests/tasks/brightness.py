"""A network that calls bright ground an excavation, in place of the real one."""

from collections.abc import Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from models.prediction import Prediction
from models.sensors import sensor_set

MODEL = SimpleNamespace(name="by-brightness", version="1", checksum="a" * 64, sensor_set=sensor_set("s2-rgb"))


def engine(bright: float = 0.2) -> ModuleType:
    """Return what stands for `models.predict` in `sys.modules`: nothing then loads torch."""
    made = ModuleType("models.predict")

    def predict_each(scenes: Iterable[tuple[np.ndarray, np.ndarray]], **_: Any) -> Iterator[Prediction]:
        for scene, valid in scenes:
            seen = scene[0] > bright
            planes = (seen, np.full_like(seen, 90, np.uint8), np.where(seen, 95, 10))
            yield Prediction(*(np.where(valid, plane, 255).astype(np.uint8) for plane in planes))

    made.predict_each = predict_each  # type: ignore[attr-defined]
    made.predict = lambda *, scene, valid, **_: next(predict_each([(scene, valid)]))  # type: ignore[attr-defined]
    return made
