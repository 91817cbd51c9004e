"""The suites as files: each can be judged by, says why, and names settings that there are."""

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import pytest

from models.sensors import SENSOR_SETS
from tasks.settings import Settings, settings
from tasks.suites.checkpoint import judge
from tasks.suites.expectations import PREVIEW, SEGMENTS, Check, suite

GRID = {"grid": "EPSG:32642", "grid_of_mine": "EPSG:32642"}


@pytest.mark.parametrize("name", [*SENSOR_SETS, PREVIEW, SEGMENTS])
def test_every_check_has_a_limit_says_why_and_can_be_worded(name):
    checks = suite(name, settings())
    assert len({check.figure for check in checks}) == len(checks)
    for check in checks:
        assert check.same_as or check.least is not None or check.most is not None
        assert len(check.why) > 40 and check.worded({**GRID, check.figure: 0.5})


def test_a_sensor_set_is_judged_by_the_bands_and_missions_that_it_has():
    figures = {name: {check.figure for check in suite(name, settings())} for name in SENSOR_SETS}
    assert "gain_B12" in figures["s2-10"] and "gain_B12" not in figures["s2-rgb"]
    assert figures["s2-10-indices"] == figures["s2-10"]
    assert "high_VV" in figures["s1"] and not {"harmonised", "stripes", "gain_VV"} & figures["s1"]
    assert figures["s1-s2"] == figures["s1"] | figures["s2-10"]


def test_every_file_is_part_of_a_suite_that_something_is_judged_by():
    missions = {collection for sensor_set in SENSOR_SETS.values() for collection in sensor_set.collections}
    folder = files("tasks.suites").iterdir()
    names = {file.name.removesuffix(".toml") for file in folder if file.name.endswith(".toml")}
    assert names == {"acquisition", PREVIEW, SEGMENTS, *missions}


def test_settings_are_the_limits_and_a_look_may_miss_them_by_its_slack():
    limits = Settings(max_cloud=0.4, min_valid=0.7)
    by_figure = {check.figure: check for check in suite("s2-rgb", limits)}
    assert (by_figure["cloud_share"].most, by_figure["valid_share"].least) == (0.4, 0.7)
    cloudy = next(check for check in suite(PREVIEW, limits) if check.figure == "cloud_share")
    assert cloudy.most == pytest.approx(0.45)
    assert cloudy.worded({"cloud_share": 0.5}).startswith("cloud over 50 % of the AOI (at most 40 %;")


def test_figures_are_judged_each_by_its_own_check():
    checks = suite("s2-rgb", settings())
    figures = {**GRID, "cloud_share": 0.7, "gain_B03": 2.5, "stripes": 3.0, "high_B04": 3.0, "shift_px": None}
    judgement = judge(figures=figures, checks=checks)
    assert judgement.reasons == [
        "cloud over 70 % of the AOI (at most 60 %)",
        "values of B04 up to 3.0000 are no reflectance of a mine (0.015 to 1.2)",
        "B03 is 2.5 times brighter or darker than ever before all over the AOI (at most 2 times)",
        "3 stripes: lines of pixels that are dead, or brighter or darker than those beside them",
    ]
    assert not judgement.passed
    other = judge(figures={**GRID, "grid": "EPSG:4326"}, checks=checks[:1])
    assert other.reasons[0].startswith("the raster lies on EPSG:4326, not on the mine's grid EPSG:32642")
    assert judge(figures={}, checks=checks).passed  # what could not be measured is no reason to refuse


def test_nothing_to_hold_against_passes_nothing():
    assert judge(figures={"share": 0.5}, checks=[]).reasons == ["nothing was measured"]


@pytest.mark.parametrize(("value", "passes"), [
    (0.2, True), (0.8, True), (0.5, True), (0.1999, False), (0.8001, False), (float("inf"), False),
    (float("-inf"), False), (None, True), (1, False), (True, False), (np.float32(0.5), True),
])  # fmt: skip
def test_limits_are_within(value, passes):
    checks = [Check("share", 0.2, 0.8, None, "{value}", "because"), Check("other", None, 3, None, "{value}", "because")]
    judgement = judge(figures={"share": value, "other": 2}, checks=checks)
    assert judgement.passed == passes and len(judgement.reasons) == (not passes)


def test_threads_judge_at_once():
    checks = [Check(f"share{index}", 0.2, 0.8, None, f"{index}", "because") for index in range(20)]

    def failing(number: int) -> list[str]:
        return judge(figures={f"share{number % 20}": 0.9}, checks=checks).reasons

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(failing, range(60))) == [[str(number % 20)] for number in range(60)]


@pytest.mark.parametrize(("value", "told"), [
    (0.3, "30 % was seen"), (0.2996, "29.96 % was seen"), (0.29, "29 % was seen"), (0.304, "30.4 % was seen"),
    (0.0, "0 % was seen"), (0.2999999, "29.99999 % was seen"),
])  # fmt: skip
def test_a_figure_is_never_rounded_to_its_limit(value, told):
    check = Check("share", 0.3, None, None, "{percent} % was seen", "because")
    assert check.worded({"share": value}) == told


def test_digits_asked_for_are_the_least():
    check = Check("shift", None, 3.0, None, "off by {value:.1f} (at most 3)", "because")
    assert check.worded({"shift": 3.02}) == "off by 3.02 (at most 3)"
    assert check.worded({"shift": 3.4}) == "off by 3.4 (at most 3)"


def test_what_a_reason_names_and_was_not_measured_is_left_out():
    assert Check("share", 0.3, None, None, "too little: {hidden}", "b").worded({"share": 0.1}) == "too little"
