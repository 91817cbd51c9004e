#!/usr/bin/env bash
# A slot of a global concurrency limit is held by a lease, so that it comes free when its holder is killed. One expects
# that of the server too: it counts taken slots in its database, and that outlives it. But by default the leases are in
# its memory. Where the machine loses its power, holder and server are gone together: the count stays, the lease that
# would end it does not, and no one is ever let in again. With the leases in files the slot comes free when they end.
# After as many power cuts as there are slots every run of a monitor waits for ever in its first request, without a word.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet prefect==3.8.8 fastapi==0.150.0 sqlalchemy==2.0.58

cat >"$work/hold.py" <<'PY'
import sys
import time

from prefect.concurrency.sync import concurrency

with concurrency("service", timeout_seconds=float(sys.argv[1]), lease_duration=60, strict=True):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
PY
cat >"$work/run.py" <<'PY'
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import prefect

WITHIN = 150  # a lease lasts a minute, and the server looks for those that have ended every 15 seconds


def comes_free(storage: str) -> bool:
    """Kill holder and server together, start the server again, and return whether another gets the slot."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    home = Path(storage).absolute()
    home.mkdir()
    address = f"http://127.0.0.1:{port}/api"
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": address,
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": f"prefect.server.concurrency.lease_storage.{storage}",
    }
    program = str(Path(sys.executable).with_name("prefect"))

    def start(*command: str) -> subprocess.Popen:
        return subprocess.Popen(command, env=environment, start_new_session=True, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def server() -> subprocess.Popen:
        started = subprocess.Popen(
            [program, "server", "start", "--host", "127.0.0.1", "--port", str(port)], env=environment,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2)
                return started
            except OSError:
                time.sleep(0.2)
        sys.exit("the server does not start")

    def kill(*processes: subprocess.Popen) -> None:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    first = server()
    subprocess.run([program, "gcl", "create", "service", "--limit", "1"], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    holder = start(sys.executable, "hold.py", "60", "600")
    if holder.stdout.readline() != "held\n":
        sys.exit("the slot cannot be taken")
    kill(holder, first)
    second = server()
    try:
        return start(sys.executable, "hold.py", str(WITHIN), "0").communicate()[0] == "held\n"
    finally:
        kill(second)


if __name__ == "__main__":
    print(f"prefect {prefect.__version__}, one slot, holder and server killed together")
    with ThreadPoolExecutor() as both:
        memory, files = both.map(comes_free, ("memory", "filesystem"))
    for where, free in (("in memory, as by default", memory), ("in files", files)):
        print(f"leases {where}: {'another gets the slot' if free else f'nobody gets the slot within {WITHIN} s'}")
    if memory:
        sys.exit("changed: a slot comes free although the server was killed with its holder")
    if not files:
        sys.exit("changed: leases in files do not come to their end at a new server")
    print("as described: the count of taken slots outlives the server, the leases that would end it do not")
PY
cd "$work"
export HOME="$work" TMPDIR="$work" PREFECT_LOGGING_LEVEL=ERROR DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false
"$work/venv/bin/python" -W ignore run.py
