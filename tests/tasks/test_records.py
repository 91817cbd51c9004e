"""Records are the rows: a column that a migration adds is a field, and back."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

import sql
from tasks.records import Acquisition, Comparison, Epoch, advance
from tests.tasks import nouns


@pytest.mark.parametrize("record", [Acquisition, Epoch, Comparison])
def test_a_record_has_the_columns_of_its_table(database: sql.Connection, record: type) -> None:
    rows = database.execute(
        "select column_name from information_schema.columns where table_schema = 'minecam' and table_name = %s",
        [record.__name__.lower()],
    ).fetchall()
    assert {row["column_name"] for row in rows} == {field.name for field in fields(record)}


def test_what_is_accepted_and_where_it_lies() -> None:
    states = ("discovered", "downloaded", "accepted", "quarantined", "segmented", "failed")
    assert [nouns.acquisition(state=state).accepted for state in states] == [False, False, True, False, True, False]
    assert nouns.acquisition(shift_rows=0.5, shift_columns=-1.0).shift == (0.5, -1.0)
    assert nouns.acquisition().shift is None
    with pytest.raises(ValueError, match="acquisition 1 is discovered: it has no raster"):
        _ = nouns.acquisition().image


def test_what_somebody_else_has_moved_is_returned_as_it_stands(database: sql.Connection) -> None:
    database.execute("insert into mine (slug, name, aoi) values ('pit', 'Pit',"
                     " st_multi(st_makeenvelope(69, 33, 69.01, 33.01, 4326)))")  # fmt: skip
    database.execute(
        "insert into acquisition (mine_id, sensor_set, collection, sensing_date, sensing_time, product_ids, state)"
        " select mine_id, 's2-rgb', 'sentinel-2-l2a', '2023-01-08', %s, '{X}', 'segmented' from mine",
        [datetime(2023, 1, 8, tzinfo=UTC)],
    )
    (known,) = nouns.acquisitions(database)
    assert advance(database, known, "acquisition_wait", reason="no budget") == known
    assert advance(database, known, "acquisition_failed", reason="lost").reasons == ["lost"]
