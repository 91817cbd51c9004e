"""Steps at a real Prefect server: how many ask the service at once, and what the graph of a run holds."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.concurrency import _sync
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows import steps
from tasks.errors import StackError

LIMIT = "minecam-two"


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A limit of two; that of the other tests stays as it is."""
    monkeypatch.setattr(steps, "SERVICE", LIMIT)
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(LIMIT, 2)
        yield
        client.delete_global_concurrency_limit_by_name(LIMIT)


def test_no_more_ask_at_once_than_the_limit_says(limit: None) -> None:
    limited, most, lock, two = 0, 0, threading.Lock(), threading.Barrier(2, timeout=60)

    @steps.limited
    def ask() -> None:
        nonlocal limited, most
        with lock:
            limited += 1
            most = max(most, limited)
        two.wait()
        time.sleep(0.3)  # for a third to come
        with lock:
            limited -= 1

    with ThreadPoolExecutor(4) as beside:
        for done in [beside.submit(ask) for _ in range(4)]:
            done.result()
    assert most == 2


def test_without_a_limit_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "SERVICE", "minecam-nothing")
    with pytest.raises(StackError, match="no global concurrency limit 'minecam-nothing': run `minecam up`"):
        steps.limited(lambda: None)()


def test_a_server_that_is_away_is_waited_for_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PATIENCE", 2)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        monkeypatch.setattr(steps, "SERVICE", "minecam-away")  # no connection of an earlier test
        with pytest.raises(StackError, match=r"the Prefect server does not answer \(.*\): run `minecam up`"):
            steps.limited(lambda: None)()


def test_a_server_that_goes_away_takes_nothing_from_a_step(limit: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(_sync, "release_concurrency_slots_with_lease", away)
    assert steps.limited(lambda: "done")() == "done"


def test_no_step_is_drawn_as_the_outcome_of_others() -> None:
    """Neither what a step returned nor parts of it make an arrow in the graph, however they are handed on."""
    first = steps.step(_two_days, "{mine.slug}")
    second = steps.step(_together, "{mine.slug}")

    @flow
    def run() -> None:
        pit = SimpleNamespace(slug="pit")
        days = first(pit)
        assert second(pit, days[0], beside=days, words={"of": days[1]}) == [["1"], ["1"], ["2"], ["2"]]

    state = run(return_state=True)
    assert state.is_completed(), state.message
    with get_client(sync_client=True) as client:
        made = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        deadline = time.monotonic() + 60
        while len(found := client.read_task_runs(flow_run_filter=made)) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)  # the server hears of task runs by events
    assert {one.name for one in found} == {"_two_days pit", "_together pit"}
    assert not any(upstream for one in found for upstream in one.task_inputs.values())


def _two_days(mine: Any) -> list[list[str]]:
    return [["1"], ["2"]]


def _together(mine: Any, day: list[str], beside: list[list[str]], words: dict[str, list[str]]) -> list[list[str]]:
    return [day, *beside, words["of"]]
