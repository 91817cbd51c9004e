"""Alerts on a real database, epoch after epoch: raised, confirmed, carried on, expired."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

import sql
from tasks.alert import rules
from tasks.alert.alert import alert
from tasks.alert.lifecycle import decide, transition
from tasks.mines import registry
from tasks.rasters.cog import write_cog
from tasks.rasters.grid import Grid, grid_for, to_wgs84
from tasks.records import Comparison, Epoch

AOI = shapely.box(69.0, 33.0, 69.02, 33.02)
GRID = grid_for(AOI)


def ground(column, row, width, height):
    """The outline (EPSG:4326) of a block of pixels of the grid."""
    west, north = GRID.left + 10 * column, GRID.top - 10 * row
    return to_wgs84(shapely.box(west, north - 10 * height, west + 10 * width, north), GRID.epsg)


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
    row = database.execute(
        "insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version,"
        " class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares)"
        " values (%s, %s, 's2-rgb', %s, 'm', 'c', '0', %s, %s, '-', '-', 1, 1) returning *",
        (acquisition["acquisition_id"], mine.mine_id, time, address, checksum),
    ).fetchone()
    return compared(database, Epoch(**row), changes)


def compared(database, epoch, changes):
    (comparison,) = sql.fetch(
        database, Comparison, "comparison_add", epoch_id=epoch.epoch_id, flow_run_id=None, previous_epochs=[],
        valid_hectares=1, unknown_hectares=0, changed_hectares=1,
    )  # fmt: skip
    owner, time = (comparison.comparison_id, epoch.mine_id), epoch.sensing_time
    rows = ((*owner, before, after, 1.0, 0.9, time, time, shapely.MultiPolygon([shape]))
            for before, after, shape in changes)  # fmt: skip
    types = ["int8", "int4", "int2", "int2", "float4", "float4", "timestamptz", "timestamptz"]
    sql.copy_rows(database, "change_copy", types, rows)
    return comparison


def watered(database, mine, home, day, hectares, *, seen=1.0, dug=None):
    """Write an epoch in which a pond of so many hectares was seen, `seen` a share of the AOI."""
    comparison = observe(database, mine, home, day, dug=dug)
    keys = {"epoch": comparison.epoch_id, "seen": seen, "hectares": hectares, "mine": mine.mine_id,
            "geom": shapely.to_wkb(shapely.MultiPolygon([ground(20, 20, 20, round(5 * hectares))]))}  # fmt: skip
    database.execute("update epoch set valid_hectares = %(seen)s where epoch_id = %(epoch)s", keys)
    database.execute(
        "insert into segment (epoch_id, mine_id, class_id, hectares, confidence, sensing_time, geom)"
        " select epoch_id, mine_id, 6, %(hectares)s, 0.9, sensing_time, st_geomfromwkb(%(geom)s, 4326) from epoch"
        " where epoch_id = %(epoch)s", keys,
    )  # fmt: skip
    database.execute(
        "insert into class_area (epoch_id, class_id, sensing_time, hectares) select epoch_id, 6, sensing_time,"
        " %(hectares)s from epoch where epoch_id = %(epoch)s", keys,
    )  # fmt: skip
    return comparison


def only(database, **words):
    """Leave one rule: of water, unless it says otherwise, confirmed by two of three."""
    for row in rules.listed(database):
        rules.enable(database, row["name"], enabled=False)
    given = {"name": "the-rule", "description": "The rule", "to_classes": (6,), "threshold": 4.0, **words}
    rules.add(database, rules.rule_of(**given))


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
    assert (row["last_epoch_id"], row["observations"]) == (wider.epoch_id, [1])
    before = dump(database)
    assert alert(database, wider, mine) == [] and dump(database) == before
    far = observe(database, mine, home, 7, changes=[(0, 1, ground(20, 100, 20, 20))])
    assert len(alert(database, far, mine)) == 1 and len(alerts(database)) == 2


def test_a_confirmed_alert_that_becomes_more_severe_is_told_again(database, home, mine):
    only(database, measure="transition", from_classes=(0,), to_classes=(1,), threshold=2.0, severity_steps=(3.0,),
         confirm_n=1, confirm_m=1)  # fmt: skip
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    alert(database, observe(database, mine, home, 5), mine)
    wider = observe(database, mine, home, 10, dug=ground(20, 20, 60, 20), changes=[(0, 1, ground(42, 20, 38, 20))])
    (event,) = alert(database, wider, mine)
    assert (event["from_state"], event["to_state"], event["severity"]) == ("confirmed", "confirmed", 2)
    assert event["why"] == "more severe: 11.60 ha match the rule 'the-rule' now" and not event["quiet"]
    assert alert(database, wider, mine) == []


def test_in_a_cool_down_a_new_alert_is_told_when_it_is_confirmed(database, home, mine):
    only(database, measure="transition", from_classes=(0,), to_classes=(1,), cooldown_days=30)
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    for day in (5, 10):
        alert(database, observe(database, mine, home, day, dug=None), mine)
    (again,) = alert(database, observe(database, mine, home, 15, changes=[(0, 1, PATCH)]), mine)
    (far,) = alert(database, observe(database, mine, home, 16, changes=[(0, 1, ground(20, 100, 20, 20))]), mine)
    assert again["quiet"] and again["to_state"] == "provisional" and not far["quiet"]
    events = alert(database, observe(database, mine, home, 20), mine) + alert(
        database, observe(database, mine, home, 25), mine
    )
    said = {(event["alert_id"], event["to_state"]): event["quiet"] for event in events}
    assert said == {(again["alert_id"], "confirmed"): False, (far["alert_id"], "expired"): False}
    alert(database, observe(database, mine, home, 30, dug=None, changes=[(0, 1, ground(20, 100, 20, 20))]), mine)
    events = [event for day in (35, 40)
              for event in alert(database, observe(database, mine, home, day, dug=None), mine)]  # fmt: skip
    assert [(event["to_state"], event["quiet"]) for event in events] == [("expired", True)]
    (late,) = alert(database, observe(database, mine, home, 71, changes=[(0, 1, ground(20, 100, 20, 20))]), mine)
    assert not late["quiet"]


def test_ground_that_has_come_and_gone_before_is_told_when_it_is_confirmed(database, home, mine):
    only(database, measure="transition", from_classes=(0,), to_classes=(1, 6), cooldown_days=0)
    watered(database, mine, home, 0, 4)
    observe(database, mine, home, 5, dug=None)
    pond, smaller = ground(20, 20, 20, 20), ground(20, 20, 20, 50)
    (event,) = alert(database, observe(database, mine, home, 365, changes=[(0, 6, pond)]), mine)
    assert event["quiet"] and event["why"].endswith("the ground looked so before, on 2023-01-01")
    database.execute("update alert set state = 'resolved', last_time = '2020-01-01'")
    (event,) = alert(database, observe(database, mine, home, 366, changes=[(0, 1, smaller)]), mine)
    assert not event["quiet"]


def test_one_bad_look_makes_no_new_mine(database, home, mine):
    only(database, measure="transition", from_classes=(0,), to_classes=(6,))
    for day in (0, 5):
        watered(database, mine, home, day, 4)
    observe(database, mine, home, 10, dug=None)
    again = observe(database, mine, home, 15, changes=[(0, 6, ground(20, 20, 20, 20))])
    assert alert(database, again, mine) == [] == alerts(database)
    unseen = (
        "insert into unseen select epoch_id, st_multi(aoi) from epoch join mine using (mine_id) where sensing_time < %s"
    )
    database.execute(unseen, (START + timedelta(days=3),))
    assert len(alert(database, again, mine)) == 1  # of the two looks that showed a mine one now saw nothing


def test_small_steps_add_up_beside_a_standing_alert(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    for k in range(1, 4):  # 1.8 ha each, below the threshold of 2
        step = ground(20, 20 + 18 * k + 2, 10, 18)
        alert(database, observe(database, mine, home, 5 * k, changes=[(0, 1, step)]), mine)
    (row,) = alerts(database)
    assert row["hectares"] == pytest.approx(4.0 + 3 * 1.8, abs=0.01) and row["last_time"] == START + timedelta(days=15)
    lonely = observe(database, mine, home, 20, changes=[(0, 1, ground(20, 150, 10, 18))])
    assert alert(database, lonely, mine) == [] and len(alerts(database)) == 1


def test_ground_between_two_alerts_makes_them_one(database, home, mine):
    left, right, between = ground(20, 20, 20, 20), ground(60, 20, 20, 20), ground(40, 20, 20, 20)
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, left)]), mine)
    alert(database, observe(database, mine, home, 5, dug=shapely.union(left, right), changes=[(0, 1, right)]), mine)
    joining = observe(database, mine, home, 8, dug=ground(20, 20, 60, 20), changes=[(0, 1, between)])
    *_, event = alert(database, joining, mine)
    first, second = alerts(database)
    assert first["hectares"] == pytest.approx(12, abs=0.01) and first["state"] == "confirmed"
    assert (second["state"], event["why"]) == ("resolved", f"became part of alert {first['alert_id']}")


def test_a_person_who_decides_meanwhile_is_not_overruled(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    (row,) = alerts(database)
    decide(database, row["alert_id"], "resolve", who="eva", why="known")
    late = {"alert_id": row["alert_id"], "epoch_id": row["first_epoch_id"], "why": "2 of 2"}
    assert transition(database, from_state="provisional", to_state="confirmed", **late) == []
    assert alerts(database)[0]["state"] == "resolved"


def test_what_a_person_resolved_is_not_raised_again_while_it_lasts(database, home, mine):
    only(database, measure="patch", to_classes=(1, 6), threshold=3.0, confirm_n=1, confirm_m=1, cooldown_days=0)
    for day in (0, 5):
        alert(database, watered(database, mine, home, day, 4, dug=PATCH), mine)
    decide(database, alerts(database)[0]["alert_id"], "resolve", who="eva", why="has a permit")
    for day in (10, 50, 90):
        assert alert(database, watered(database, mine, home, day, 4, dug=PATCH), mine) == []
    assert alert(database, observe(database, mine, home, 95, dug=None), mine) == []
    assert len(alert(database, watered(database, mine, home, 100, 4, dug=PATCH), mine)) == 1


def test_a_pond_is_as_large_as_it_is_now(database, home, mine):
    only(database, measure="patch", threshold=3.0)
    alert(database, watered(database, mine, home, 0, 6), mine)
    alert(database, watered(database, mine, home, 5, 4), mine)
    assert alerts(database)[0]["measured"] == pytest.approx(4, abs=0.01)


def test_a_backfill_raises_its_own_beside_an_alert_of_years_later(database, home, mine):
    alert(database, observe(database, mine, home, 1000, changes=[(0, 1, PATCH)]), mine)
    decide(database, alerts(database)[0]["alert_id"], "resolve", who="eva", why="known")
    (event,) = alert(database, observe(database, mine, home, 10, changes=[(0, 1, PATCH)]), mine)
    assert event["to_state"] == "provisional" and not event["quiet"] and len(alerts(database)) == 2


@pytest.mark.parametrize(("dug", "state"), [(None, "expired"), (PATCH, "provisional")])
def test_newer_products_of_the_first_look_speak_on_its_alert(database, home, mine, dug, state):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    database.execute("update acquisition set superseded_at = now(), superseded_why = 'newer'")
    database.execute("update epoch set superseded_at = now(), superseded_why = 'newer'")
    again = observe(database, mine, home, 0, dug=dug)
    alert(database, again, mine)
    (row,) = alerts(database)
    assert row["state"] == state and (state == "expired" or row["first_epoch_id"] == again.epoch_id)
    assert alert(database, again, mine) == []


def test_a_rule_that_is_off_carries_on_what_stands(database, home, mine):
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    rules.enable(database, "new-digging", enabled=False)
    wider = [(0, 1, ground(42, 20, 38, 20)), (0, 1, ground(20, 150, 20, 20))]
    alert(database, observe(database, mine, home, 5, dug=ground(20, 20, 60, 20), changes=wider), mine)
    (row,) = alerts(database)
    assert row["hectares"] == pytest.approx(11.6, abs=0.01)


def test_hectares_of_a_class_are_measured_again_by_every_epoch(database, home, mine):
    only(database, measure="hectares")
    assert alert(database, watered(database, mine, home, 0, 3), mine) == []
    (event,) = alert(database, watered(database, mine, home, 5, 4), mine)
    assert (event["to_state"], round(event["measured"], 2)) == ("provisional", 4.0)
    assert alert(database, watered(database, mine, home, 8, 2, seen=0.5), mine) == []  # the rest may be under cloud
    assert alerts(database)[0]["observations"] == []
    assert alert(database, watered(database, mine, home, 10, 5), mine) == []
    (event,) = alert(database, watered(database, mine, home, 15, 4.4, seen=0.5), mine)
    (row,) = alerts(database)
    assert event["to_state"] == "confirmed" and row["observations"] == [1, 1] and row["severity"] == 1
    assert row["measured"] == pytest.approx(4.4, abs=0.01) == row["hectares"]
    assert alert(database, watered(database, mine, home, 12, 9), mine) == []  # a late one says nothing of today
    assert alerts(database)[0]["measured"] == row["measured"]


def test_growth_over_a_window(database, home, mine):
    only(database, measure="growth_percent", window_days=40, threshold=21.0)
    for day, hectares in ((0, 10), (10, 10.5), (20, 11)):
        assert alert(database, watered(database, mine, home, day, hectares), mine) == []
    assert alert(database, watered(database, mine, home, 30, 30, seen=0.5), mine) == []
    assert alert(database, watered(database, mine, home, 40, 12), mine) == []  # 20 %
    (event,) = alert(database, watered(database, mine, home, 42, 14), mine)
    assert (event["to_state"], event["measure"]) == ("provisional", "growth_percent") and event["measured"] >= 21
    assert event["why"].endswith("% match the rule 'the-rule' (from 21 %)")
    assert alerts(database)[0]["hectares"] == pytest.approx(14, abs=0.01)


def test_every_large_patch_has_an_alert_of_its_own(database, home, mine):
    only(database, measure="patch", threshold=3.0, confirm_n=1, confirm_m=2)
    assert len(alert(database, watered(database, mine, home, 0, 3), mine)) == 1
    assert [event["to_state"] for event in alert(database, observe(database, mine, home, 5, dug=None), mine)] == []
    assert alerts(database)[0]["observations"] == [0]


def test_a_late_epoch_dates_the_alert_back_and_later_ones_are_its_observations(database, home, mine):
    alert(database, observe(database, mine, home, 10, changes=[(0, 1, PATCH)]), mine)
    assert alert(database, observe(database, mine, home, 5, changes=[(0, 1, PATCH)]), mine) == []
    (row,) = alerts(database)
    assert (row["first_time"], row["last_time"]) == (START + timedelta(days=5), START + timedelta(days=10))
    assert row["observations"] == [1]


def test_what_comes_late_is_counted_in_its_place_and_may_decide_otherwise(database, home, mine):
    alert(database, observe(database, mine, home, 10, changes=[(0, 1, PATCH)]), mine)
    for day in (15, 20):
        alert(database, observe(database, mine, home, day), mine)
    assert alerts(database)[0]["state"] == "confirmed"
    assert alert(database, observe(database, mine, home, 12, dug=None), mine) == []
    assert (alerts(database)[0]["state"], alerts(database)[0]["observations"]) == ("confirmed", [0, 1, 1])
    (event,) = alert(database, observe(database, mine, home, 13, dug=None), mine)
    assert (event["from_state"], event["to_state"]) == ("confirmed", "expired")
    assert event["why"] == "0 of 2 later observations agree, with those that came late; 2 of 3 are needed"
    (row,) = alerts(database)
    assert (row["observations"], row["last_time"]) == ([0, 0], START + timedelta(days=13))


def test_what_comes_late_overrules_no_person(database, home, mine):
    alert(database, observe(database, mine, home, 10, changes=[(0, 1, PATCH)]), mine)
    for day in (15, 20):
        alert(database, observe(database, mine, home, day), mine)
    decide(database, alerts(database)[0]["alert_id"], "acknowledge", who="eva", why="seen on the ground")
    before = dump(database)
    for day in (12, 13):
        assert alert(database, observe(database, mine, home, day, dug=None), mine) == []
    assert dump(database) == before


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
