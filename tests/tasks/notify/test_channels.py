"""What each channel takes: the blocks that people use, before receivers that refuse what the real ones refuse."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import pytest
import requests
import shapely
from prefect.blocks.notifications import (
    CustomWebhookNotificationBlock,
    DiscordWebhook,
    MattermostWebhook,
    MicrosoftTeamsWebhook,
    SendgridEmail,
    SlackWebhook,
)

import sql
from tasks.mines import registry
from tasks.notify import routes
from tasks.notify.messages import ENDLESS, Room, cut, length, shorten
from tasks.notify.notify import notify

module = import_module("tasks.notify.notify")
PRODUCT = "S2A_MSIL2A_20230201T055221_N0509_R048_T42SVC_20230201T091234.SAFE"
TEAMS = "https://prod-1.westeurope.logic.azure.com:443/workflows/{}/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={}"
DISCORD = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnop"


class Receiver:
    """What was received as text; `limit` says how many characters of it are taken, or bytes of the whole request."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.refused = 0
        self.limit, self.bytes, self.last = ENDLESS, ENDLESS, ENDLESS
        self.port = 0

    def take(self, content: bytes) -> int:
        said = json.loads(content)
        attached = (said.get("attachments") or [{}])[0]
        text = (
            "\n".join(part["text"] for part in attached["content"]["body"] if "text" in part) if "content" in attached
            else f"{attached['title']}\n{attached['text']}" if attached
            else f"{said['subject']}\n{said['content'][0]['value']}" if isinstance(said.get("content"), list)
            else said.get("content") or said.get("text") or f"{said['title']}\n{said['message']}"
        )  # fmt: skip
        if len(text) > self.limit or len(content) > self.bytes or len(self.texts) >= self.last:
            self.refused += 1
            return 400
        self.texts.append(text)
        return 200


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver to which every request goes, whatever host it names."""
    channel = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(channel.take(self.rfile.read(int(self.headers["Content-Length"]))))
            self.end_headers()
            self.wfile.write(b"ok")  # in Slack's words

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    channel.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    send = requests.Session.send

    def send_here(session: requests.Session, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        request.url = f"http://127.0.0.1:{channel.port}/"
        return send(session, request, **given)

    monkeypatch.setattr(requests.Session, "send", send_here)
    yield channel
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """The port of a mail server of a few words, and the texts that it took."""
    texts: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    message = message_from_bytes(b"".join(lines), policy=policy.default)
                    texts.append(f"{message['Subject']}\n{message.get_body(('plain', 'html')).get_content()}")
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 taken\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server.server_address[1], texts
    server.shutdown()
    server.server_close()


@pytest.fixture
def raise_alerts(database: sql.Connection, home: object) -> Callable[..., None]:
    """Raises alerts of three mines, all of which Prefect was told already."""
    registry.publish_labels(database)
    for slug in ("a", "b", "c"):
        registry.add(database, slug=slug, name=f"Pit {slug}", aoi=shapely.box(69.0, 33.0, 69.02, 33.02))
    day, outline = (
        datetime(2023, 2, 1, tzinfo=UTC),
        shapely.to_wkb(shapely.MultiPolygon([shapely.box(69, 33, 69.01, 33.01)])),
    )

    def make(count: int, why: str = "4 ha match", products: int = 4) -> None:
        for number in range(count):
            row = database.execute(
                "with q as (insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time,"
                " product_ids, state) values (%(mine)s, 's2-rgb', 'sentinel-2-l2a', %(day)s, %(day)s, %(products)s,"
                " 'segmented') on conflict do nothing returning acquisition_id),"
                " e as (insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum,"
                " code_version, class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares,"
                " valid_hectares) select acquisition_id, %(mine)s, 's2-rgb', %(day)s, 'm', 'abcdef0123', '0', '-', '-',"
                " '-', '-', 1, 1 from q returning epoch_id),"
                " f as (select epoch_id from e union all select epoch_id from epoch where mine_id = %(mine)s limit 1),"
                " a as (insert into alert (mine_id, rule_id, severity, hectares, measured, first_time, last_time,"
                " first_epoch_id, last_epoch_id, geom) select %(mine)s, 1, 1 + %(number)s %% 3, 4, 4, %(day)s, %(day)s,"
                " epoch_id, epoch_id, st_geomfromwkb(%(geom)s, 4326) from f returning alert_id)"
                " insert into alert_event (alert_id, to_state, actor, why)"
                " select alert_id, 'provisional', 'minecam', %(why)s from a returning alert_event_id",
                {"mine": 1 + number % 3, "day": day, "products": [PRODUCT] * products, "number": number, "why": why,
                 "geom": outline},
            ).fetchone()  # fmt: skip
            assert row is not None
            sql.run(database, "delivery_done", events=[row["alert_event_id"]], block="prefect")

    return make


def told(texts: list[str]) -> list[int]:
    """Return the numbers of the alerts in the order in which they were told."""
    return [int(line.split(",")[0][7:]) for text in texts for line in text.splitlines() if line.startswith("Alert: ")]


def use(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
    monkeypatch.setattr(module, "receiver", lambda _: make())
    monkeypatch.setenv("MINECAM_NOTIFY_ATTEMPTS", "1")


SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyzabcdefghi/12315544/"
CHANNELS: dict[str, tuple[Callable[[], Any], int, int]] = {
    "discord": (lambda: DiscordWebhook(webhook_id="1" * 18, webhook_token="a" * 16), 2_000, ENDLESS),
    "mattermost": (lambda: MattermostWebhook(hostname="chat.org", token="a" * 16), 4_000, ENDLESS),
    "slack": (lambda: SlackWebhook(url=SLACK), 40_000, ENDLESS),
    "teams": (lambda: MicrosoftTeamsWebhook(url=TEAMS.format("a" * 32, "b" * 43)), ENDLESS, 28 * 1024),
    "telegram": (lambda: SlackWebhook(url=TELEGRAM), 4_096, ENDLESS),
    "sendgrid": (lambda: SendgridEmail(api_key="k", sender_email="a@b.org", to_emails=["c@d.org"]), ENDLESS, ENDLESS),
    "any": (lambda: SlackWebhook(url="json://127.0.0.1/x"), ENDLESS, ENDLESS),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS)
def test_a_digest_is_split_by_what_the_channel_takes(
    database: sql.Connection, raise_alerts: Callable[..., None], channel: Receiver, monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:  # fmt: skip
    make, channel.limit, channel.bytes = CHANNELS[name]
    use(monkeypatch, make)
    routes.add(database, block="team", digest=True)
    raise_alerts(25, why="Grüße, 字 and 🏗 of 4 ha match")
    assert notify(database) == 25 and channel.refused == 0
    assert sorted(told(channel.texts)) == list(range(1, 26)), "each alert is told once, in one piece"
    parts = len(channel.texts)
    for number, text in enumerate(channel.texts, 1):
        assert "news of alerts at" in text and f"({number}/{parts})" in text
        assert "Cut; " not in text
    severities = [1 + (alert - 1) % 3 for alert in told(channel.texts)]
    assert severities == sorted(severities, reverse=True), "the most severe first"
    assert notify(database) == 0 and len(channel.texts) == parts


@pytest.mark.parametrize("name", CHANNELS)
def test_a_notice_longer_than_a_message_is_cut_and_says_where_the_rest_is(
    database: sql.Connection, raise_alerts: Callable[..., None], channel: Receiver, monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:  # fmt: skip
    make, channel.limit, channel.bytes = CHANNELS[name]
    use(monkeypatch, make)
    routes.add(database, block="team", digest=name != "discord")
    routes.add(database, block="team2")
    raise_alerts(1, why="überall gegraben " * 250, products=80)
    assert notify(database) == 1 and channel.refused == 0
    for text in channel.texts:
        assert "Hectares: 4.00" in text and "Map: https://www.openstreetmap.org/?mlat=" in text
        whole = text.count("überall gegraben") == 250 and text.count(PRODUCT) == 80
        assert whole == (name in ("slack", "sendgrid", "any"))
        if not whole:
            assert text.rstrip().endswith("Cut; all of it: minecam alerts show 1")
            [why] = [line for line in text.splitlines() if line.startswith("Why: ")]
            assert why.endswith(("überall…", "gegraben…")), "not cut within a word"


def test_parts_that_were_delivered_are_not_sent_again(
    database: sql.Connection, raise_alerts: Callable[..., None], channel: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, channel.limit, _ = CHANNELS["discord"]
    use(monkeypatch, make)
    routes.add(database, block="team", digest=True)
    raise_alerts(9)
    channel.last = 2
    assert notify(database) < 9 and len(channel.texts) == 2 and channel.refused == 1
    before = told(channel.texts)
    channel.last = ENDLESS
    notify(database)
    assert sorted(told(channel.texts)) == list(range(1, 10)) and told(channel.texts)[: len(before)] == before
    left = database.execute("select count(*) as n from alert_event where delivered_at is null").fetchone()
    assert left == {"n": 0}


def test_a_channel_of_unknown_limits_gets_shorter_messages_after_it_refused_one(
    database: sql.Connection, raise_alerts: Callable[..., None], channel: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.limit = 2_000
    use(monkeypatch, lambda: CustomWebhookNotificationBlock(
        name="hook", url=f"http://127.0.0.1:{channel.port}/{{{{token}}}}", secrets={"token": "x"},
        json_data={"text": "{{subject}}\n{{body}}"}))  # fmt: skip
    routes.add(database, block="hook", digest=True)
    raise_alerts(6)
    assert notify(database) == 0 and channel.refused == 1
    assert notify(database) == 6 and channel.refused == 1 and sorted(told(channel.texts)) == list(range(1, 7))


def test_a_webhook_at_the_address_of_a_service_keeps_to_its_limit() -> None:
    from tasks.notify.channel import room

    hook = CustomWebhookNotificationBlock(
        name="hook", url=DISCORD.replace("abcdefghijklmnop", "{{token}}"), secrets={"token": "abcdefghijklmnop"},
        json_data={"content": "{{subject}}\n{{body}}"},
    )  # fmt: skip
    assert room(hook) == Room(250, 2_000, joint=True)
    assert room(SlackWebhook(url="json://127.0.0.1/ discord://123456789012345678/abcdefghijklmnop")).body == 2_000
    blocks = SlackWebhook(url="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?blocks=yes")
    assert room(blocks) == Room(150, 3_000)


def test_mail_is_split_by_nothing_but_the_number_of_alerts(
    database: sql.Connection, raise_alerts: Callable[..., None], mailbox: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    port, texts = mailbox
    use(
        monkeypatch,
        lambda: SlackWebhook(url=f"mailto://127.0.0.1:{port}?from=a@b.org&to=c@d.org&format=text&mode=insecure"),
    )
    routes.add(database, block="mail", digest=True)
    raise_alerts(25, why="überall gegraben " * 250)
    assert notify(database) == 25 and [text.split()[1] for text in texts] == ["20", "5"]
    assert sorted(told(texts)) == list(range(1, 26)) and "Cut; " not in "".join(texts)


def test_words_are_cut_between_words_where_that_can_be() -> None:
    assert shorten("one two three", 13) == "one two three"
    assert shorten("one two three", 12) == "one two…"
    assert shorten("one two three", 8) == "one two…"
    assert shorten("字" * 20, 10) == "字" * 9 + "…"
    assert shorten("🏗" * 20, 10) == "🏗" * 4 + "…" and length("🏗") == 2
    assert shorten("Map: https://example.org/" + "a" * 50, 40) == "Map:…"
    event = {"alert_id": 7}
    text = "\n".join(f"Line {number}: " + "word " * number for number in range(60))
    for most in range(60, 3000, 97):
        kept = cut(text, most, event)
        assert length(kept) <= most and kept.endswith("Cut; all of it: minecam alerts show 7")
