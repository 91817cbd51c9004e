"""Rules, states and agreement as pure functions; then alerts on a real database, epoch after epoch."""

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import sql
from tasks import registry
from tasks.alert import agreement, alert, matching, next_state, severity
from tasks.grid import Grid, grid_for, to_utm, to_wgs84
from tasks.rasters import write_cog
from tasks.store import copy_rows

AOI = shapely.box(69.0, 33.0, 69.02, 33.02)
GRID = grid_for(AOI)
RULE = {"from_classes": [0, 10], "to_classes": [1, 6], "place": "anywhere", "threshold_hectares": 2.0}


def ground(column, row, width, height):
    """The outline (EPSG:4326) of a block of pixels of the grid."""
    west, north = GRID.left + 10 * column, GRID.top - 10 * row
    return to_wgs84(shapely.box(west, north - 10 * height, west + 10 * width, north), GRID.epsg)


def frame(*patches):
    """Changes (from, to, geometry)."""
    columns = {"from_class": [patch[0] for patch in patches], "to_class": [patch[1] for patch in patches]}
    return gpd.GeoDataFrame(columns, geometry=[patch[2] for patch in patches], crs=4326)


def matches(changes, licence=None, zones=None, **rule):
    return matching(changes=changes, rule={**RULE, **rule}, licence=licence, zones=zones, epsg=GRID.epsg)


def test_a_rule_fires_on_its_transition_from_its_threshold():
    (match,) = matches(frame((0, 1, ground(0, 0, 20, 10)), (1, 0, ground(50, 0, 90, 90))))
    assert match.hectares == pytest.approx(2.0) and match.geometry.geom_type == "MultiPolygon"
    assert matches(frame((0, 1, ground(0, 0, 19, 10)))) == []
    assert matches(frame((0, 4, ground(0, 0, 90, 90)))) == []
    assert matches(frame()) == []


def test_what_lies_within_30_m_belongs_together():
    near = frame((0, 1, ground(0, 0, 10, 10)), (10, 6, ground(12, 0, 10, 10)))
    far = frame((0, 1, ground(0, 0, 10, 10)), (10, 6, ground(14, 0, 10, 10)))
    assert [match.hectares for match in matches(near)] == [pytest.approx(2.0)]
    assert matches(far) == []
    two = frame((0, 1, ground(0, 0, 20, 10)), (0, 1, ground(0, 40, 30, 10)))
    assert [match.hectares for match in matches(two)] == [pytest.approx(3.0), pytest.approx(2.0)]


def test_a_place_cuts_the_ground():
    changes, half = frame((0, 1, ground(0, 0, 40, 10))), ground(0, 0, 25, 50)
    assert [match.hectares for match in matches(changes, zones=half, place="inside_zone")] == [pytest.approx(2.5)]
    outside = matches(changes, licence=half, place="outside_licence", threshold_hectares=0.5)
    assert [match.hectares for match in outside] == [pytest.approx(1.5)]
    assert matches(changes, place="inside_zone") == matches(changes, place="outside_licence") == []


BLOCKS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 30), st.integers(1, 30))


@given(st.lists(BLOCKS, max_size=6), BLOCKS)
def test_matches_are_apart_and_never_more_than_the_changes(blocks, licensed):
    changes, licence = frame(*((0, 1, ground(*block)) for block in blocks)), ground(*licensed)
    anywhere = matches(changes, threshold_hectares=0.01)
    outside = matches(changes, licence=licence, place="outside_licence", threshold_hectares=0.01)
    outlines = [to_utm(match.geometry, GRID.epsg) for match in anywhere]
    whole = shapely.union_all([to_utm(shape, GRID.epsg) for shape in changes.geometry], grid_size=0.01).area / 1e4
    assert sum(match.hectares for match in anywhere) == pytest.approx(whole, abs=0.01)
    assert sum(match.hectares for match in outside) <= whole + 0.01
    assert all(a.distance(b) > 29 for i, a in enumerate(outlines) for b in outlines[:i])
    assert all(match.geometry.is_valid for match in anywhere)


@pytest.mark.parametrize(("hectares", "level"), [(2.0, 1), (3.9, 1), (4.0, 2), (9.9, 2), (10.0, 3), (500, 3)])
def test_severity(hectares, level):
    assert severity(hectares, 2.0) == level


@pytest.mark.parametrize(
    ("observations", "age", "state"),
    [
        ("", 0, "provisional"), ("1", 5, "provisional"), ("0", 5, "provisional"),
        ("11", 5, "confirmed"), ("10", 5, "provisional"), ("01", 5, "provisional"), ("00", 5, "expired"),
        ("101", 5, "confirmed"), ("011", 5, "confirmed"), ("100", 5, "expired"), ("010", 5, "expired"),
        ("1001", 5, "expired"), ("0011", 5, "expired"),
        ("", 180, "provisional"), ("", 181, "expired"), ("1", 181, "expired"), ("11", 181, "confirmed"),
    ],
)  # fmt: skip
def test_the_truth_table_of_two_of_three(observations, age, state):
    seen = [int(each) for each in observations]
    assert next_state(state="provisional", observations=seen, n=2, m=3, age_days=age, expire_days=180) == state


@given(st.lists(st.booleans(), max_size=9), st.integers(1, 5), st.integers(0, 4), st.integers(0, 400))
def test_a_decided_alert_stays_decided(seen, n, more, age):
    given_ = {"n": n, "m": n + more, "age_days": age, "expire_days": 180}
    states = [
        next_state(state="provisional", observations=seen[:i], **{**given_, "age_days": 0})
        for i in range(len(seen) + 1)
    ]
    decided = [state for state in states if state != "provisional"]
    assert len(set(decided)) <= 1 and states == ["provisional"] * (len(states) - len(decided)) + decided
    assert next_state(state="provisional", observations=seen, **{**given_, "age_days": 181}) != "provisional"
    for state in ("confirmed", "acknowledged", "resolved", "expired"):
        assert next_state(state=state, observations=seen, **given_) == state


def test_agreement_needs_half_of_the_pixels_valid_and_half_of_those_of_the_rule():
    mask = np.array([[True] * 4 + [False]])

    def seen(*classes):
        return agreement(classes=np.array([[*classes, 1]], np.uint8), mask=mask, to_classes=[1, 6])

    assert seen(255, 255, 255, 1) is None and seen(255, 255, 255, 255) is None
    assert seen(255, 255, 0, 1) is True and seen(255, 255, 0, 0) is False
    assert seen(1, 6, 0, 0) is True and seen(1, 0, 0, 0) is False
    assert agreement(classes=np.ones((1, 5), np.uint8), mask=~np.ones((1, 5), bool), to_classes=[1]) is None


# From here on: a database, and epochs written straight into its tables.

PATCH = ground(20, 20, 20, 20)
START = datetime(2023, 1, 1, tzinfo=UTC)


@pytest.fixture
def mine(database, home):
    registry.publish_labels(database)
    return registry.add(database, slug="pit", name="Pit", aoi=AOI)


def observe(database, mine, home, day, *, dug=PATCH, cloud=False, changes=()):
    """Write an epoch `day` days after the start, in which `dug` is excavation, with its comparison and changes."""
    time, grid = START + timedelta(days=day), mine.grid
    classes = np.where(grid.mask(dug), 1, 0).astype(np.uint8) if dug else np.zeros((grid.height, grid.width), np.uint8)
    address = f"file://{home}/{day}-classes.tif"
    checksum = write_cog(address, np.full_like(classes, 255) if cloud else classes, grid,
                         descriptions=["class"], nodata=255)  # fmt: skip
    acquisition = database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state)"
        " values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, '{X}', 'segmented') returning *",
        (mine.mine_id, time.date(), time),
    ).fetchone()
    epoch = database.execute(
        "insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version,"
        " class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares)"
        " values (%s, %s, 's2-rgb', %s, 'm', 'c', '0', %s, %s, '-', '-', 1, 1) returning *",
        (acquisition["acquisition_id"], mine.mine_id, time, address, checksum),
    ).fetchone()
    return compared(database, epoch, changes)


def compared(database, epoch, changes):
    (row,) = sql.run(
        database, "comparison_add", epoch_id=epoch["epoch_id"], flow_run_id=None, previous_epochs=[],
        valid_hectares=1, unknown_hectares=0, changed_hectares=1,
    )  # fmt: skip
    owner, time = (row["comparison_id"], epoch["mine_id"]), epoch["sensing_time"]
    rows = ((*owner, before, after, 1.0, 0.9, time, time, shapely.MultiPolygon([shape]))
            for before, after, shape in changes)  # fmt: skip
    types = ["int8", "int4", "int2", "int2", "float4", "float4", "timestamptz", "timestamptz"]
    copy_rows(database, "change_copy", types, rows)
    return row


def alerts(database):
    return database.execute("select * from alert order by alert_id").fetchall()


def dump(database):
    events = database.execute("select * from alert_event order by alert_event_id").fetchall()
    return [{**row, "updated_at": None} for row in alerts(database)], events


def test_an_alert_is_raised_once_then_confirmed(database, home, mine):
    first = observe(database, mine, home, 0, changes=[(0, 1, PATCH)])
    (event,) = alert(database, first, mine)
    assert (event["to_state"], event["from_state"], event["rule"], event["slug"]) == (
        "provisional", None, "new-digging", "pit")  # fmt: skip
    assert event["hectares"] == pytest.approx(4.0, abs=0.01) and event["severity"] == 2
    before = dump(database)
    assert alert(database, first, mine) == [] and dump(database) == before

    second = observe(database, mine, home, 5)
    assert alert(database, second, mine) == [] and alert(database, second, mine) == []
    assert alerts(database)[0]["observations"] == [1]
    assert alert(database, observe(database, mine, home, 7, cloud=True), mine) == []
    assert alerts(database)[0]["observations"] == [1]
    third = observe(database, mine, home, 10)
    (event,) = alert(database, third, mine)
    assert (event["from_state"], event["to_state"]) == ("provisional", "confirmed")
    assert event["why"] == "2 of 2 later observations agree; 2 of 3 are needed"
    before = dump(database)
    assert alert(database, third, mine) == [] and dump(database) == before


def test_an_alert_expires_by_disagreement_and_is_not_raised_anew_by_the_same_comparison(database, home, mine):
    first = observe(database, mine, home, 0, changes=[(0, 1, PATCH)])
    alert(database, first, mine)
    events = [event for day in (5, 10) for event in alert(database, observe(database, mine, home, day, dug=None), mine)]
    assert [event["to_state"] for event in events] == ["expired"]
    assert alert(database, first, mine) == [] and len(alerts(database)) == 1
    again = alert(database, observe(database, mine, home, 15, changes=[(0, 1, PATCH)]), mine)
    assert [event["to_state"] for event in again] == ["provisional"] and len(alerts(database)) == 2


def test_an_alert_expires_by_age_even_under_clouds(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    (event,) = alert(database, observe(database, mine, home, 181, cloud=True), mine)
    assert event["to_state"] == "expired" and event["why"].startswith("not confirmed within 180 days")


def test_an_alert_that_goes_on_is_updated(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    wider = observe(database, mine, home, 5, dug=ground(20, 20, 60, 20), changes=[(0, 1, ground(42, 20, 38, 20))])
    assert alert(database, wider, mine) == []
    (row,) = alerts(database)
    assert row["hectares"] == pytest.approx(11.6, abs=0.01) and row["severity"] == 3
    assert row["first_time"] == START and row["last_time"] == START + timedelta(days=5)
    assert (row["last_epoch_id"], row["observations"]) == (wider["epoch_id"], [1])
    before = dump(database)
    assert alert(database, wider, mine) == [] and dump(database) == before
    far = observe(database, mine, home, 7, changes=[(0, 1, ground(20, 100, 20, 20))])
    assert len(alert(database, far, mine)) == 1 and len(alerts(database)) == 2


def test_a_late_epoch_dates_the_alert_back_and_is_no_later_observation(database, home, mine):
    alert(database, observe(database, mine, home, 10, changes=[(0, 1, PATCH)]), mine)
    assert alert(database, observe(database, mine, home, 5, changes=[(0, 1, PATCH)]), mine) == []
    (row,) = alerts(database)
    assert (row["first_time"], row["last_time"]) == (START + timedelta(days=5), START + timedelta(days=10))
    assert row["observations"] == []


def test_an_unreadable_raster_leaves_nothing_behind(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    second = observe(database, mine, home, 5, changes=[(0, 1, ground(20, 100, 20, 20))])
    (home / "5-classes.tif").write_bytes(b"no raster")
    before = dump(database)
    with pytest.raises(Exception, match="5-classes"):
        alert(database, second, mine)
    assert dump(database) == before


def test_zones_and_licence_are_read(database, home, mine):
    database.execute(
        "insert into zone (slug, name, kind, geom) values ('park', 'Park', 'reserve', st_geomfromwkb(%s, 4326))",
        (shapely.to_wkb(shapely.MultiPolygon([ground(0, 0, 30, 60)])),),
    )
    events = alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    assert {event["rule"]: round(event["hectares"], 1) for event in events} == {"new-digging": 4.0, "inside-zone": 2.0}


def test_grids_agree():
    assert isinstance(GRID, Grid) and GRID.mask(PATCH).sum() == 400
