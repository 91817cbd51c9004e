"""What `minecam doctor` says of Dask, the pool and the object store: real ones, down, short of something, or well."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from distributed import LocalCluster

from deploy.stack import elsewhere
from tasks.errors import StackError
from tests.tasks.store import Store, s3, s3_server

__all__ = ["s3", "s3_server"]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[LocalCluster]:
    """Dask without workers."""
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as cluster:
        yield cluster


@contextmanager
def worker(cluster: LocalCluster, resources: str, **variables: str) -> Iterator[None]:
    """A worker in a process of its own."""
    command = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--no-nanny",
               "--no-dashboard", "--nthreads", "1", *(["--resources", resources] if resources else [])]  # fmt: skip
    before = len(cluster.scheduler_info["workers"])
    process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL)
    try:
        with cluster.get_client() as client:
            client.wait_for_workers(before + 1, timeout=60)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_dask_address_at_which_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "PATIENCE", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(StackError, match=f"nobody answers at MINECAM_DASK_ADDRESS={address} .*start `dask scheduler`"):
        elsewhere.dask(address)
    with pytest.raises(StackError, match="nobody answers at MINECAM_DASK_ADDRESS=dusk://here"):
        elsewhere.dask("dusk://here")


def test_tags_that_no_worker_has_are_said(scheduler: LocalCluster) -> None:
    with pytest.raises(StackError, match=r"has no workers: start `dask worker tcp://\S+ --resources \"download=4 seg"):
        elsewhere.dask(scheduler.scheduler_address)
    with ExitStack() as workers:
        workers.enter_context(worker(scheduler, "download=2"))
        with pytest.raises(StackError, match=r'no Dask worker has the tag segment, .* with --resources "segment=1"'):
            elsewhere.dask(scheduler.scheduler_address)
        workers.enter_context(worker(scheduler, "segment=1"))
        said = elsewhere.dask(scheduler.scheduler_address)
    assert said == "2 Dask workers, of which 1 download and 1 segment"


def test_a_worker_of_another_version_is_named(scheduler: LocalCluster, tmp_path: Path) -> None:
    old = tmp_path / "minecam-0.0.9.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: minecam\nVersion: 0.0.9\n")
    said = (
        rf"1 of 1 Dask workers have another MineCam than {version('minecam')} \(that at tcp://\S+: 0\.0\.9\): install"
    )
    with worker(scheduler, "download=1 segment=1", PYTHONPATH=str(tmp_path)), pytest.raises(StackError, match=said):
        elsewhere.dask(scheduler.scheduler_address)


def test_a_store_that_takes_and_gives_leaves_nothing_behind(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"s3://{s3.bucket}/rasters"
    assert elsewhere.store(root) == f"{root} takes and gives"
    assert s3.objects() == []
    with pytest.raises(StackError, match=r"s3://no-such-bucket/x cannot be written .* has the bucket"):
        elsewhere.store("s3://no-such-bucket/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StackError, match=r"cannot be written .* see that the store runs"):
        elsewhere.store(root)


def test_a_server_elsewhere_is_asked_for_its_pool(home: Path) -> None:
    credentials = {"SH_CLIENT_ID": "x", "SH_CLIENT_SECRET": "x", "MINECAM_SH_TOKEN_URL": "http://127.0.0.1:9/token"}
    environment = {**os.environ, **credentials, "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    doctor = [sys.executable, "-c", "from deploy.cli import main; main()", "doctor", "--json"]
    done = subprocess.run(doctor, env=environment, capture_output=True, text=True, timeout=300)
    words = {one["subject"]: one["words"] for one in json.loads(done.stdout)}
    assert "the Prefect server at PREFECT_API_URL does not answer" in words["prefect"] and done.returncode == 1
