import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

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


def on_the_line(line: shapely.LineString, moved: shapely.LineString, epsg: int) -> float:
    """By how many metres the points of `line` (degrees), each moved by itself, lie off `moved` (UTM) at most."""
    way = Transformer.from_crs(4326, epsg, always_xy=True).transform
    points = np.column_stack(way(*shapely.get_coordinates(line.interpolate(np.linspace(0, 1, 500), normalized=True)).T))
    return float(shapely.distance(shapely.points(points), moved).max())


@given(longitudes, latitudes, st.floats(-3, 3), st.floats(0.001, 3))
def test_edges_straight_in_degrees_stay_where_they_are(x: float, y: float, across: float, along: float) -> None:
    epsg = utm_epsg(x, y)
    line = shapely.LineString([(x, y), (x + across, y + along)])
    assert on_the_line(line, to_utm(line, epsg), epsg) < PIXEL / 10


@given(longitudes, latitudes, st.floats(-50_000, 50_000), st.floats(1, 50_000))
def test_edges_straight_in_metres_stay_where_they_are(x: float, y: float, across: float, along: float) -> None:
    epsg = utm_epsg(x, y)
    start = to_utm(shapely.Point(x, y), epsg)
    line = shapely.LineString([(start.x, start.y), (start.x + across, start.y + along)])
    back = shapely.segmentize(to_wgs84(line, epsg), 0.0005)
    there = shapely.transform(back, lambda at: np.column_stack(
        Transformer.from_crs(4326, epsg, always_xy=True).transform(*at.T)))  # fmt: skip
    points = line.interpolate(np.linspace(0, 1, 500), normalized=True)
    assert shapely.distance(points, there).max() < PIXEL / 10


def test_short_edges_are_left_alone() -> None:
    aoi = shapely.Point(69.01, 33.01).buffer(0.01)
    assert shapely.get_num_coordinates(to_utm(aoi, 32642)) == shapely.get_num_coordinates(aoi)
    back = to_wgs84(to_utm(aoi, 32642), 32642)
    assert shapely.get_num_coordinates(back) == shapely.get_num_coordinates(aoi)


def test_a_mask_follows_long_edges() -> None:
    """The parallel of 60° N bulges by 3.8 km over 6°: corners alone would leave all this ground outside."""
    grid = grid_for(shapely.box(14.99, 59.999, 15.01, 60.001))
    mask = grid.mask(shapely.box(12, 58, 18, 60))
    south = grid.mask(shapely.box(14.9, 59.9, 15.1, 60))
    assert 0.4 < mask.mean() < 0.6 and (mask == south).mean() > 0.999


def test_what_crosses_180_is_cut_there_and_whole_in_metres() -> None:
    halves = shapely.MultiPolygon([shapely.box(179.99, 65, 180, 65.01), shapely.box(-180, 65, -179.98, 65.01)])
    grid = grid_for(halves)
    assert grid.epsg == 32601 and grid.width < 200
    whole = to_utm(halves, grid.epsg)
    assert whole.geom_type == "Polygon" and grid.mask(halves).sum() == pytest.approx(whole.area / 100, rel=0.01)
    back = to_wgs84(whole, grid.epsg)
    assert back.symmetric_difference(halves).area < 1e-9 and back.bounds[::2] == (-180, 180)
    assert grid_for(back) == grid


def test_the_largest_zone_has_a_place_in_every_utm_zone() -> None:
    for epsg in (32601, 32630, 32660, 32701, 32760):
        world = to_utm(shapely.box(-180, -90, 180, 90), epsg)
        assert world.is_valid and np.isfinite(world.bounds).all() and world.contains(shapely.Point(500_000, 5_000_000))
    assert to_utm(shapely.box(100, 0, 101, 1), 32601).is_empty
