"""Edges that are straight in degrees, in Python and in SQL, held against every point of them moved by itself."""

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from tasks.alert.measures import matching
from tasks.mines import registry
from tasks.rasters import grid_for, to_utm, to_wgs84

HERE = {"measure": "patch", "place": "inside_zone", "threshold": 0.1, "severity_steps": []}


def moved(geometry: BaseGeometry, source: int, target: int, step: float) -> BaseGeometry:
    """Move every point of the edges, one each `step`."""
    way = Transformer.from_crs(source, target, always_xy=True)
    dense = shapely.segmentize(geometry, step)
    return shapely.transform(dense, lambda at: np.column_stack(way.transform(*at.T)))


def truth(patch: BaseGeometry, zone: BaseGeometry, epsg: int) -> float:
    """Hectares of `patch` (both in degrees) inside `zone`; none of them at 180°."""
    return moved(patch.intersection(zone), 4326, epsg, 0.0005).area / 1e4


@pytest.fixture
def seen(database: sql.Connection, home: Any) -> Any:
    """Register mines whose one epoch shows an excavation, and a zone; say what SQL and Python find inside it."""
    registry.publish_labels(database)

    def look(aoi: BaseGeometry, pit: BaseGeometry, zone: BaseGeometry) -> tuple[float, float]:
        with database.transaction(force_rollback=True):
            mine = registered(database, aoi)
            zoned(database, zone)
            dug(database, mine, pit)
            inside = database.execute("select sum(hectares) as ha from mined_outside('pit', '2024-01-02')").fetchone()
            found = sql.run_one(database, "zone_of_mine", mine_id=mine.mine_id)
        zones = shapely.from_wkb(bytes(found["geom"])) if found and found["geom"] else None
        found = matching(patches=[pit], rule=HERE, licence=None, zones=zones, epsg=mine.grid.epsg)
        return (inside or {})["ha"] or 0.0, sum(match.hectares for match in found)

    return look


def registered(database: sql.Connection, aoi: BaseGeometry) -> registry.Mine:
    words = dict.fromkeys((*registry.WORDS, "licence"))
    aoi = MultiPolygon(list(getattr(aoi, "geoms", [aoi])))
    sql.run(database, "mine_add", slug="pit", name="Pit", aoi=shapely.to_wkb(aoi), **words)
    return registry.find(database, "pit")


def dug(database: sql.Connection, mine: registry.Mine, pit: BaseGeometry) -> None:
    """Write an epoch of January 2024 whose only segment is an excavation."""
    database.execute(
        """
        with a as (
            insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state)
            values (%(mine)s, 's2-rgb', 'sentinel-2-l2a', '2024-01-01', '2024-01-01 10:00Z', '{X}', 'segmented')
            returning *
        ), e as (
            insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version,
                               class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares,
                               valid_hectares)
            select acquisition_id, mine_id, sensor_set, sensing_time, 'm', 'c', '0', '-', '-', '-', '-', 1, 1 from a
            returning *
        )
        insert into segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)
        select epoch_id, mine_id, 1, sensing_time, 1, 0.9, st_multi(st_geomfromwkb(%(geom)s, 4326)) from e""",
        {"mine": mine.mine_id, "geom": shapely.to_wkb(pit)},
    )


def zoned(database: sql.Connection, ground: BaseGeometry) -> None:
    database.execute(
        "insert into zone (slug, name, kind, geom)"
        " values ('z', 'Z', 'protected', st_multi(st_geomfromwkb(%s, 4326)))", (shapely.to_wkb(ground),),
    )  # fmt: skip


def square(longitude: float, latitude: float, metres: float) -> BaseGeometry:
    """A square in UTM around a place, in degrees."""
    epsg = grid_for(shapely.Point(longitude, latitude).buffer(0.001)).epsg
    middle = to_utm(shapely.Point(longitude, latitude), epsg)
    return to_wgs84(middle.buffer(metres / 2, cap_style="square"), epsg)


SIZES = [0.01, 0.1, 1.0, 6.0, 40.0, 180.0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(-1_700_000, 1_700_000).map(lambda at: at / 1e4),
    st.integers(-700_000, 750_000).map(lambda at: at / 1e4),
    st.sampled_from(SIZES),
    st.floats(-0.4, 0.4),
)
def test_python_and_sql_measure_alike_inside_zones_of_every_size(
    seen: Any, longitude: float, latitude: float, size: float, aside: float
) -> None:
    """The zone's southern edge runs through the pit."""
    across, along = size / 2, min(size, 89 - latitude)
    west = max(longitude - across + aside * size, -180.0)
    zone = shapely.box(west, latitude, min(west + size, 180.0), latitude + along)
    pit, aoi = square(longitude, latitude, 1000), square(longitude, latitude, 1400)
    right = truth(pit, zone, grid_for(aoi).epsg)
    assert seen(aoi, pit, zone) == (pytest.approx(right, abs=0.03), pytest.approx(right, abs=0.03))


@pytest.mark.parametrize("slant", [-25.0, 25.0])
def test_slanted_edges_run_straight_in_degrees(seen: Any, slant: float) -> None:
    zone = shapely.Polygon([(0, 60 - slant), (30, 60 + slant), (30, 89.9), (0, 89.9)])
    pit, aoi = square(15.0, 60.0, 1000), square(15.0, 60.0, 1400)
    right = truth(pit, zone, grid_for(aoi).epsg)
    assert 20 < right < 80
    assert seen(aoi, pit, zone) == (pytest.approx(right, abs=0.03), pytest.approx(right, abs=0.03))


@pytest.mark.parametrize("zone", [
    shapely.box(-180, 65, 180, 90), shapely.box(-180, 65, 180, 66),
    MultiPolygon([shapely.box(170, 65, 180, 70), shapely.box(-180, 65, -170, 70)]),
])  # fmt: skip
@pytest.mark.parametrize("longitude", [179.99, -179.995, 180.0])
def test_a_mine_and_a_zone_on_the_180th_meridian(seen: Any, zone: BaseGeometry, longitude: float) -> None:
    pit, aoi = square(longitude, 65.0, 1000), square(longitude, 65.0, 3000)
    epsg = grid_for(aoi).epsg
    half = moved(shapely.LineString([(179.8, 65), (180.2, 65)]), 4326, epsg, 0.0005)
    north = shapely.Polygon([*half.coords, (half.coords[-1][0], 8e6), (half.coords[0][0], 8e6)])
    right = to_utm(pit, epsg).intersection(north).area / 1e4
    assert 40 < right < 60 and grid_for(aoi).width < 400
    assert seen(aoi, pit, zone) == (pytest.approx(right, abs=0.03), pytest.approx(right, abs=0.03))


def test_a_licence_with_long_edges_keeps_lawful_ground_lawful(seen: Any) -> None:
    licence, epsg = shapely.box(22.0, 60.0, 23.0, 60.5), 32634
    pit = shapely.box(22.495, 60.0, 22.505, 60.005)
    rule = {**HERE, "place": "outside_licence"}
    assert sum(one.hectares for one in matching(
        patches=[pit], rule=rule, licence=licence, zones=None, epsg=epsg)) == pytest.approx(0, abs=0.02)  # fmt: skip


def test_the_database_moves_as_python_does(database: sql.Connection) -> None:
    for longitude, latitude in [
        (15.0, 60.0),
        (-70.0, -33.0),
        (179.99, 65.0),
        (0.0, 0.0),
        (-179.99, -16.0),
        (5.99, 80.0),
    ]:
        aoi = square(longitude, latitude, 3000)
        for shape in (
            aoi,
            shapely.box(-180, -90, 180, 90),
            shapely.box(-180, 0, 180, 85),
            shapely.box(0, -60, 180, 80),
        ):
            row = database.execute(
                "select utm_epsg(a) as epsg, st_asbinary(to_utm(g, utm_epsg(a))) as geom, hectares(g, a) as ha"
                " from st_geomfromwkb(%s, 4326) a, st_geomfromwkb(%s, 4326) g",
                (shapely.to_wkb(aoi), shapely.to_wkb(shape)),
            ).fetchone()
            assert row is not None and row["epsg"] == grid_for(aoi).epsg
            ours = to_utm(shape, row["epsg"])
            assert row["ha"] == pytest.approx(ours.area / 1e4, rel=1e-9)
            theirs = shapely.from_wkb(bytes(row["geom"]))
            assert theirs.symmetric_difference(ours).area <= 1e-6 * math.sqrt(ours.area) * 100


def test_zones_of_the_size_of_continents_are_cut_before_they_are_moved(database: sql.Connection, home: Any) -> None:
    """Coasts have a hundred thousand points; a mine needs the few that are near."""
    angles = np.linspace(0, 2 * math.pi, 200_000, endpoint=False)
    reach = 30 + np.sin(40 * angles)
    coast = shapely.Polygon(np.column_stack([20 + reach * np.cos(angles), 10 + reach * np.sin(angles)]))
    mine = registered(database, square(20.0, 10.0, 3000))
    zoned(database, coast)
    found = sql.run_one(database, "zone_of_mine", mine_id=mine.mine_id)
    assert found is not None and len(found["geom"]) < 1000
