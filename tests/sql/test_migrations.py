"""The chain of migrations: from every schema that was released to the newest, and through a dump."""

import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

import sql
from deploy.stack.cluster import Cluster
from sql.database import migrations
from tasks.mines import registry

BEFORE_YEARS = Path(__file__).parent / "before_years.sql"
HISTORY = Path(__file__).parent / "history.sql"


def schema(address: str) -> str:
    command = ["pg_dump", "--schema-only", "--no-owner", address]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(
        line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))
    )  # a new key each time


def counts(connection: sql.Connection) -> dict[str, int]:
    tables = ("mine", "epoch", "class_area", "segment", "comparison", "change", "alert_event", "unseen", "mine_month")
    return {table: connection.execute(f"select count(*) as n from {table}").fetchone()["n"] for table in tables}  # type: ignore[call-overload,index]


@pytest.fixture
def of_2023(cluster: Cluster) -> str:
    """The address of a database that began with the newest schema, and holds epochs of 2023."""
    name = f"new_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name)
    with sql.connect(cluster.url(name)) as database:
        sql.migrate(database)
        database.execute("select add_year('2023-03-01')")
    return cluster.url(name)


@pytest.mark.parametrize("number", [number for number, _, _ in migrations()[:-1]])
def test_every_schema_leads_to_the_newest(
    empty: str, database_url: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = [one for one in migrations() if one[0] <= number]
    with sql.connect(empty) as database:
        with monkeypatch.context() as patch:
            patch.setattr("sql.database.migrations", lambda: older)
            sql.migrate(database)
        assert len(sql.migrate(database)) == len(migrations()) - len(older)
    assert schema(empty) == schema(database_url)


def test_what_was_called_a_look_is_a_preview(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = [one for one in migrations() if one[0] <= 21]
    with sql.connect(empty) as database:
        with monkeypatch.context() as patch:
            patch.setattr("sql.database.migrations", lambda: older)
            sql.migrate(database)
        database.execute(
            "with pit as (insert into mine (slug, name, aoi) values ('pit', 'Pit',"
            "   st_multi(st_makeenvelope(69, 33, 69.01, 33.01, 4326))) returning mine_id),"
            " cloudy as (insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time,"
            "   product_ids) select mine_id, 's2-rgb', 'sentinel-2-l2a', '2023-01-08', '2023-01-08', '{X}' from pit"
            "   returning acquisition_id, mine_id),"
            " judged as (insert into validation (acquisition_id, suite, passed, figures)"
            "   select acquisition_id, 'look', false, '{}' from cloudy)"
            " insert into charge (mine_id, acquisition_id, kind, processing_units)"
            "   select mine_id, acquisition_id, 'look', 0.01 from cloudy"
        )
        sql.migrate(database)
        (said,) = database.execute("select suite, kind, previews, looks from validation, charge, budget").fetchall()
        assert tuple(said.values()) == ("preview", "preview", 1, 1)


def test_rows_of_the_schema_before_years_are_kept(empty: str, of_2023: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = [one for one in migrations() if one[0] <= 5]
    with sql.connect(empty) as database:
        with monkeypatch.context() as patch:
            patch.setattr("sql.database.migrations", lambda: older)
            sql.migrate(database)
        database.execute(BEFORE_YEARS.read_text())  # type: ignore[call-overload]
        assert sql.migrate(database) == [name for number, name, _ in migrations() if number > 5]
        assert database.execute(
            "select segment_id, class_id, hectares, sensing_time::text from segment"
        ).fetchall() == [{"segment_id": 1, "class_id": 1, "hectares": 2, "sensing_time": "2023-03-01 12:00:00+00"}]
        assert database.execute("select tableoid::regclass::text as lies_in from class_area").fetchall() == [
            {"lies_in": "minecam_years.class_area_2023"}
        ]
        assert database.execute("select from_class, to_class from current_change").fetchall() == [
            {"from_class": "background", "to_class": "excavation"}
        ]
        assert database.execute("select hectares[2] as dug, epochs from mine_month").fetchall() == [
            {"dug": 2, "epochs": 1}
        ]
        assert database.execute("select nextval('segment_ids') as id").fetchone() == {"id": 2}
    assert schema(empty) == schema(of_2023)


def test_a_dump_restored_elsewhere_answers_as_before(empty: str, cluster: Cluster, tmp_path: Path) -> None:
    name = f"restored_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name)
    with sql.connect(empty) as database:
        sql.migrate(database)
        registry.publish_labels(database)
        database.execute(HISTORY.read_text())  # type: ignore[call-overload]
        before = counts(database)
        asked = "select * from transition_matrix('east-pit', '2024-01-31', '2024-06-30')"
        said = database.execute(asked).fetchall()
    subprocess.run(["pg_dump", "-Fc", "-f", str(tmp_path / "dump"), empty], check=True)
    subprocess.run(["pg_restore", "--exit-on-error", "-d", cluster.url(name), str(tmp_path / "dump")], check=True)
    with sql.connect(cluster.url(name), role="read") as restored:
        assert counts(restored) == before and said
        assert restored.execute(asked).fetchall() == said
    with sql.connect(cluster.url(name)) as restored:
        assert sql.migrate(restored) == []
        restored.execute("select add_year('2031-05-01')")
    with psycopg.connect(cluster.url(name, user="minecam_read")) as reader:  # as psql does: no settings of ours
        assert reader.execute("select count(*) from mine_history").fetchone() != (0,)
        assert reader.execute("show jit").fetchone() == ("off",)
    with sql.connect(cluster.url(name), role="ingest") as ingest, pytest.raises(psycopg.errors.InsufficientPrivilege):
        ingest.execute("delete from segment")


def test_two_starts_at_once_migrate_once(empty: str) -> None:
    def start(_: int) -> list[str]:
        with sql.connect(empty) as database:
            return sql.migrate(database)

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(start, range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


def test_everything_has_a_comment(database: sql.Connection) -> None:
    database.execute("select add_year('2031-05-01')")
    missing = database.execute(
        "select c.relname || coalesce('.' || attname, '') as of from pg_class c"
        " left join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped"
        " where (relnamespace in ('minecam'::regnamespace, 'minecam_years'::regnamespace) or relname = 'layer_styles')"
        " and relkind in ('r', 'p', 'v')"
        " and (obj_description(c.oid) is null or col_description(c.oid, attnum) is null)"
        " union all select proname from pg_proc where pronamespace = 'minecam'::regnamespace"
        " and obj_description(oid, 'pg_proc') is null"
    ).fetchall()
    assert missing == []


def test_people_need_no_search_path(database: sql.Connection, database_url: str, cluster: Cluster) -> None:
    """QGIS, and users of a server of its own, name the schema."""
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    guest = f"guest_{uuid.uuid4().hex[:8]}"
    database.execute(f"create role {guest} login in role minecam_read")  # type: ignore[call-overload]
    name = database_url.split("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(cluster.url(name, user=guest)) as reader:
        for asked in ("mine_history", "open_alert", "mine_on('east-pit', '2024-05-01')", "growth('east-pit')",
                      "mined_outside('east-pit', '2024-05-01')", "fleet_growth(until => '2024-06-30')"):  # fmt: skip
            assert reader.execute(f"select * from minecam.{asked}").fetchall()  # type: ignore[call-overload]
