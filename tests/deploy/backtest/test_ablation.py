from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from deploy.backtest.ablation import Dates, compared
from models.prediction import Prediction
from tasks.rasters.grid import Grid

GRID = Grid(32642, 500_000, 3_700_000, 30, 30)


def look(classes, sure=90):
    chance = np.where(classes == 0, 100 - sure, sure)
    return Prediction(
        *(np.where(classes == 255, 255, of).astype(np.uint8) for of in (classes, np.full((30, 30), sure), chance))
    )


def pixels(rows):
    """How many pixels the polygons cover, roughly."""
    import shapely

    from tasks.rasters.grid import to_utm

    return round(sum(to_utm(shapely.from_wkb(row["geom"]), GRID.epsg).area for row in rows) / 100)


@pytest.fixture(autouse=True)
def _usual_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_HOME", str(tmp_path))


def test_each_guard_keeps_out_what_it_is_there_for():
    before, after = np.zeros((30, 30), np.uint8), np.zeros((30, 30), np.uint8)
    after[2:8, 2:8] = 1  # a true pit of 36 pixels
    after[12:28, 2:4] = 1  # a rim two pixels wide
    after[2:6, 12:16] = 1  # 16 pixels, below the mapping unit
    sure = np.full((30, 30), 90)
    after[12:18, 10:16], sure[12:18, 10:16] = 2, 60  # 36 pixels of which nobody is sure
    under = after.copy()
    under[20:26, 20:26] = 6  # 36 pixels of cloud, as the network sees it
    after[20:26, 20:26] = 255
    found = compared(
        Dates(
            (look(before), look(after, sure)), (look(before), look(under, sure)), datetime(2023, 1, 1, tzinfo=UTC), GRID
        )
    )
    pit, rim, small, unsure, cloud = 36, 32, 16, 36, 36
    assert {guards: pixels(rows) for guards, rows in found.items()} == {
        "all guards": pit, "without border": pit + rim, "without confidence": pit + unsure,
        "without mapping unit": pit + small, "without validity": pit + cloud,
        "validity, border": pit + small + unsure, "validity, confidence": pit + rim + small,
        "validity, mapping unit": pit + rim + unsure, "validity": pit + rim + small + unsure,
        "no guard": pit + rim + small + unsure + cloud,
    }  # fmt: skip
    assert {row["to_class"] for row in found["all guards"]} == {1}
