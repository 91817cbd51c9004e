"""Every request ends: servers on loopback that drip, lie, stall and never stop."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sentinelhub import SentinelHubCatalog

from tasks.acquire import client, service
from tasks.acquire.client import Client, forget_tokens, pause
from tasks.errors import ServiceDown, ServiceError
from tasks.settings import settings

TOKEN = json.dumps({"access_token": "a.b.c", "expires_in": 3600}).encode()
GZIP = "Content-Encoding: gzip\r\n"
Script = Callable[[socket.socket, str], None]


def answer(body: bytes, status: str = "200 OK", length: int | None = None, headers: str = "") -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n".encode() + body


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], None]]:
    """Serve by a script that gets the connection and the path that was asked for."""
    listener = socket.create_server(("127.0.0.1", 0))
    script: list[Script] = []

    def loop() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            head, _, body = head.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            while len(body) < int(length[1] if length else 0):  # what is not read resets the connection
                body += connection.recv(65536)
            try:
                script[-1](connection, head.split(b" ")[1].decode())
            except OSError:
                return  # the client has gone

    threading.Thread(target=loop, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for name, value in {"MINECAM_SH_BASE_URL": url, "MINECAM_SH_TOKEN_URL": f"{url}/token", "SH_CLIENT_ID": "us",
                        "SH_CLIENT_SECRET": "ours", "MINECAM_SH_TIMEOUT_SECONDS": "0.5", "MINECAM_SH_ATTEMPTS": "2",
                        "MINECAM_SH_RETRY_SECONDS": "0.01"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    forget_tokens()
    yield script.append
    forget_tokens()
    listener.close()


def ask() -> Any:
    config = service.configuration(settings())
    url = f"{config.sh_base_url}/thing"
    return service.ask(config, lambda: Client(config=config).get_json(url, post_values={}, use_session=True))


def with_token(then: Callable[[socket.socket], None]) -> Script:
    return lambda connection, path: connection.sendall(answer(TOKEN)) if path == "/token" else then(connection)


def drip(connection: socket.socket) -> None:
    connection.sendall(answer(b"", length=1000))
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(100):
        connection.sendall(b"z")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (with_token(drip_headers), ServiceError, "does not answer in time"),
        (lambda connection, path: drip_headers(connection), ServiceError, "does not answer in time"),
        (with_token(drip), ServiceError, "does not answer in time"),
        (with_token(lambda connection: time.sleep(2)), ServiceError, "does not answer in time"),
        (lambda connection, path: time.sleep(2), ServiceError, "does not answer in time"),  # no token comes
        (lambda connection, path: drip(connection), ServiceError, "does not answer in time"),  # the token drips
        (with_token(lambda connection: connection.sendall(answer(b"{}", length=9))), ServiceError, "broke off"),
        (with_token(lambda connection: connection.close()), ServiceDown, "does not answer"),
        (lambda connection, path: connection.sendall(answer(b"", "429 Too Many")), ServiceDown, "keeps limiting"),
        (lambda connection, path: connection.sendall(answer(b"<html>hello", "200 OK")), ServiceDown, "credentials"),
        (with_token(lambda connection: connection.sendall(answer(b"<html>hello"))), ServiceError, "unusable"),
        (with_token(lambda connection: connection.sendall(answer(b"{no gzip at all}", headers=GZIP))),
         ServiceError, "unusable"),
    ],
)  # fmt: skip
def test_misfortunes_end_soon_and_in_words(serve, script, error, words):
    serve(script)
    begun = time.monotonic()
    with pytest.raises(error, match=words):
        ask()
    assert time.monotonic() - begun < 4


def test_an_answer_in_pieces_is_whole(serve):
    def pieces(connection: socket.socket) -> None:
        body = json.dumps({"a": "b" * 200_000}).encode()
        connection.sendall(answer(body[:1000], length=len(body)))
        time.sleep(0.1)
        connection.sendall(body[1000:])

    serve(with_token(pieces))
    assert len(ask()["a"]) == 200_000


def test_chunks_are_joined(serve):
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
    serve(with_token(lambda connection: connection.sendall(chunked)))
    assert ask() == {"a": 1}


def test_too_large_an_answer_is_refused(serve, monkeypatch):
    monkeypatch.setattr(client, "MOST_BYTES", 1000)
    serve(with_token(lambda connection: connection.sendall(answer(b" " * 2000))))
    with pytest.raises(ServiceError, match="its answer is larger than"):
        ask()


def test_a_catalog_whose_pages_never_end(serve, monkeypatch):
    monkeypatch.setattr(client, "MOST_REQUESTS", 5)
    page = json.dumps({"features": [{"id": "A"}], "context": {"next": 1}}).encode()
    serve(with_token(lambda connection: connection.sendall(answer(page))))
    config = service.configuration(settings())
    catalog = SentinelHubCatalog(config=config)
    catalog.client = Client(config=config)
    with pytest.raises(ServiceError, match="goes on after 5 requests"):
        service.ask(config, lambda: list(catalog.search("sentinel-2-l2a", time=("2023-01-01", "2023-01-02"))))


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("1500", 1500, 1875), ("86400000", 60_000, 75_000), (None, 30_000, 37_500), ("soon", 30_000, 37_500),
     ("-5", 1, 2), ("1e3", 30_000, 37_500)],
)  # fmt: skip
def test_the_pause_after_a_limit_is_bounded(header, least, most):
    assert all(least <= pause(header) <= most for _ in range(20))
