import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rasters.grid import PIXEL, Grid, grid_for, to_utm, to_wgs84, utm_epsg

longitudes = st.floats(-179, 179)
latitudes = st.floats(-75, 75)
sizes = st.floats(0.001, 0.3)


@settings(max_examples=50, deadline=None)
@given(longitudes, latitudes, sizes, sizes)
def test_a_grid_holds_its_aoi_and_wastes_less_than_a_pixel(x: float, y: float, w: float, h: float) -> None:
    aoi = shapely.box(x, y, x + w, y + h)
    grid = grid_for(aoi)
    west, south, east, north = to_utm(aoi, grid.epsg).bounds
    left, bottom, right, top = grid.bounds
    assert left <= west < left + PIXEL and right - PIXEL < east <= right
    assert bottom <= south < bottom + PIXEL and top - PIXEL < north <= top
    assert left % PIXEL == 0 and top % PIXEL == 0
    assert grid == grid_for(aoi)


@settings(max_examples=50, deadline=None)
@given(longitudes, latitudes)
def test_degrees_come_back_from_metres(x: float, y: float) -> None:
    epsg = utm_epsg(x, y)
    there = to_wgs84(to_utm(shapely.Point(x, y), epsg), epsg)
    np.testing.assert_allclose([there.x, there.y], [x, y], atol=1e-7)


def test_zones() -> None:
    assert utm_epsg(-43.9, -20.1) == 32723
    assert utm_epsg(180, 10) == 32660
    assert utm_epsg(-180, 10) == 32601


def test_the_mask_counts_pixel_centres() -> None:
    grid = Grid(32633, 500_000, 5_000_000, 20, 10)
    half = to_wgs84(shapely.box(500_000, 4_999_900, 500_100, 5_000_000), 32633)
    mask = grid.mask(half)
    assert mask.shape == (10, 20) and mask.dtype == bool
    assert mask[:, :10].all() and not mask[:, 10:].any()


def test_windows_are_cut_off_at_the_edge() -> None:
    part = Grid(32633, 0, 1000, 30, 40).window(column=20, row=25, width=25, height=10)
    assert part == Grid(32633, 200, 750, 10, 10)
