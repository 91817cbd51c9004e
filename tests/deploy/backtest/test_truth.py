from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from deploy.backtest.truth import Case, case_of, figures, tally
from tasks.rasters.grid import Grid, to_wgs84

GRID = Grid(32723, 600_000, 7_800_000, 10, 10)


def blank() -> np.ndarray:
    return np.zeros((10, 10))


def case(truth: np.ndarray, patch: np.ndarray, *codes: int, missed: np.ndarray | None = None) -> Case:
    hidden = np.zeros(truth.shape, bool) if missed is None else missed
    return Case(GRID, truth.astype(np.uint16), hidden, hidden, patch.astype(np.int32), np.array([0, *codes], np.int32))


def figures_of(*cases: Case) -> dict[str, Any]:
    return figures([tally(one) for one in cases])


def test_figures_of_a_case_that_can_be_counted() -> None:
    truth, patch, missed = blank(), blank(), np.zeros((10, 10), bool)
    truth[0:4, 0:5] = 1  # 20 pixels of background became excavation
    truth[9] = 65535
    patch[0:4, 0:4] = 1  # 16 of them are found
    patch[6:8, 0:2] = 2  # 4 that are none
    patch[9, 0:3] = 3  # not scored, and under a cloud that SCL does not know of
    missed[9, 0:3] = True
    found = figures_of(case(truth, patch, 1, 2, 1, missed=missed))
    assert (found["precision"], found["recall"], found["iou"]) == (0.8, 0.8, 0.6667)
    assert (found["f1"], found["bias"], found["true_hectares"]) == (0.8, 0.0, 0.2)
    assert (found["right_patches"], found["right_classes"]) == (1, 1.0)
    assert found["false_hectares"] == {"median": 0.04, "most": 0.04} and found["missed_cloud_hectares"] == 0.03
    assert found["hidden_hectares"] == 0.03 and found["interval"]["f1"] is None


def test_the_wrong_component_is_change_all_the_same() -> None:
    truth = np.full((4, 4), 1)
    found = figures_of(case(truth, truth, 2))
    assert (found["f1"], found["right_patches"], found["right_classes"]) == (1.0, 1, 0.0)


def test_of_each_polygon_the_largest_true_change_decides() -> None:
    truth, patch = blank(), blank()
    patch[0:2], patch[4:6], patch[8] = 1, 2, 3
    truth[0], truth[1, :4], truth[4, :6], truth[5, :6] = 1, 2, 2, 1  # mostly 1; 2 and 1 alike
    found = figures_of(case(truth, patch, 1, 2, 1))
    assert found["right_patches"] == 2 and found["right_classes"] == 0.5  # alike: the lower one


def test_where_nothing_changes_and_nothing_is_found_only_false_hectares_are_known() -> None:
    nothing = np.zeros((4, 4))
    found = figures_of(case(nothing, nothing), case(nothing, np.eye(4), 1))
    assert found["f1"] is found["precision"] is found["bias"] is found["interval"]["f1"] is None
    assert found["false_hectares"] == {"median": 0.02, "most": 0.04}


def test_polygons_are_drawn_on_the_grid_of_the_truth(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    form = {"driver": "GTiff", "width": 20, "height": 10, "count": 1, "crs": 32723,
            "transform": from_origin(600_000, 7_800_000, 10, 10)}  # fmt: skip
    for kind, dtype in (("change", "uint16"), ("flags", "uint8")):
        with rasterio.open(tmp_path / "truth" / f"a_{kind}.tif", "w", dtype=dtype, **form) as to:
            to.write(np.full((1, 10, 20), 4, dtype))
    ground = to_wgs84(shapely.box(600_050, 7_799_930, 600_080, 7_799_990), 32723)
    read = case_of(tmp_path, "a", [{"from_class": 0, "to_class": 4, "geom": ground.wkb}])
    assert (read.patch > 0).sum() == 18 and (read.patch[1:7, 5:8] == 1).all() and read.code.tolist() == [0, 4]
    assert read.grid == Grid(32723, 600_000, 7_800_000, 20, 10) and not read.hidden.any()
    assert read.missed.all() and figures_of(read)["recall"] == pytest.approx(18 / 200)


def test_the_interval_is_over_cases_and_spans_the_good_and_the_bad_one() -> None:
    truth, half = blank(), blank()
    truth[0:4, 0:4], half[0:4, 0:2] = 1, 1
    found = figures_of(case(truth, truth, 1), case(truth, half, 1))
    assert found["recall"] == 0.75 and found["interval"]["recall"] == [0.5, 1.0]
    assert found["interval"]["precision"] == [1.0, 1.0]
