"""What the benchmarks of the fleet run on: checkouts of MineCam, and archive, PostGIS and Prefect server."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, temporary_settings

from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.server import TOKEN
from deploy.stack.cluster import Cluster

HERE = Path(__file__).parents[3]


class Build:
    """A checkout of MineCam and the interpreter that runs it."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.name, self._folder, self._python = folder.name, folder, python

    def run(self, *arguments: str, environment: dict[str, str], profile: str | None = None) -> str:
        """Return what the interpreter prints, run with `arguments`, in which `minecam` stands for the command."""
        spy = ["py-spy", "record", "--format", "raw", "--rate", "100", "--output", profile, "--"] if profile else []
        words = list(arguments)
        if words[0] == "minecam":
            words[:1] = ["-c", "import deploy.cli; deploy.cli.main()"]
        done = subprocess.run(
            [*spy, self._python, "-P", *words], capture_output=True, text=True, cwd=tempfile.gettempdir(),
            env={**os.environ, **environment, "PYTHONPATH": str(self._folder)},
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.name}: {done.stdout}\n{done.stderr}")
        return done.stdout


class Server:
    """The root process of a server, and what it and its children have used."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)

    def cpu(self) -> float:
        """Return CPU seconds; of children that have ended too, as far as they were waited for."""
        total = 0.0
        for one in [self._root, *self._root.children(recursive=True)]:
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total


@contextmanager
def archive(folder: Path, latency: float = 0.0) -> Iterator[tuple[str, Server]]:
    """Serve `folder` in a process of its own, each answer after `latency` seconds; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-c", "import deploy.cli; deploy.cli.main()", "archive", "serve", str(folder), "--port", str(port)]
    words += ["--latency", str(latency)]
    server = subprocess.Popen([sys.executable, *words], cwd=HERE)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", Server(server.pid)
    finally:
        server.terminate()
        server.wait()


@contextmanager
def servers(root: Path, latency: float = 0.0) -> Iterator[tuple[Cluster, dict[str, str], dict[str, Server]]]:
    """Start what a fleet needs in `root`, its archive in `root/archive`; yield the cluster, the variables that lead to
    the others, and the servers by name."""
    with ExitStack() as closing:
        root.chmod(0o755)
        address, serving = closing.enter_context(archive(root / "archive", latency))
        cluster = Cluster(root / "cluster", durable=False)
        cluster.start()
        closing.callback(cluster.stop)
        with temporary_settings({PREFECT_API_DATABASE_CONNECTION_URL: cluster.prefect_url()}):
            prefect = SubprocessASGIServer()
            prefect.start(timeout=180)
        closing.callback(prefect.stop)
        assert prefect.server_process
        postmaster = int((cluster.folder / "pgdata" / "postmaster.pid").read_text().split()[0])
        yield (
            cluster,
            {
                "PREFECT_API_URL": prefect.api_url,
                "PREFECT_HOME": str(root / "prefect"),
                "MINECAM_SH_BASE_URL": address,
                "MINECAM_SH_TOKEN_URL": address + TOKEN,
                "SH_CLIENT_ID": LOCAL_CLIENT,
                "SH_CLIENT_SECRET": LOCAL_CLIENT,
                "MINECAM_REQUESTS_MINUTE": "100000",
                "MINECAM_PU_MINUTE": "100000",
                "MINECAM_REQUESTS_MONTH": "1000000",
                "MINECAM_PU_MONTH": "1000000",
            },
            {"prefect": Server(prefect.server_process.pid), "postgis": Server(postmaster), "archive": serving},
        )
