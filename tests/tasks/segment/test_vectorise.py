import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.rasters.grid import Grid, to_utm
from tasks.segment.sieve import sieved
from tasks.segment.vectorise import polygons

GRID = Grid(32642, 500_000, 3_700_000, 24, 20)
CLASSES = arrays(np.uint8, (20, 24), elements=st.sampled_from([0, 0, 1, 2, 255]))


def drawn(classes, min_hectares=0.0):
    return polygons(classes=classes, confidence=np.full_like(classes, 80), grid=GRID, min_hectares=min_hectares)


@settings(max_examples=30, deadline=None)
@given(CLASSES, st.sampled_from([0.0, 0.03]))
def test_areas_add_up_and_polygons_are_valid(classes, min_hectares):
    frame = drawn(classes, min_hectares)
    kept = sieved(classes, min_hectares)
    for class_id in (1, 2):
        rows = frame[frame.class_id == class_id]
        assert np.isclose(rows.hectares.sum(), (kept == class_id).sum() * 0.01)
        in_utm = sum(to_utm(geometry, GRID.epsg).area for geometry in rows.geometry) / 10_000
        assert np.isclose(in_utm, rows.hectares.sum(), atol=1e-5)
    assert frame.geometry.is_valid.all()
    assert (frame.geom_type == "MultiPolygon").all()


@settings(max_examples=30, deadline=None)
@given(CLASSES)
def test_neighbours_share_their_edges(classes):
    frame = drawn(classes)
    parts = shapely.get_parts(frame.geometry.to_numpy())
    assert len(parts) == 0 or shapely.coverage_is_valid(parts)


@settings(max_examples=20, deadline=None)
@given(CLASSES)
def test_specks_go_once_and_nodata_stays(classes):
    once = sieved(classes, 0.04)
    assert np.array_equal(once, sieved(once, 0.04))
    assert np.array_equal(once == 255, classes == 255)


def test_nothing_drawn_is_an_empty_frame():
    frame = drawn(np.zeros((20, 24), np.uint8))
    assert frame.empty and frame.crs == "EPSG:4326" and {"class_id", "hectares", "confidence"} <= set(frame.columns)


def test_confidence_is_the_mean_of_the_pixels():
    classes = np.zeros((20, 24), np.uint8)
    classes[2:4, 2:4] = 6
    confidence = np.zeros_like(classes)
    confidence[2, 2:4], confidence[3, 2:4] = 100, 50
    frame = polygons(classes=classes, confidence=confidence, grid=GRID, min_hectares=0.04)
    assert frame.confidence.tolist() == [0.75]
    assert frame.hectares.tolist() == [0.04]
