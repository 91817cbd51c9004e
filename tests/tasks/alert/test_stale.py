"""The stale watch on a real database: mines that nobody saw, fleets of which nothing came."""

from datetime import timedelta

import pytest
import shapely

import sql
from tasks.alert.lifecycle import decide
from tasks.alert.stale import stale
from tasks.mines import registry
from tests.tasks.alert.test_alert import AOI, START, alerts, mine, observe

__all__ = ["mine"]


def at(day):
    return START + timedelta(days=day)


def said(events):
    return [(event["slug"], event["rule"], event["from_state"], event["to_state"]) for event in events]


@pytest.fixture
def watched(database, home, mine):
    """A mine that is seen every 5 days from day 0 to 20."""
    database.execute("update mine set registered_at = %s", (START,))
    for day in (0, 5, 10, 15, 20):
        observe(database, mine, home, day)
    return mine


def test_a_mine_that_is_not_seen_alerts_once_and_is_over_when_it_is_seen(database, home, watched):
    assert stale(database, at=at(25)) == []
    assert stale(database, at=at(26)) == []  # the products of a day may come on the next
    events = stale(database, at=at(51))
    assert said(events) == [("pit", "not-seen", None, "confirmed"), (None, "fleet-silent", None, "confirmed")]
    assert events[0]["why"] == "31 days (from 30 days): it was seen last on 2023-01-21"
    assert stale(database, at=at(51)) == stale(database, at=at(55)) == []
    assert stale(database, at=at(50)) == []  # the clock was set back
    mines, fleet = alerts(database)
    assert mines["measured"] == pytest.approx(35) and mines["mine_id"] == watched.mine_id and mines["geom"]
    assert fleet["mine_id"] is None is fleet["geom"] and fleet["measured"] == 30  # 35 less the usual 5
    (worse,) = stale(database, at=at(81))
    assert (worse["from_state"], worse["to_state"], worse["severity"]) == ("confirmed", "confirmed", 2)
    observe(database, watched, home, 82)
    over = stale(database, at=at(83))
    assert said(over) == [("pit", "not-seen", "confirmed", "resolved"),
                          (None, "fleet-silent", "confirmed", "resolved")]  # fmt: skip
    assert over[0]["why"] == "over: it was seen last on 2023-03-24"
    assert stale(database, at=at(83)) == []


def test_a_mine_under_cloud_for_long_is_not_seen_while_the_fleet_goes_on(database, home, watched):
    for day in range(25, 80, 5):
        row = observe(database, watched, home, day, cloud=True)
        database.execute("update epoch set valid_hectares = 0.4 where epoch_id = %s", (row.epoch_id,))
    assert said(stale(database, at=at(76))) == [("pit", "not-seen", None, "confirmed")]


def test_a_mine_that_was_never_seen_counts_from_its_registration(database, home, watched):
    far = registry.add(database, slug="new", name="New", aoi=shapely.affinity.translate(AOI, 1))
    database.execute("update mine set registered_at = %s where mine_id = %s", (at(10), far.mine_id))
    assert stale(database, at=at(25)) == []
    (event,) = [event for event in stale(database, at=at(41)) if event["slug"] == "new"]
    assert "it was never seen since it is watched, 2023-01-11" in event["why"]


def test_an_acknowledged_silence_stays_quiet_until_it_is_over(database, home, watched):
    stale(database, at=at(51))
    for row in alerts(database):
        decide(database, row["alert_id"], "acknowledge", who="eva", why="the antenna is down")
    assert stale(database, at=at(52)) == []
    observe(database, watched, home, 60)
    assert {event["to_state"] for event in stale(database, at=at(61))} == {"resolved"}


def test_a_fleet_of_which_nothing_ever_came_counts_from_its_registration(database, home, mine):
    database.execute("update mine set registered_at = %s", (START,))
    assert stale(database, at=at(6)) == []
    (event,) = stale(database, at=at(7))
    assert event["rule"] == "fleet-silent" and event["why"].endswith("nothing ever came, since 2023-01-01")


def test_what_a_person_has_dealt_with_is_not_raised_again_while_it_lasts(database, home, watched):
    stale(database, at=at(51))
    for row in alerts(database):
        decide(database, row["alert_id"], "resolve", who="eva", why="snow until spring")
    assert stale(database, at=at(52)) == stale(database, at=at(90)) == [] and len(alerts(database)) == 2
    observe(database, watched, home, 95)
    assert stale(database, at=at(96)) == []
    assert len(stale(database, at=at(130))) == 2  # that the fleet was silent for long makes its next silence no shorter


def test_silence_ends_for_who_no_longer_listens(database, home, watched):
    stale(database, at=at(51))
    database.execute("update rule set enabled = false")
    observe(database, watched, home, 60)
    assert {event["to_state"] for event in stale(database, at=at(61))} == {"resolved"}
    assert stale(database, at=at(99)) == []
    database.execute("update rule set enabled = true")
    stale(database, at=at(120))
    database.execute("update mine set retired_at = now()")
    events = stale(database, at=at(121))
    assert {(event["to_state"], event["why"]) for event in events} == {
        ("resolved", "over: it is no longer watched for that")
    }


def test_what_was_given_up_alerts_until_it_is_made_good(database, home, watched, monkeypatch):
    monkeypatch.setenv("MINECAM_MAX_TRIES", "2")
    (one,) = database.execute("select acquisition_id from acquisition order by sensing_time desc limit 1").fetchall()

    def fail():
        sql.run(database, "acquisition_failed", reason="answered 500", **one)

    fail()
    assert stale(database, at=at(21)) == []  # tried again by the next run
    fail()
    (event,) = stale(database, at=at(21))
    assert said([event]) == [("pit", "given-up", None, "confirmed")]
    assert event["why"] == "1 acquisition (from 1 acquisition): the latest, of 2023-01-21: answered 500"
    assert stale(database, at=at(22)) == []
    database.execute("update acquisition set state = 'segmented' where acquisition_id = %(acquisition_id)s", one)
    assert said(stale(database, at=at(23))) == [("pit", "given-up", "confirmed", "resolved")]
