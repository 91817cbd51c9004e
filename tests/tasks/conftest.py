"""A service of a few lines on loopback, to show the client every misfortune that the local archive never has."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from rasterio.io import MemoryFile

from tasks.acquire.client import forget_tokens

BASE = "/api/v1"


class Service:
    """What the service knows (`features`), how it misbehaves, and what it was asked (`requests`)."""

    def __init__(self) -> None:
        self.features: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[tuple[int, dict[str, Any]]] = []
        self.truncate = False
        self.dtype = "uint16"
        self.bands = 5
        self.tokens = 0

    def reply(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        self.requests.append((path, body))
        if self.failures:
            status, words = self.failures.pop(0)
            return status, {"Retry-After": "1"}, json.dumps(words).encode()
        if path.endswith("/search"):
            return 200, {}, json.dumps(self._page(int(body.get("next", 0)))).encode()
        return 200, {"X-ProcessingUnits-Spent": "0.25"}, self._tiff(body["output"])

    def token(self, form: str) -> tuple[int, dict[str, str], bytes]:
        self.tokens += 1
        if "client_secret=right" not in form:
            return 401, {}, b'{"error": "invalid_client"}'
        token = {"access_token": f"a.{self.tokens}.c", "expires_in": 3600, "token_type": "Bearer"}
        return 200, {}, json.dumps(token).encode()

    def _page(self, begin: int) -> dict[str, Any]:
        more = {"next": begin + 2} if begin + 2 < len(self.features) else {}
        page = self.features[begin : begin + 2]
        return {"type": "FeatureCollection", "features": page, "context": {"returned": len(page), **more}}

    def _tiff(self, output: dict[str, Any]) -> bytes:
        shape = (self.bands, output["height"], output["width"])
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff", count=shape[0], height=shape[1], width=shape[2], dtype=self.dtype
            ) as dataset:
                dataset.write((np.arange(np.prod(shape)) % 997).reshape(shape).astype(self.dtype))
            content = bytes(memory.getbuffer())
        return content[: len(content) // 3] if self.truncate else content


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/token":
                self._send(*service.token(content.decode()))
            else:
                self._send(*service.reply(self.path, json.loads(content)))

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def sentinel_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A running stand-in that the settings point at."""
    service = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    values = {
        "MINECAM_SH_BASE_URL": url,
        "MINECAM_SH_TOKEN_URL": f"{url}/token",
        "MINECAM_SH_RETRY_SECONDS": "0.01",
        "SH_CLIENT_ID": "us",
        "SH_CLIENT_SECRET": "right",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget_tokens()
    yield service
    forget_tokens()
    server.shutdown()
    server.server_close()
