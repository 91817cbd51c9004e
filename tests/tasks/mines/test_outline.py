import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from tasks.errors import WrongUse
from tasks.mines.outline import sound, sound_aoi, square_kilometres
from tasks.rasters.grid import to_wgs84

BOW_TIE = Polygon([(0, 0), (0.1, 0.1), (0.1, 0), (0, 0.1)])
SPIKE = Polygon([(0, 0), (0.1, 0), (0.1, 0.05), (0.12, 0.05), (0.1, 0.05), (0.1, 0.1), (0, 0.1)])


@pytest.mark.parametrize(
    ("outline", "reason"),
    [
        (None, "empty"),
        (Polygon(), "empty"),
        (Point(1, 2), "Point, not a polygon"),
        (LineString([(0, 0), (1, 1)]), "not a polygon"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), "no area"),
        (box(0, 0, 1e-6, 1e-6), "no area"),
        (BOW_TIE, "crosses itself"),
        (box(0, 0, 3, 3), "MINECAM_MAX_AOI_KM2"),
        (box(179, 0, 181, 1), "±180"),
        (box(0, 89, 1, 91), "±90"),
        (box(-179, 0, 179, 0.01), "half the globe"),
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
