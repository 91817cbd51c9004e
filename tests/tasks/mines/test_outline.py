import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import translate
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from tasks.errors import WrongUse
from tasks.mines.outline import area_text, sound, sound_aoi, square_kilometres
from tasks.rasters.grid import grid_for, to_wgs84

BOW_TIE = Polygon([(0, 0), (0.1, 0.1), (0.1, 0), (0, 0.1)])
SPIKE = Polygon([(0, 0), (0.1, 0), (0.1, 0.05), (0.12, 0.05), (0.1, 0.05), (0.1, 0.1), (0, 0.1)])


@pytest.mark.parametrize(
    ("outline", "reason"),
    [
        (None, "empty"),
        (Polygon(), "empty"),
        (Point(1, 2), "1 point, not a polygon: .*--buffer"),
        (LineString([(0, 0), (1, 1)]), "1 line, not a polygon: draw it"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), "no area"),
        (box(0, 0, 1e-6, 1e-6), "no area"),
        (BOW_TIE, "crosses itself"),
        (box(0, 0, 3, 3), "MINECAM_MAX_AOI_KM2"),
        (box(0, 89, 1, 91), "±90"),
        (shapely.segmentize(box(-170, 0, 170, 0.01), 90), "MINECAM_MAX_AOI_KM2"),
        (box(21.1, 121.1, 21.2, 121.2), "swapped"),
        (box(300_000, 5_000_000, 300_100, 5_000_100), "±180"),
    ],
)
def test_what_is_no_mine_is_refused(outline: Polygon, reason: str) -> None:
    with pytest.raises(WrongUse, match=reason):
        sound(outline, max_km2=10_000)


def test_a_fault_without_area_is_repaired() -> None:
    outline = sound(SPIKE, max_km2=10_000)
    assert outline.repaired
    assert outline.geometry.is_valid and outline.geometry.geom_type == "MultiPolygon"
    assert outline.geometry.area == pytest.approx(0.01)


def test_heights_are_dropped() -> None:
    outline = sound(shapely.force_3d(box(0, 0, 0.1, 0.1), 7), max_km2=1000)
    assert not outline.geometry.has_z and not outline.repaired


def test_area_is_geodesic() -> None:
    assert square_kilometres(box(0, 0, 1, 1)) == pytest.approx(12_309, rel=1e-3)
    assert square_kilometres(MultiPolygon([box(0, 0, 1, 1), box(2, 0, 3, 1)])) == pytest.approx(24_617, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)), min_size=3, max_size=9))
def test_any_ring_is_sound_or_refused(ring: list[tuple[float, float]]) -> None:
    try:
        outline = sound(Polygon(ring), max_km2=10_000)
    except WrongUse:
        return
    assert outline.geometry.is_valid and outline.geometry.area > 0
    assert abs(outline.geometry.area - Polygon(ring).area) <= 0.011 * outline.geometry.area


def test_parts_too_far_apart_for_one_grid_are_refused() -> None:
    far = MultiPolygon([box(0, 0, 0.1, 0.1), box(20, 20, 20.1, 20.1)])
    with pytest.raises(WrongUse, match=r"reaches over .* km², more than MINECAM_MAX_AOI_KM2 .*register its parts"):
        sound_aoi(far, max_km2=10_000)
    assert sound_aoi(MultiPolygon([box(0, 0, 0.1, 0.1), box(0.5, 0, 0.6, 0.1)]), max_km2=10_000)


def test_an_outline_without_a_pixel_centre_is_refused() -> None:
    x, y = 500_000, 1_000_000  # a corner of four pixels
    strip = to_wgs84(box(x + 1, y + 1, x + 3, y + 400), 32633)
    assert sound(strip, max_km2=100)
    with pytest.raises(WrongUse, match="centre of no 10 m pixel"):
        sound_aoi(strip, max_km2=100)
    assert sound_aoi(to_wgs84(box(x + 1, y + 1, x + 9, y + 400), 32633), max_km2=100)


PIT, DUMP = box(-69.1, -24.3, -69.07, -24.27), box(-69.02, -24.3, -68.99, -24.27)


@pytest.mark.parametrize(
    "written",
    [
        GeometryCollection([PIT, DUMP]),
        GeometryCollection([MultiPolygon([PIT]), GeometryCollection([GeometryCollection([DUMP])])]),
        GeometryCollection([Point(-69, -24), PIT, LineString([(-69, -24), (-70, -24)]), DUMP]),
        MultiPolygon([PIT, DUMP, PIT]),
        MultiPolygon([box(-69.1, -24.3, -69.08, -24.27), box(-69.08, -24.3, -69.07, -24.27), DUMP]),
        MultiPolygon([box(-69.1, -24.3, -69.075, -24.27), box(-69.08, -24.3, -69.07, -24.27), DUMP]),
        GeometryCollection([translate(PIT, 360), translate(DUMP, 360)]),
    ],
    ids=["flat", "nested", "with a label and a road", "twice", "touching", "overlapping", "from 0 to 360"],
)
def test_one_ground_is_one_outline_however_it_is_written(written: BaseGeometry) -> None:
    outline = sound_aoi(written, max_km2=100)
    assert not outline.repaired and len(outline.geometry.geoms) == 2
    assert outline.geometry.symmetric_difference(MultiPolygon([PIT, DUMP])).area < 1e-12


@pytest.mark.parametrize(
    "written",
    [
        MultiPolygon([box(179.99, 66, 180, 66.02), box(-180, 66, -179.98, 66.02)]),
        Polygon([(179.99, 66), (-179.98, 66), (-179.98, 66.02), (179.99, 66.02)]),
        box(179.99, 66, 180.02, 66.02),
        box(-180.01, 66, -179.98, 66.02),
        GeometryCollection([box(179.99, 66, 180.01, 66.02), box(-180, 66, -179.98, 66.02)]),
    ],
    ids=["cut", "wrapped", "past 180", "past -180", "both"],
)
def test_a_mine_across_the_180th_meridian_is_one_however_it_is_written(written: BaseGeometry) -> None:
    outline = sound_aoi(written, max_km2=100)
    west, _, east, _ = outline.geometry.bounds
    assert (west, east) == (-180, 180) and len(outline.geometry.geoms) == 2
    assert square_kilometres(outline.geometry) == pytest.approx(square_kilometres(box(0, 66, 0.03, 66.02)), rel=1e-6)
    grid = grid_for(outline.geometry)
    assert grid.epsg in (32601, 32660) and grid.width < 200
    assert grid.mask(outline.geometry).sum() / 1e4 == pytest.approx(square_kilometres(outline.geometry), rel=5e-3)


def test_a_wrapped_outline_keeps_its_hole_and_its_crossing_is_told() -> None:
    ring = [(179.9, 66), (-179.9, 66), (-179.9, 66.1), (179.9, 66.1)]
    hole = [(-179.96, 66.02), (-179.96, 66.04), (-179.92, 66.04), (-179.92, 66.02)]
    area = square_kilometres(sound(Polygon(ring, [hole]), max_km2=1000).geometry)
    whole = box(0, 66, 0.2, 66.1) - box(0.14, 66.02, 0.18, 66.04)
    assert area == pytest.approx(square_kilometres(whole), rel=1e-5)
    with pytest.raises(WrongUse, match="the zone crosses itself"):
        sound(Polygon([ring[0], ring[2], ring[1], ring[3]]), max_km2=1000, what="zone")


def test_a_zone_around_the_globe_is_left_whole() -> None:
    zone = sound(box(-180, -90, 180, -60), max_km2=math.inf, what="zone").geometry
    assert zone.equals(box(-180, -90, 180, -60))


def test_one_crossing_part_is_refused_beside_sound_ones_and_called_what_it_is() -> None:
    with pytest.raises(WrongUse, match="the licence crosses itself"):
        sound(GeometryCollection([BOW_TIE, PIT]), max_km2=10_000, what="licence")
    assert sound(GeometryCollection([SPIKE, PIT]), max_km2=10_000, what="licence").repaired


def test_small_areas_are_told_in_hectares() -> None:
    assert area_text(box(-69.1, -24.3, -69.0995, -24.2996)) == "0.22 ha"
    assert area_text(PIT) == "10.12 km²"


def test_points_are_counted_in_words() -> None:
    with pytest.raises(WrongUse, match="the outline is 11 points, not a polygon"):
        sound(shapely.MultiPoint([(number, 0) for number in range(11)]), max_km2=100)
