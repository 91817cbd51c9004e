"""How many steps ask the service at once, by the real limit of a real Prefect server."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prefect.client.orchestration import get_client

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
