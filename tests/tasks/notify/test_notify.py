"""Delivery through a real Prefect server, to a receiver on loopback that can be down."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import shapely
from prefect.artifacts import Artifact
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SlackWebhook
from prefect.events.clients import AssertingEventsClient
from prefect.events.worker import EventsWorker
from prefect.testing.utilities import prefect_test_harness

from tasks.alert.stale import stale
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.notify import routes
from tasks.notify.evidence import latest
from tasks.notify.notice import facts
from tasks.notify.notify import notify, receiver
from tasks.rasters.cog import write_cog
from tasks.rasters.grid import grid_for, to_wgs84

AOI = shapely.box(69.0, 33.0, 69.02, 33.02)
GRID = grid_for(AOI)
DAYS = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 1, tzinfo=UTC))


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=180):  # a busy machine takes its time
        yield


class Receiver:
    """What was received; `up` says whether it answers 200, and `trouble` what it does when it does not."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.up = True
        self.trouble = "fails"
        self.port = 0
        self.refused: str | None = None
        self.over = threading.Event()


@pytest.fixture
def channel() -> Iterator[Receiver]:
    channel = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if channel.refused and channel.refused in content["message"]:
                self.send_response(400)
                self.end_headers()
            elif channel.up:
                channel.received.append(content)
                self.send_response(200)
                self.end_headers()
            elif channel.trouble == "hangs":
                channel.over.wait(60)
            elif channel.trouble == "garbage":
                self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
            elif channel.trouble == "fails":
                self.send_response(503)
                self.end_headers()
            self.close_connection = True  # "closes": without a word

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    channel.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield channel
    channel.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def emitted(monkeypatch):
    """The events that were emitted, as Prefect's own asserting client keeps them."""
    AssertingEventsClient.reset()
    worker = EventsWorker.instance(AssertingEventsClient)
    monkeypatch.setattr(EventsWorker, "instance", classmethod(lambda cls, *_: worker))

    def events():
        worker.wait_until_empty()
        return [event for client in AssertingEventsClient.all for event in client.events]

    yield events
    worker.drain()
    AssertingEventsClient.reset()


def acquire(database, mine, home, time, product):
    array = np.full((5, GRID.height, GRID.width), 1000, np.uint16)
    array[:3, 20:40, 20:40] = 1000 if time == DAYS[0] else 4000
    array[0, ::7], array[4] = 1200, 1
    address = f"file://{home}/{time:%m}.tif"
    names = ["B02", "B03", "B04", "SCL", "dataMask"]
    checksum = write_cog(address, array, mine.grid, descriptions=names, nodata=None)
    row = database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state,"
        " raster, checksum) values (%s, 's2-rgb', 'sentinel-2-l2a', %s, %s, %s, 'segmented', %s, %s) returning *",
        (mine.mine_id, time.date(), time, [product], address, checksum),
    ).fetchone()
    return database.execute(
        "insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum, code_version,"
        " class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares, valid_hectares)"
        " values (%s, %s, 's2-rgb', %s, 's2-rgb-mines', 'abcdef0123', '0', '-', '-', '-', '-', 1, 1)"
        " returning epoch_id",
        (row["acquisition_id"], mine.mine_id, time),
    ).fetchone()["epoch_id"]


@pytest.fixture
def mine(database, home):
    """A mine with one provisional alert between two scenes, its event undelivered."""
    registry.publish_labels(database)
    mine = registry.add(database, slug="pit", name="East <pit>", aoi=AOI)
    first, second = (
        acquire(database, mine, home, time, product)
        for time, product in zip(DAYS, ("SIM_S2A_1", "S2A_MSIL2A_2"), strict=True)
    )
    west, north = GRID.left + 200, GRID.top - 200
    block = to_wgs84(shapely.box(west, north - 200, west + 200, north), GRID.epsg)
    values = {"first": first, "second": second, "mine": mine.mine_id, "old": DAYS[0], "new": DAYS[1],
              "geom": shapely.to_wkb(shapely.MultiPolygon([block]))}  # fmt: skip
    database.execute(
        "with k as (insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares,"
        " changed_hectares) values (%(second)s, %(mine)s, array[%(first)s]::bigint[], 1, 0, 4) returning *),"
        " c as (insert into change (comparison_id, mine_id, from_class, to_class, hectares, confidence, previous_time,"
        " sensing_time, geom) select comparison_id, mine_id, 0, 1, 4, 0.9, %(old)s, %(new)s,"
        " st_geomfromwkb(%(geom)s, 4326) from k),"
        " a as (insert into alert (mine_id, rule_id, severity, hectares, measured, first_time, last_time,"
        " first_epoch_id, last_epoch_id, geom) values (%(mine)s, 1, 2, 4, 4, %(new)s, %(new)s, %(second)s, %(second)s,"
        " st_geomfromwkb(%(geom)s, 4326)) returning alert_id)"
        " insert into alert_event (alert_id, to_state, epoch_id, actor, why)"
        " select alert_id, 'provisional', %(second)s, 'minecam', '4 ha match' from a",
        values,
    )
    return mine


def undelivered(database):
    return database.execute("select count(*) as n from alert_event where delivered_at is null").fetchone()["n"]


def test_an_event_reaches_artifact_and_event_stream_without_any_receiver(database, mine, emitted, caplog):
    caplog.set_level("INFO", "tasks.notify.notify")
    assert notify(database, mine) == 1 and undelivered(database) == 0
    artifact = Artifact.get("alert-1")
    assert artifact.data.startswith("## MineCam: new-digging provisional at East &lt;pit&gt;, 4.00 ha")
    assert "data:image/png;base64,iVBOR" in artifact.data and len(artifact.data) < 400_000
    for words in (
        "https://www.openstreetmap.org/?mlat=33.0", "s2-rgb-mines (abcdef01)", "SIM_S2A_1, S2A_MSIL2A_2",
        "contains modified Copernicus Sentinel data 2023; simulated by MineCam", "2023-02-01",
    ):  # fmt: skip
        assert words in artifact.data
    (event,) = [event for event in emitted() if event.event.startswith("minecam.")]
    assert event.event == "minecam.alert.provisional" and event.resource.id == "minecam.mine.pit"
    assert notify(database, mine) == 0
    assert [record.message for record in caplog.records if record.name == "tasks.notify.notify"] == [
        "pit: 1 events of alerts to deliver"
    ]


@pytest.mark.parametrize("trouble", ["fails", "hangs", "garbage", "closes"])
def test_a_receiver_in_trouble_leaves_the_event_for_the_next_run(
    database, mine, channel, emitted, caplog, monkeypatch, trouble
):
    SlackWebhook(url=f"json://127.0.0.1:{channel.port}/secret?cto=1&rto=1").save("down-then-up", overwrite=True)
    monkeypatch.setenv("MINECAM_NOTIFICATION_BLOCK", "down-then-up")
    channel.up, channel.trouble = False, trouble
    assert notify(database, mine) == 0 and undelivered(database) == 1
    told = database.execute("select block, tries, delivered_at is not null as done from delivery order by 1").fetchall()
    assert told == [
        {"block": "down-then-up", "tries": 1, "done": False},
        {"block": "prefect", "tries": 0, "done": True},
    ]
    assert "the notification block 'down-then-up' cannot be told" in caplog.text and "secret" not in caplog.text
    channel.up = True
    assert notify(database, mine) == 1 and undelivered(database) == 0
    (message,) = channel.received
    assert message["title"] == "MineCam: new-digging provisional at East <pit>, 4.00 ha"
    assert "Hectares: 4.00" in message["message"] and "openstreetmap" in message["message"]
    assert notify(database, mine) == 0 and len(channel.received) == 1


def test_routes_say_who_is_told_of_what_and_one_that_is_down_holds_up_nobody(
    database, mine, channel, emitted, monkeypatch
):
    monkeypatch.setenv("MINECAM_NOTIFY_ATTEMPTS", "1")
    for name, port in (("team", channel.port), ("office", channel.port), ("broken", 9)):
        SlackWebhook(url=f"json://127.0.0.1:{port}/{name}?cto=1&rto=1").save(name, overwrite=True)
    routes.add(database, block="broken")
    routes.add(database, block="team", rule="new-digging", least_severity=2)
    routes.add(database, block="team", rule="new-digging")  # told once all the same
    routes.add(database, block="office", states=["provisional", "confirmed"], digest=True)
    other = routes.add(database, block="office", rule="inside-zone")
    assert notify(database, mine) == 0 and len(channel.received) == 1  # the team; the office waits for the fleet's run
    assert notify(database) == 0 and [message["title"] for message in channel.received][1:] == [
        "MineCam: 1 news of alerts at 1 mines"
    ]
    assert "new-digging provisional at East <pit>, 4.00 ha" in channel.received[1]["message"]
    assert notify(database) == 0 and len(channel.received) == 2 and undelivered(database) == 1
    routes.remove(database, 1)
    assert notify(database) == 1 and len(channel.received) == 2 and undelivered(database) == 0
    with pytest.raises(WrongUse, match="there is no route 1"):
        routes.remove(database, 1)
    assert [row["route_id"] for row in routes.listed(database)] == [2, 3, 4, other]


def test_one_message_that_is_refused_holds_up_no_other(database, mine, channel, emitted, monkeypatch):
    monkeypatch.setenv("MINECAM_NOTIFY_ATTEMPTS", "1")
    SlackWebhook(url=f"json://127.0.0.1:{channel.port}/").save("picky", overwrite=True)
    routes.add(database, block="picky")
    channel.refused = "4 ha match"
    assert notify(database, mine) == 0
    database.execute("insert into alert_event (alert_id, to_state, actor, why) values (1, 'confirmed', 'x', 'later')")
    assert notify(database, mine) == 1 and undelivered(database) == 1
    (message,) = channel.received
    assert "Why: later" in message["message"]
    channel.refused = None
    assert notify(database, mine) == 1 and undelivered(database) == 0


def test_a_block_that_nobody_made_was_not_told(database, mine, emitted):
    assert notify(database, mine) == 1
    told = database.execute("select block from delivery").fetchall()
    assert [row["block"] for row in told] == ["prefect"]


def test_a_long_digest_is_cut(database, mine, channel, emitted):
    SlackWebhook(url=f"json://127.0.0.1:{channel.port}/").save("office", overwrite=True)
    routes.add(database, block="office", digest=True)
    database.execute(
        "insert into alert_event (alert_id, to_state, actor, why)"
        " select 1, 'confirmed', 'x', 'y' from generate_series(1, 24)"
    )
    assert notify(database) == 25
    assert [message["title"].split()[1] for message in channel.received] == ["20", "5"]


def test_words_are_found_whatever_became_of_the_rule(database, mine):
    database.execute("update rule set severity_steps = '{}'")
    assert facts(latest(database, 1))["Severity"] == "2 (at the threshold)"


def test_nobody_is_told_of_a_quiet_event_nor_of_states_without_a_route(database, mine, channel, emitted):
    SlackWebhook(url=f"json://127.0.0.1:{channel.port}/").save("confirmed-only", overwrite=True)
    routes.add(database, block="confirmed-only", states=["confirmed"])
    assert notify(database, mine) == 1 and channel.received == []
    database.execute(
        "insert into alert_event (alert_id, to_state, actor, why, quiet) values (1, 'confirmed', 'x', 'y', true)"
    )
    assert notify(database, mine) == 0 and channel.received == []
    with pytest.raises(WrongUse, match="there is no state 'gone'"):
        routes.add(database, block="confirmed-only", states=["gone"])


def test_an_alert_of_the_fleet_is_told_without_place_and_picture(database, mine, channel, emitted, monkeypatch):
    SlackWebhook(url=f"json://127.0.0.1:{channel.port}/").save("fleet-too", overwrite=True)
    monkeypatch.setenv("MINECAM_NOTIFICATION_BLOCK", "fleet-too")
    database.execute("update alert_event set delivered_at = now()")
    database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids)"
        " values (%s, 's2-rgb', 'sentinel-2-l2a', '2023-02-05', '2023-02-05', '{X}')", (mine.mine_id,)
    )  # fmt: skip
    database.execute("update rule set enabled = name = 'fleet-silent'")
    (event,) = stale(database, at=datetime(2023, 3, 30, tzinfo=UTC))
    assert notify(database) == 1
    (message,) = channel.received
    assert message["title"] == "MineCam: fleet-silent confirmed at the fleet, 22 days" and event["mine"] is None
    assert "Measured: 22 days" in message["message"] and "openstreetmap" not in message["message"]
    assert "data:image" not in Artifact.get("alert-2").data
    (emitted_event,) = [one for one in emitted() if one.event == "minecam.alert.confirmed"]
    assert emitted_event.resource.id == "minecam.fleet"


def test_a_webhook_is_a_receiver_too(database, mine, channel, emitted, monkeypatch):
    CustomWebhookNotificationBlock(
        name="hook", url=f"http://127.0.0.1:{channel.port}/", json_data={"subject": "{{subject}}"},
        allow_private_urls=True,
    ).save("hook", overwrite=True)  # fmt: skip
    monkeypatch.setenv("MINECAM_NOTIFICATION_BLOCK", "custom-webhook/hook")
    assert notify(database, mine) == 1
    assert channel.received == [{"subject": "MineCam: new-digging provisional at East <pit>, 4.00 ha"}]


def test_a_name_without_a_block_is_none_and_one_of_two_is_wrong_use(channel):
    assert receiver("nobody") is None
    SlackWebhook(url="json://127.0.0.1/").save("twice", overwrite=True)
    CustomWebhookNotificationBlock(name="twice", url="http://127.0.0.1/", json_data={}).save("twice", overwrite=True)
    with pytest.raises(WrongUse, match="several blocks 'twice'"):
        receiver("twice")
    assert receiver("custom-webhook/twice") is not None


def test_a_missing_raster_costs_the_picture_only(database, mine, home, emitted):
    (home / "02.tif").unlink()
    assert notify(database, mine) == 1
    assert "data:image" not in Artifact.get("alert-1").data
