"""The fleet on a Dask cluster: machines that share no folder, some of which are killed, or not what they should be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL

import sql
from flows import workers as crews
from flows.batch import planned
from flows.workers import workers
from tasks.errors import StackError
from tests.conftest import ROOT
from tests.flows.workers import Site
from tests.flows.world import Scene, World
from tests.tasks.store import Store, s3, s3_server

__all__ = ["s3", "s3_server"]

DAYS = {"start": date(2026, 1, 1), "end": date(2026, 1, 31)}
MINES = {"pit-0": None, "pit-1": "s2-10-simulated", "pit-2": "s2-6-diggings", "pit-3": "s2-rgb-mines"}
"""Each with a model of its own, so that each is a batch of its own."""
DASK = Path(sys.executable).with_name("dask")


class DaskCluster:
    """A scheduler and its workers as processes, the latter each with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> str:
        return str(json.loads((self.folder / "scheduler.json").read_text())["address"])

    def schedule(self) -> None:
        (self.folder / "scheduler.json").unlink(missing_ok=True)
        self._start("scheduler", ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], {})
        deadline = time.monotonic() + 60
        while not (self.folder / "scheduler.json").exists():
            assert time.monotonic() < deadline, self.said("scheduler")
            time.sleep(0.1)

    def work(self, name: str, may: str, site: Site | None = None, **settings: str) -> None:
        home = self.folder / name
        home.mkdir(exist_ok=True)
        words = ["worker", "--no-nanny", "--nthreads", "2", "--name", name, "--resources", may, "--no-dashboard",
                 "--host", "127.0.0.1", "--preload", "tests.flows.dask_preload"]  # fmt: skip
        given = {**(site.environment if site else {}), "MINECAM_HOME": str(home), "PGAPPNAME": name, **settings}
        self._start(name, words, given)

    def _start(self, name: str, words: list[str], environment: dict[str, str]) -> None:
        command = [DASK, *words, "--scheduler-file", str(self.folder / "scheduler.json")]
        ours = {"PREFECT_API_URL": PREFECT_API_URL.value() or "", "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **ours, **environment}
            )

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in [*self.processes]:
            self.kill(name)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def cluster_of(tmp_path: Path) -> Iterator[DaskCluster]:
    made = DaskCluster(tmp_path / "dask")
    made.schedule()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def published(world: World) -> None:
    world.publish(Scene(date(2026, 1, 3), side=4), Scene(date(2026, 1, 8), side=20), Scene(date(2026, 1, 18), side=20))


@pytest.fixture(scope="module")
def undisturbed(published: None, sites: Callable[..., Site]) -> Site:
    """A site whose fleet was watched by the run itself."""
    site = sites(MINES)
    assert site.run(mine=None, **DAYS) == 0
    return site


def what_stands(site: Site, rasters: str | None = None) -> object:
    return site.state("charge", "acquisition.processing_units", "acquisition.tries", history=False, rasters=rasters)


def test_machines_that_share_only_servers_and_an_object_store_do_it_together(
    sites: Callable[..., Site], undisturbed: Site, cluster_of: DaskCluster, s3: Store
) -> None:
    site = sites(MINES, MINECAM_DASK_ADDRESS=cluster_of.address, **s3.environment)
    cluster_of.work("io", "download=2", site)
    cluster_of.work("gpu", "segment=2", site)
    assert site.run(mine=None, **DAYS) == 0
    assert what_stands(site, s3.root) == what_stands(undisturbed)
    assert not [*(cluster_of.folder / "io").rglob("*.tif"), *(cluster_of.folder / "gpu").rglob("*.tif")]
    assert "acquire_batch" not in cluster_of.said("gpu") and "watch_batch" not in cluster_of.said("io")


def test_what_a_killed_worker_had_before_it_is_done_by_another(
    sites: Callable[..., Site], undisturbed: Site, cluster_of: DaskCluster
) -> None:
    site = sites(MINES, MINECAM_DASK_ADDRESS=cluster_of.address)
    site.settings["MINECAM_RASTERS"] = (site.home / "rasters").as_uri()
    for name in ("one", "other"):
        cluster_of.work(name, "download=1 segment=1", site)
    run = site.start(mine=None, **DAYS)
    wait_for(site, "acquisition where state = 'segmented'")
    cluster_of.kill("one")
    assert site.ended(run) == 0
    assert what_stands(site) == what_stands(undisturbed)


def test_a_run_whose_scheduler_is_killed_fails_and_the_next_one_goes_on(
    sites: Callable[..., Site], undisturbed: Site, cluster_of: DaskCluster
) -> None:
    site = sites(MINES, MINECAM_DASK_ADDRESS=cluster_of.address)
    site.settings["MINECAM_RASTERS"] = (site.home / "rasters").as_uri()
    cluster_of.work("one", "download=1 segment=1", site)
    run = site.start(mine=None, **DAYS)
    wait_for(site, "acquisition where state = 'downloaded'")
    cluster_of.kill("scheduler")
    assert site.ended(run) == 1
    cluster_of.stop()
    cluster_of.schedule()
    site.settings["MINECAM_DASK_ADDRESS"] = cluster_of.address
    cluster_of.work("two", "download=1 segment=1", site)
    assert site.run(mine=None, **DAYS) == 0
    assert what_stands(site) == what_stands(undisturbed)


def wait_for(site: Site, rows: str) -> None:
    deadline = time.monotonic() + 120
    with sql.connect(site.database) as connection:
        while not connection.execute(f"select from {rows} limit 1").fetchall():  # type: ignore[call-overload]
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextmanager
def told(monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[None]:
    """What fails within must be the cluster at `address`, in words."""
    monkeypatch.setenv("MINECAM_DASK_ADDRESS", address)
    monkeypatch.setattr(crews, "PATIENCE", 1.0)
    monkeypatch.setattr(crews, "CONNECTING", 2.0)
    yield


@flow
def look() -> None:
    with workers():
        pass


def test_nobody_at_the_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        told(monkeypatch, "tcp://127.0.0.1:9"),
        pytest.raises(StackError, match=r"the Dask scheduler at tcp://127.0.0.1:9 does not answer .*MINECAM_DASK_ADDR"),
    ):
        look()


def test_that_no_worker_may_do_what_is_left_is_said(cluster_of: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with told(monkeypatch, cluster_of.address), pytest.raises(StackError, match="no Dask worker may download: start"):
        look()
    cluster_of.work("io", "download=1")
    monkeypatch.setattr(crews, "PATIENCE", 30.0)
    with told(monkeypatch, cluster_of.address), pytest.raises(StackError, match="no Dask worker may segment: start"):
        monkeypatch.setattr(crews, "PATIENCE", 30.0)
        look()


def test_a_worker_of_another_version_is_said(
    cluster_of: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "minecam-9.9.dist-info" / "METADATA"
    installed.parent.mkdir()
    installed.write_text("Metadata-Version: 2.1\nName: minecam\nVersion: 9.9\n")
    cluster_of.work("old", "download=1 segment=1", PYTHONPATH=f"{tmp_path}:{ROOT}")
    with told(monkeypatch, cluster_of.address):
        monkeypatch.setattr(crews, "PATIENCE", 60.0)
        with pytest.raises(StackError, match=r"Dask workers have another MineCam than this run \(.*\): tcp.* 9.9; st"):
            look()


def test_batches_hold_every_mine_once_in_its_order(sites: Callable[..., Site]) -> None:
    site = sites(MINES)
    from tasks.mines import registry

    with sql.connect(site.database) as connection:
        mines = registry.mines(connection)
    batches = planned(mines, DAYS["start"])
    assert [batch.number for batch in batches] == [1, 2, 3, 4]
    assert [mine for batch in batches for near in batch.neighbourhoods for mine in near] == mines
    assert str(batches[0]) == "1: pit-0" and planned([]) == []
