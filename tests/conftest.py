"""Fixtures that every test may use: a throw-away PostGIS cluster, a fresh database, the labelled data."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

# Before anything imports torch, Prefect or huggingface: no phone-home, no retries against the network.
os.environ.update(
    HF_HUB_OFFLINE="1",
    DO_NOT_TRACK="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_TO_API_ENABLED="false",
    MINECAM_SH_RETRY_SECONDS="0.05",
    MINECAM_HOME=str(Path(tempfile.gettempdir()) / "minecam-no-home"),  # a stack that runs here is not theirs
)
import pytest

import sql
from deploy.stack.cluster import Cluster

for _name in ("MINECAM_DATABASE_URL", "SH_CLIENT_ID", "SH_CLIENT_SECRET", "PREFECT_API_URL"):
    os.environ.pop(_name, None)

ROOT = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("MINECAM_SHARED_DATA", ROOT.parent / "shared" / "data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason=f"the labelled data is not at {SHARED_DATA}; set MINECAM_SHARED_DATA")
    for item in items:
        if item.get_closest_marker("shared_data") and not SHARED_DATA.is_dir():
            item.add_marker(absent)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return SHARED_DATA


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder that the user postgres may enter and whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="minecam-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(short_folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(short_folder / "cluster", durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def database_url(cluster: Cluster) -> str:
    """The address of a fresh, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name)
    return cluster.url(name)


@pytest.fixture
def database(database_url: str) -> Iterator[sql.Connection]:
    """A connection to a fresh database with the newest schema."""
    with sql.connect(database_url) as connection:
        sql.migrate(connection)
        yield connection


@pytest.fixture
def home(short_folder: Path, database_url: str, database: sql.Connection, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, with MINECAM_HOME and MINECAM_DATABASE_URL pointing at it."""
    folder = short_folder / f"home-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    monkeypatch.setenv("MINECAM_HOME", str(folder))
    monkeypatch.setenv("MINECAM_DATABASE_URL", database_url)
    return folder
