"""Partitions of years, which many workers come upon at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import sql


def test_workers_that_come_upon_a_year_at_once_make_its_partitions_once(database_url: str) -> None:
    def add(number: int) -> None:
        with sql.connect(database_url, role="ingest") as connection:
            for year in range(2030, 2040):
                sql.run(connection, "year_add", sensing_time=datetime(year, 6, 1, tzinfo=UTC))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    with sql.connect(database_url) as connection:
        made = sql.run_one(connection, "year_add", sensing_time=datetime(2030, 6, 1, tzinfo=UTC))
        assert made is not None
        tables = connection.execute("select to_regclass('minecam_years.' || t || '_2039') is not null as there"
                                    " from unnest(array['segment', 'class_area', 'change']) t").fetchall()  # fmt: skip
    assert [row["there"] for row in tables] == [True] * 3
