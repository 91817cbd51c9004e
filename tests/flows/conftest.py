"""A Prefect server for all flows, on PostgreSQL as in the embedded stack: on SQLite requests wait for one another."""

from collections.abc import Iterator

import pytest
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)

from deploy.stack.cluster import Cluster
from tests.flows.workers import archive, sites, workers, world

__all__ = ["archive", "sites", "workers", "world"]


@pytest.fixture(scope="package", autouse=True)
def prefect_server(cluster: Cluster) -> Iterator[None]:
    with temporary_settings({PREFECT_API_DATABASE_CONNECTION_URL: cluster.prefect_url()}):
        server = SubprocessASGIServer()
        server.start(timeout=180)  # a busy machine takes its time
        # Without heartbeats: to end their thread takes every flow a second.
        with temporary_settings({PREFECT_API_URL: server.api_url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield
        server.stop()
