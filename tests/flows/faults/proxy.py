"""A proxy on loopback before the local archive: what passes it can be refused, changed, cut, delayed or lost."""

import http.client
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Headers = dict[str, str]
CATALOG, PROCESS = "/search", "/process"


@dataclass(frozen=True)
class Answer:
    """What the archive answers."""

    status: int
    headers: Headers
    body: bytes

    def sent(self, *, length: int | None = None) -> bytes:
        """Return it as it goes over the wire, with the Content-Length that it has or `length`."""
        named = {**self.headers, "Content-Length": str(len(self.body) if length is None else length)}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {self.status} Answer\r\nConnection: close\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True)
class Request:
    """A request that came in: `kind` is token, search, preview or bands; `day` is the day whose pixels it asks for."""

    kind: str
    day: str | None
    head: bytes
    body: bytes
    wire: socket.socket
    proxy: "Proxy"

    def answer(self) -> Answer:
        """Return what the archive answers to it."""
        method, path, _ = self.head.decode().split("\r\n")[0].split(" ")
        headers = dict(re.findall(r"^([\w-]+): (.*?)\r?$", self.head.decode(), re.MULTILINE))
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.behind, timeout=60)
        connection.request(method, path, self.body, headers)
        got = connection.getresponse()
        kept = ("content-type", "x-processingunits-spent", "retry-after")
        answer = Answer(
            got.status, {name: value for name, value in got.getheaders() if name.lower() in kept}, got.read()
        )
        connection.close()
        return answer

    def reset(self) -> None:
        """End the connection as a broken line does."""
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wire.close()


Misdeed = Callable[[Request], None]


@dataclass
class Fault:
    """What becomes of the next `times` requests of a `kind`, of one `day` or any."""

    kind: str
    misdeed: Misdeed
    times: float = float("inf")
    day: str | None = None

    def meets(self, request: Request) -> bool:
        """Whether it is due at `request`."""
        return self.kind in (request.kind, "any") and self.day in (request.day, None) and self.times > 0


@dataclass
class Proxy:
    """Listens on `port` and asks the archive at port `behind`; `faults` are met in order, the first that fits."""

    behind: int
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Kinds of the requests that came, in order."""
    port: int = 0

    def __post_init__(self) -> None:
        self._counting = threading.Lock()
        self.open()

    def open(self) -> None:
        """Listen, on the same port as before; nothing happens while it does."""
        if self.port and self._listener.fileno() != -1:
            return
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Listen no more: connections are refused."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                wire, _ = listener.accept()
                threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        with wire, suppress(OSError, http.client.HTTPException):
            request = self._read(wire)
            with self._counting:
                self.asked.append(request.kind)
                fault = next((one for one in self.faults if one.meets(request)), None)
                if fault:
                    fault.times -= 1
            if fault:
                fault.misdeed(request)
            else:
                wire.sendall(request.answer().sent())

    def _read(self, wire: socket.socket) -> Request:
        head, body = b"", b""
        while b"\r\n\r\n" not in head:
            head += _some(wire)
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while len(body) < int(length[1] if length else 0):
            body += _some(wire)
        return Request(*_kind(head, body), head, body, wire, self)


def _some(wire: socket.socket) -> bytes:
    got = wire.recv(65536)
    if not got:
        raise ConnectionResetError
    return got


def _kind(head: bytes, body: bytes) -> tuple[str, str | None]:
    path = head.split(b" ")[1].decode()
    if path.endswith(CATALOG):
        return "search", None
    if path.endswith(PROCESS):
        asked = json.loads(body)
        day = asked["input"]["data"][0]["dataFilter"]["timeRange"]["from"][:10]
        return "preview" if "const BANDS = []" in asked["evalscript"] else "bands", day
    return "token", None


def says(status: int, body: Any = b"", **headers: str) -> Misdeed:
    """Answer with `status` and `body`, bytes or what becomes JSON, instead of the archive."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.wire.sendall(Answer(status, named, content).sent())


def changes(change: Callable[[Answer], Answer]) -> Misdeed:
    """Let the archive answer, and pass on what `change` makes of it."""
    return lambda request: request.wire.sendall(change(request.answer()).sent())


def cuts(*, keep: float, honest: bool) -> Misdeed:
    """Pass on the share `keep` of the body only; `honest`: the Content-Length is that of the whole."""

    def misdeed(request: Request) -> None:
        answer = request.answer()
        part = answer.body[: int(keep * len(answer.body))]
        length = len(answer.body) if honest else len(part)
        request.wire.sendall(Answer(answer.status, answer.headers, part).sent(length=length))

    return misdeed


def resets(*, after: int) -> Misdeed:
    """Break the line after that many bytes of the answer."""

    def misdeed(request: Request) -> None:
        if after:
            request.wire.sendall(request.answer().sent()[:after])
            time.sleep(0.05)  # what was sent arrives before the line breaks
        request.reset()

    return misdeed


def drips(pieces: Iterator[bytes] | None = None) -> Misdeed:
    """Send one byte, and another, and another."""

    def misdeed(request: Request) -> None:
        request.wire.sendall(Answer(200, {}, b"").sent(length=100_000))
        for _ in range(200):
            request.wire.sendall(b" ")
            time.sleep(0.05)

    return misdeed


def stalls(seconds: float = 3) -> Misdeed:
    """Say nothing for longer than anybody waits."""
    return lambda _: time.sleep(seconds)


def vanishes(request: Request) -> None:
    """Close the connection and listen no more."""
    request.proxy.close()
    request.reset()
