"""Fixtures that every test may use: a throw-away PostGIS cluster, a fresh database, the labelled data."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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
import hypothesis
import psycopg
import pytest

import sql
from deploy.stack.cluster import Cluster

hypothesis.settings.register_profile("unhurried", deadline=None)  # no test hangs on how long something takes
hypothesis.settings.load_profile("unhurried")

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
def empty(cluster: Cluster) -> Iterator[str]:
    """The address of a fresh, empty database."""
    with passing(cluster, "template0") as address:
        yield address


@pytest.fixture(scope="session")
def newest(cluster: Cluster) -> str:
    """The name of a database with the newest schema, to be copied: migrating takes longer."""
    cluster.create_database("newest")
    with sql.connect(cluster.url("newest")) as connection:
        sql.migrate(connection)
    return "newest"


@pytest.fixture
def database_url(cluster: Cluster, newest: str) -> Iterator[str]:
    """The address of a fresh database with the newest schema."""
    with passing(cluster, newest) as address:
        yield address


@pytest.fixture
def database(database_url: str) -> Iterator[sql.Connection]:
    """A connection to a fresh database with the newest schema."""
    with sql.connect(database_url) as connection:
        yield connection


@contextmanager
def passing(cluster: Cluster, template: str) -> Iterator[str]:
    """Yield the address of a database that is gone afterwards: hundreds of them take minutes to shut down."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")  # type: ignore[call-overload]
        yield cluster.url(name)
        connection.execute(f"drop database if exists {name} with (force)")  # type: ignore[call-overload]


@pytest.fixture
def home(short_folder: Path, database_url: str, database: sql.Connection, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, with MINECAM_HOME and MINECAM_DATABASE_URL pointing at it."""
    folder = short_folder / f"home-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    monkeypatch.setenv("MINECAM_HOME", str(folder))
    monkeypatch.setenv("MINECAM_DATABASE_URL", database_url)
    return folder
