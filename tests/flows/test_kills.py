"""Runs that are killed at every step and in its middle: what the next run makes of it is as if nothing had been."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock

import sql
from tests.flows.workers import Site
from tests.flows.world import Scene, World

BLOCK = "kills"
DAYS = {"start": date(2026, 1, 1), "end": date(2026, 1, 31)}
FIRST, CLOUDY, HIDDEN, LAST = (date(2026, 1, day) for day in (3, 8, 13, 18))
SCENES = (
    Scene(FIRST, side=4),
    Scene(CLOUDY, side=20, cloud=10, tile_cloud=0.4),  # looked at, and downloaded: an alert
    Scene(HIDDEN, side=20, cloud=96, tile_cloud=1),  # looked at, and refused
    Scene(LAST, side=20),
)

FETCHING = [
    "discover : answered 1",
    "discover : acquisition_discover done 3",
    "discover : ends 1",
    f"download {FIRST}: charge_add done 1",
    f"download {FIRST}: half written 1",
    f"download {FIRST}: moved 1",
    f"download {FIRST}: ends 1",
    f"preview {CLOUDY}: charge_add done 1",
    f"preview {CLOUDY}: validation_add done 1",
    f"preview {CLOUDY}: ends 1",
]
WATCHING = [
    f"validate {FIRST}: acquisition_judge done 1",
    f"validate {FIRST}: ends 1",
    f"segment {FIRST}: half written 2",
    f"segment {FIRST}: ends 1",
    f"vectorise {FIRST}: outlined 1",
    f"vectorise {FIRST}: ends 1",
    f"store {FIRST}: row copied 1",
    f"store {FIRST}: ends 1",
    f"compare {CLOUDY}: row copied 1",
    f"compare {CLOUDY}: ends 1",
    f"alert {CLOUDY}: alert_add done 1",
    f"alert {CLOUDY}: ends 1",
    f"notify {LAST}: begins 1",
    "notify : told 1",
    "notify : ends 1",
]
"""Where runs are killed, at the end of each step and in its middle: a run begins where the one before was killed."""


@pytest.fixture(scope="module")
def told() -> Iterator[list[str]]:
    """What a notification block has been told, which runs of this module have as theirs."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        block = CustomWebhookNotificationBlock(name=BLOCK, url=url, json_data={"message": "{{body}}"})
        block.save(BLOCK, overwrite=True)
        yield received
        server.shutdown()


@pytest.fixture(scope="module")
def site(sites: Callable[..., Site], world: World, told: list[str]) -> Callable[[], Site]:
    """Makes sites over the same scenes."""
    world.publish(*SCENES)
    return lambda: sites(MINECAM_NOTIFICATION_BLOCK=BLOCK)


@pytest.fixture(scope="module")
def undisturbed(site: Callable[[], Site], told: list[str]) -> Site:
    """A site with one run that came to its end."""
    undisturbed = site()
    assert undisturbed.run(**DAYS) == 0
    assert len(told) == 1
    told.clear()
    return undisturbed


def charges(site: Site) -> list[tuple[str, str, float]]:
    """Kind, day and units of what was charged."""
    with sql.connect(site.database) as connection:
        rows = connection.execute(
            "select kind, coalesce(sensing_date::text, '') as day, c.processing_units as units"
            " from charge c left join acquisition using (acquisition_id) order by 1, 2, 3"
        ).fetchall()
    return [tuple(row.values()) for row in rows]


def assert_as_undisturbed(killed: Site, undisturbed: Site) -> None:
    """What a kill may leave is that a request was paid for again: the second time, as the first, it is on record.

    Only what was paid for by a run that was killed between an answer and the next statement is on no record of ours.
    """
    aside = ("charge", "acquisition.processing_units")
    assert killed.state(*aside) == undisturbed.state(*aside)
    with sql.connect(killed.database) as connection:
        odd = connection.execute(
            "select * from acquisition a where processing_units <> (select coalesce(sum(processing_units), 0) from"
            " charge c where c.acquisition_id = a.acquisition_id)"
        ).fetchall()
    assert not odd
    assert set(charges(killed)) == set(charges(undisturbed))


def kill(killed: Site, places: Sequence[str]) -> None:
    """Kill one run after another, then let one come to its end."""
    for place in places:
        assert killed.run(**DAYS, kill=place) == -9, place
    assert killed.run(**DAYS) == 0


def test_runs_that_are_killed_one_after_another_end_as_one_that_is_not(site, undisturbed, told) -> None:
    chains = [(site(), FETCHING), (site(), WATCHING)]
    with ThreadPoolExecutor() as beside:
        for done in [beside.submit(kill, *chain) for chain in chains]:
            done.result()
    for killed, _ in chains:
        assert_as_undisturbed(killed, undisturbed)
    # Once for each chain, and again after the run that was killed before it could record that.
    assert len(told) == 3 and len({re.sub(r"Alert: \d+, event \d+", "", message) for message in told}) == 1


LATE = [f"revalidate {CLOUDY}: acquisition_judge done 1", f"revalidate {CLOUDY}: ends 1"]


def test_runs_that_are_killed_while_they_judge_again_what_was_sensed_after_a_late_one(site) -> None:
    undisturbed, killed = site(), site()
    for one in (undisturbed, killed):
        assert one.run(start=CLOUDY, end=DAYS["end"]) == 0
    assert undisturbed.run(**DAYS) == 0
    kill(killed, LATE)
    assert_as_undisturbed(killed, undisturbed)


@pytest.mark.slow
def test_a_run_that_is_killed_once_wherever_that_is(site, undisturbed) -> None:
    kinds: dict[str, str] = {}
    for place in undisturbed.trail.read_text().splitlines():
        step, what = re.fullmatch(r"(\w+) [^:]*: (.*) \d+", place).groups()  # type: ignore[union-attr]
        kinds.setdefault(f"{step}: {what}", place)
    assert len(kinds) > 80

    def kill_once(place: str) -> None:
        killed = site()
        kill(killed, [place])
        assert_as_undisturbed(killed, undisturbed)

    with ThreadPoolExecutor(2) as beside:
        for done in [beside.submit(kill_once, place) for place in kinds.values()]:
            done.result()
