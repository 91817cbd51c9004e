"""Places to ask the service from: no more of all workers at once, and none is lost with its holder."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import sql
from tasks.acquire.places import place


def test_no_more_ask_at_once_than_there_are_places(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_SH_CONCURRENCY", "2")
    asking, most, lock, two = 0, 0, threading.Lock(), threading.Barrier(2, timeout=60)

    def ask(_: int) -> None:
        nonlocal asking, most
        with sql.connect(database_url, role="ingest") as connection, place(connection):
            with lock:
                asking += 1
                most = max(most, asking)
            two.wait()
            time.sleep(0.2)  # for a third to come
            with lock:
                asking -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    assert most == 2


def test_who_is_gone_has_no_place_any_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_SH_CONCURRENCY", "1")
    gone = sql.connect(database_url, role="ingest")
    with place(gone):
        gone.close()  # as a killed process leaves it
        with sql.connect(database_url, role="ingest") as connection, place(connection):
            pass
