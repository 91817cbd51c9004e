"""Roles: what each of them must be able to do, and what it must not."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import sql
from deploy.stack.cluster import Cluster

MINE = (
    "insert into mine (slug, name, aoi) values ('pit', 'Pit', st_multi(st_makeenvelope(0, 0, 1, 1, 4326)))"
    " on conflict (slug) do update set name = excluded.name"
)
RULE = "update rule set threshold = 2"
MAY = {
    "read": ["select * from segment", "select * from mine_history"],
    "ingest": ["select * from mine_history", MINE, "update acquisition set tries = 1",
               "update epoch set superseded_at = now()"],
    "admin": [MINE, RULE, "delete from trial_score", "create table something (x integer)",
              "alter table mine add note text"],
}  # fmt: skip
MUST_NOT = {
    "read": [MINE, RULE, "update epoch set superseded_at = now()", "create table something (x integer)",
             "delete from segment", "truncate change", "set role minecam_ingest"],
    "ingest": [RULE, "delete from segment", "truncate change", "drop table segment", "update segment set class_id = 1",
               "update epoch set model_checksum = ''", "update class_area set hectares = 0", "insert into zone "
               "(slug, name, kind, geom) select 'z', 'z', 'z', aoi from mine", "update alert_event set why = ''",
               "create table something (x integer)", "delete from schema_version", "set role minecam_admin"],
    "admin": ["create role somebody", "alter role minecam_ingest superuser", "copy mine to '/tmp/mines'"],
}  # fmt: skip


def cases(of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(role, statement) for role, statements in of.items() for statement in statements]


def name_of(address: str) -> str:
    return address.split("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def people(cluster: Cluster) -> Iterator[dict[str, sql.Connection]]:
    """Connections of people who log in as these roles."""
    cluster.create_database("people")
    with sql.connect(cluster.url("people")) as owner:
        sql.migrate(owner)
    connections = {role: sql.connect(cluster.url("people", user=f"minecam_{role}")) for role in MAY}
    yield connections
    for connection in connections.values():
        connection.close()


@pytest.mark.parametrize(("role", "statement"), cases(MAY))
def test_roles_may_do_their_work(people: dict[str, sql.Connection], role: str, statement: str) -> None:
    with people[role].transaction(force_rollback=True):
        people[role].execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize(("role", "statement"), cases(MUST_NOT))
def test_roles_must_not_do_more(people: dict[str, sql.Connection], role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), people[role].transaction(force_rollback=True):
        people[role].execute(statement)  # type: ignore[call-overload]


def test_whoever_may_act_in_a_role_is_bound_by_it(database: sql.Connection, database_url: str) -> None:
    with sql.connect(database_url, role="read") as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(MINE)


def test_a_user_who_may_not_act_in_a_role_is_told_what_is_missing(
    database: sql.Connection, database_url: str, cluster: Cluster
) -> None:
    with pytest.raises(sql.DatabaseError, match="grant minecam_ingest to"):
        sql.connect(cluster.url(name_of(database_url), user="minecam_read"), role="ingest")


def test_a_database_without_roles_says_how_it_gets_them(short_folder: Path) -> None:
    fresh = Cluster(short_folder / "no-roles", durable=False)
    fresh.start()
    try:
        with pytest.raises(sql.DatabaseError, match="no role minecam_read: run `minecam db migrate`"):
            sql.connect(fresh.url(), role="read")
    finally:
        fresh.stop()


def test_a_server_of_others_is_migrated_without_its_superuser(database: sql.Connection, cluster: Cluster) -> None:
    """As on a managed server: somebody who owns a database, and may make roles."""
    database.execute("create role landlord login createrole")
    database.execute("create database of_landlord owner landlord")
    with sql.connect(cluster.url("of_landlord")) as superuser:
        superuser.execute("create extension postgis")
    with sql.connect(cluster.url("of_landlord", user="landlord")) as landlord:
        assert sql.migrate(landlord)
    with sql.connect(cluster.url("of_landlord", user="landlord"), role="ingest") as ingest:
        ingest.execute(MINE)
