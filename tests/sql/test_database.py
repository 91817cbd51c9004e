import pytest

import sql
from sql.database import migrations


def test_migrating_twice_applies_nothing_the_second_time(database: sql.Connection) -> None:
    assert sql.migrate(database) == []


def test_comparisons_of_an_older_schema_are_made_again(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = [one for one in migrations() if one[0] <= 3]
    with sql.connect(empty) as database:
        with monkeypatch.context() as patch:
            patch.setattr("sql.database.migrations", lambda: older)
            sql.migrate(database)
        database.execute(
            "with m as (insert into mine (slug, name, aoi) values ('pit', 'Pit', st_multi(st_makeenvelope(0, 0, 1, 1,"
            " 4326))) returning *),"
            " a as (insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids)"
            " select mine_id, 's2-rgb', 'sentinel-2-l2a', '2023-01-01', '2023-01-01', '{}' from m returning *),"
            " e as (insert into epoch (acquisition_id, mine_id, sensor_set, sensing_time, model, model_checksum,"
            " code_version, class_raster, class_checksum, confidence_raster, confidence_checksum, aoi_hectares,"
            " valid_hectares) select acquisition_id, mine_id, sensor_set, sensing_time, 'm', '-', '0', '-', '-', '-',"
            " '-', 1, 1 from a returning *)"
            " insert into comparison (epoch_id, mine_id, previous_epochs, valid_hectares, unknown_hectares,"
            " changed_hectares) select epoch_id, mine_id, '{}', 0, 1, 0 from e"
        )
        newer = sql.migrate(database)
        assert newer[0] == "0004_class_change.sql"
        row = database.execute("select * from comparison").fetchone()
        assert row and row["superseded_why"] == "made before hectares per class were kept"
        due = {"sensor_set": "s2-rgb", "model": "m", "start": None, "end": None, "rerun": False}
        assert len(sql.run(database, "epoch_due", mine_id=row["mine_id"], **due)) == 1


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


def test_a_database_without_the_schema_says_how_it_gets_it(empty: str) -> None:
    with sql.connect(empty) as connection, pytest.raises(sql.DatabaseError, match="run `minecam db migrate`"):
        sql.run(connection, "mine_list")


def test_a_statement_does_not_wait_for_ever(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sql.database.LOCK_SECONDS", 1)
    with sql.connect(database_url) as other, other.transaction():
        other.execute("lock table mine")
        with sql.connect(database_url, role="ingest") as connection:
            with pytest.raises(sql.DatabaseFailed, match=r"lock timeout.*the next run goes on from there"):
                sql.run(connection, "mine_list")
            assert not connection.closed


def test_a_lost_connection_is_told_in_words(database_url: str) -> None:
    with sql.connect(database_url) as connection, sql.connect(database_url) as other:
        other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(sql.DatabaseFailed, match="the database failed in the middle of the work"):
            sql.run(connection, "mine_list")
        assert connection.closed
