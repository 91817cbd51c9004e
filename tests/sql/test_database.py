import pytest

import sql


def test_migrating_twice_applies_nothing_the_second_time(database: sql.Connection) -> None:
    assert sql.migrate(database) == []


def test_a_newer_database_is_refused(database: sql.Connection) -> None:
    sql.run(database, "migration_record", version=9999, name="from the future")
    with pytest.raises(sql.DatabaseError, match="install a newer MineCam"):
        sql.migrate(database)


def test_a_database_that_is_down_says_what_to_do() -> None:
    with pytest.raises(sql.DatabaseError, match="minecam up"):
        sql.connect("postgresql:///nowhere?host=/tmp/no-such-folder")


def test_every_table_and_view_is_commented(database: sql.Connection) -> None:
    uncommented = database.execute(
        "select relname from pg_class where relnamespace = 'minecam'::regnamespace "
        "and relkind in ('r', 'v') and obj_description(oid) is null"
    ).fetchall()
    assert uncommented == []


def test_a_database_without_the_schema_says_how_it_gets_it(database_url: str) -> None:
    with sql.connect(database_url) as connection, pytest.raises(sql.DatabaseError, match="run `minecam db migrate`"):
        sql.run(connection, "mine_list")
