#!/usr/bin/env bash
# apprise knows how long a message each service takes: NotifyDiscord.body_maxlen is 2000. One expects that a longer one
# is cut or split, as its documentation of `overflow` has it, or refused before it is sent.
# By default (`overflow=upstream`) it is sent as it is, and Discord refuses the whole of it, today and whenever it is
# tried again. Nothing in what is returned says that the length is the reason. The blocks of Prefect use that default.
# A digest of twenty alerts: nobody is told of any.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet apprise==1.13.1

cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import apprise
from apprise.plugins.discord import NotifyDiscord

received: list[int] = []


class Discord(BaseHTTPRequestHandler):
    """Takes what Discord takes: 2,000 characters."""

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["content"]
        received.append(len(content))
        self.send_response(204 if len(content) <= 2000 else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Discord)
threading.Thread(target=server.serve_forever, daemon=True).start()
NotifyDiscord.notify_url = f"http://127.0.0.1:{server.server_port}"
print(f"apprise {apprise.__version__}, body_maxlen of Discord {NotifyDiscord.body_maxlen}")


def tell(options: str) -> tuple[bool | None, list[int]]:
    """Send 3,000 characters and return what apprise says and the lengths that came."""
    received.clear()
    service = apprise.Apprise()
    service.add(f"discord://123456789012345678/abcdefghijklmnop{options}")
    said = service.notify(title="20 alerts", body="word " * 600)
    return said, list(received)


by_default, split = tell(""), tell("?overflow=split")
print(f"3,000 characters by default: {by_default[0]}, sent {by_default[1]}; with overflow=split: {split[0]}, sent {split[1]}")
if by_default[0] is not False or max(by_default[1]) <= 2000:
    sys.exit("changed: apprise keeps to the length that it knows")
if split[0] is not True:
    sys.exit("changed: overflow=split does not help")
print("as described: what is longer than body_maxlen is sent as it is, and refused")
PY
