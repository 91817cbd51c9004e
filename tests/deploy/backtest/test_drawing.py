import io
from pathlib import Path

import numpy as np
from PIL import Image

from deploy.backtest.drawing import INDEX, Drawn, alike, write
from deploy.backtest.worst import Mistake
from tasks.rasters.cog import Raster
from tasks.rasters.grid import Grid

GRID = Grid(32642, 500_000, 3_700_000, 8, 6)


def scene(reflectance):
    planes = np.full((4, 6, 8), round(10_000 * reflectance), np.uint16)
    planes[3] = 1
    planes[3, 0] = 0
    return Raster(planes, ("B02", "B03", "B04", "dataMask"), GRID, {})


def test_two_dates_are_stretched_alike_and_a_dull_place_stays_dull():
    dark, bright = alike([scene(0.05), scene(0.3)])
    assert dark.shape == (6, 8, 3) and not dark[1:].any() and (bright[1:] == 255).all() and not bright[0].any()
    noise = np.random.default_rng(0)
    forest = scene(0.05)
    forest.array[:3] += noise.integers(0, 60, (3, 6, 8), dtype=np.uint16)  # half a per cent
    assert np.ptp(np.stack(alike([forest, scene(0.05)]))[:, 1:]) < 20


def test_a_cloud_does_not_leave_the_ground_in_the_dark():
    cloudy = scene(0.05)
    cloudy.array[:3, 2:], cloudy.array[:3, 1, 4:] = 9000, 1300
    ground = alike([cloudy, scene(0.05)])[0]
    assert ground[1, 0, 0] == 0 and ground[1, 4, 0] > 60 and ground[3, 0, 0] == 255


def test_the_index_lists_the_ten_worst_and_each_has_its_picture(tmp_path: Path):
    with io.BytesIO() as stream:
        Image.new("RGB", (2, 2)).save(stream, "PNG")
        png = stream.getvalue()
    drawn = [Drawn(Mistake(f"p-{k}", "none", "nothing changed", k / 10, "false", k), png) for k in range(12)]
    write(tmp_path / "worst", drawn)
    lines = (tmp_path / "worst" / INDEX).read_text().splitlines()
    assert lines[4].startswith("| 1 | [p-11](01-p-11.png) | none | nothing changed | 1.10 | false |")
    assert len(lines) == 14 and len(list((tmp_path / "worst").glob("*.png"))) == 10
