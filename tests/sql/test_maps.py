"""Maps ask by place: outlines are found by their index, and the extent of a table can be estimated."""

import re
from pathlib import Path

import pytest

import sql
from tasks.mines import registry

HISTORY = Path(__file__).parent / "history.sql"


@pytest.fixture
def history(database: sql.Connection) -> sql.Connection:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    database.execute("select add_year('2031-05-01Z')")
    database.execute("analyze")
    return database


@pytest.mark.parametrize("table", ["segment", "change"])
def test_the_extent_of_a_table_of_partitions_can_be_estimated(history: sql.Connection, table: str) -> None:
    row = history.execute(
        "select st_xmin(box) as west, st_ymax(box) as north"
        " from (select st_estimatedextent('minecam', %s, 'geom')) e(box)",
        (table,),
    ).fetchone()
    assert row is not None and -180 < row["west"] < -40 and -25 < row["north"] < -15


@pytest.mark.parametrize("table", ["segment", "change"])
def test_every_partition_has_an_index_over_its_outlines(history: sql.Connection, table: str) -> None:
    bare = history.execute(
        "select inhrelid::regclass::text as partition from pg_inherits where inhparent = %s::regclass and not exists"
        " (select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam"
        "  where i.indrelid = inhrelid and a.amname = 'gist')",
        (table,),
    ).fetchall()
    assert bare == []


@pytest.mark.parametrize("view", ["latest_segment", "current_segment", "current_change", "segments_on('2024-05-01')"])
def test_what_lies_in_a_box_is_found_by_the_index(history: sql.Connection, view: str) -> None:
    history.execute("set enable_seqscan = off; set enable_bitmapscan = off")
    plan = history.execute(  # type: ignore[call-overload]
        f"explain select * from {view} where st_intersects(geom, st_makeenvelope(10, 10, 11, 11, 4326))"
    ).fetchall()
    assert any(re.search(r"Index Cond: \(\(?geom\)?(::geometry)? &&", line) for row in plan for line in row.values())


def test_the_map_of_a_day_is_the_latest_epoch_until_its_end(history: sql.Connection) -> None:
    def days(call: str) -> list[str]:
        rows = history.execute(
            f"select distinct (sensing_time at time zone 'UTC')::date::text as day from {call}"
        ).fetchall()  # type: ignore[call-overload]
        return [row["day"] for row in rows]

    assert days("segments_on('2024-04-09')") == ["2024-04-09"]
    history.execute("set timezone = 'Pacific/Auckland'")  # days are of UTC, whoever asks
    assert days("segments_on('2024-04-09')") == ["2024-04-09"] and days("segments_on('2024-04-10')") == ["2024-04-09"]
    history.execute("set timezone = 'UTC'")
    assert days("segments_on('2024-04-08')") == ["2024-03-10"]
    assert days("segments_on('2023-12-31')") == []
    today = history.execute("select * from segments_on() order by segment_id").fetchall()
    assert today == history.execute("select * from latest_segment order by segment_id").fetchall() != []


def test_what_is_too_small_for_a_tile_is_a_square_and_what_lies_elsewhere_is_nothing(database: sql.Connection) -> None:
    ask = (
        "select st_area(tile_geometry(st_expand(st_setsrid(st_makepoint(%s, 500), 3857), %s),"
        " st_makeenvelope(0, 0, 4096, 4096, 3857), 4096, 256, true)) as area"
    )
    small, large, elsewhere = (database.execute(ask, of).fetchone() for of in ((500, 0.1), (500, 50), (9000, 0.1)))
    assert small == {"area": 16} and large == {"area": 10_000} and elsewhere == {"area": None}
