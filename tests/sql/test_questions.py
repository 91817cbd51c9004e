"""What analysts ask: the examples of sql/README.md as they stand there, and answers that can be worked out."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pytest
import sqlalchemy
from psycopg.rows import tuple_row

import sql
from deploy.stack.cluster import Cluster
from tasks.mines import registry

FOLDER = Path(__file__).parent
README = (FOLDER.parent.parent / "sql" / "README.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.+?)```", README, re.DOTALL)
STRIP = 4.63
"""Hectares by which the pit of east-pit grows a month: 0.001 by 0.004 degrees at 20 degrees south."""


@pytest.fixture(scope="module")
def history(cluster: Cluster) -> Iterator[sql.Connection]:
    """Read `history.sql` as people do."""
    cluster.create_database("history")
    with sql.connect(cluster.url("history")) as owner:
        sql.migrate(owner)
        registry.publish_labels(owner)
        owner.execute((FOLDER / "history.sql").read_text())  # type: ignore[call-overload]
    with sql.connect(cluster.url("history"), role="read") as reader:
        yield reader


def rows(history: sql.Connection, statement: str) -> list[tuple[object, ...]]:
    return history.cursor(row_factory=tuple_row).execute(statement).fetchall()  # type: ignore[call-overload]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: re.search(r"from (\w+)", text)[1])
def test_the_examples_run(history: sql.Connection, example: str) -> None:
    found = history.execute(example).fetchall()
    assert found or "from experiment" in example


def test_the_lines_for_pandas_run(history: sql.Connection, cluster: Cluster) -> None:
    [lines] = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    address = cluster.url("history", user="minecam_read").replace("postgresql:", "postgresql+psycopg:")
    names: dict[str, Any] = {"geopandas": geopandas, "sqlalchemy": sqlalchemy}
    exec(re.sub(r'"postgresql.+?"', repr(address), lines), names)  # of our own README
    assert set(names["segments"]["class"]) == {"excavation", "dam", "mine_water"}
    assert names["segments"].crs == "EPSG:4326"


def test_history_holds_the_previous_hectares_and_the_difference(history: sql.Connection) -> None:
    said = rows(history, "select hectares, previous_hectares, difference, valid_share from mine_history where "
                "mine = 'east-pit' and class = 'excavation' and model = 'first' order by sensing_time")  # fmt: skip
    assert len(said) == 6 and said[0][1:3] == (None, None) and said[3][3] == 0.5
    for before, now in itertools.pairwise(said):
        assert now[1] == before[0] and now[2] == pytest.approx(STRIP, abs=0.02)


def test_a_mine_on_a_day_is_what_was_last_seen_of_every_place(history: sql.Connection) -> None:
    parts = rows(history, "select class, sensing_time::date::text, round(sum(hectares)::numeric, 1)::float8 from "
                 "mine_on('east-pit', '2024-04-20') group by 1, 2 order by 1, 2")  # fmt: skip
    background = [part for part in parts if part[0] == "background"]
    assert [part[1] for part in background] == ["2024-03-10", "2024-04-09"], "half is under cloud in April"
    whole = rows(history, "select hectares(aoi, aoi) from mine where slug = 'east-pit'")[0][0]
    assert sum(part[2] for part in parts) == pytest.approx(whole, rel=1e-3)
    assert ("excavation", "2024-04-09", pytest.approx(5 * STRIP, abs=0.1)) in parts
    assert rows(history, "select count(*) from mine_on('east-pit', '2024-01-09')") == [(0,)]
    with pytest.raises(Exception, match="no mine north-pit"):
        rows(history, "select * from mine_on('north-pit', '2024-04-20')")


def test_changes_between_days_add_up_to_the_ground_that_was_seen(history: sql.Connection) -> None:
    matrix = {(a, b): area for a, b, area, same in rows(
        history, "select * from transition_matrix('east-pit', '2024-01-31', '2024-06-30', 'first')")}  # fmt: skip
    whole = rows(history, "select hectares(aoi, aoi) from mine where slug = 'east-pit'")[0][0]
    assert sum(matrix.values()) == pytest.approx(whole, rel=1e-3)
    assert matrix["background", "excavation"] == pytest.approx(5 * STRIP, rel=0.01)
    assert matrix["excavation", "excavation"] == pytest.approx(2 * STRIP, rel=0.01)
    assert ("excavation", "background") not in matrix
    assert rows(history, "select count(*) from transition_matrix('east-pit', '2023-01-01', '2024-06-30')") == [(0,)]


def test_the_matrix_is_what_one_map_laid_over_the_other_gives(history: sql.Connection) -> None:
    """Half of the mine was last seen a month earlier; every segment, the background too, is laid over every other."""
    maps = """
        select b.class, n.class,
               round(sum(hectares(st_collectionextract(st_intersection(b.geom, n.geom), 3), m.aoi))::numeric, 2)::float8
        from mine m
        join lateral mine_on(m.slug, '2024-04-20', by_model => 'first') b on true
        join lateral mine_on(m.slug, '2024-06-30', by_model => 'first') n on st_intersects(b.geom, n.geom)
        where m.slug = 'east-pit'
        group by 1, 2
        having sum(st_area(st_intersection(b.geom, n.geom))) > 0"""
    matrix = rows(
        history,
        "select from_class, to_class, hectares from transition_matrix('east-pit', '2024-04-20', '2024-06-30', 'first')",
    )
    assert {row[:2]: row[2] for row in matrix} == {
        row[:2]: pytest.approx(row[2], abs=0.02) for row in rows(history, maps)
    }
    assert len(matrix) > 4


def test_growth_is_not_bent_by_a_gap_or_a_bad_epoch(history: sql.Connection) -> None:
    said = dict(rows(history, "select class, hectares_a_month from growth('east-pit') where model = 'first'"))
    assert said["excavation"] == pytest.approx(STRIP * 30.4375 / 30, rel=0.01)
    assert said["dam"] == 0 and said["background"] < 0


def test_the_fleet_is_ordered_by_growth(history: sql.Connection) -> None:
    said = rows(history, "select mine, hectares_a_month from fleet_growth(12, until => '2024-06-30')")
    assert [row[0] for row in said] == ["east-pit", "west-pit"]
    assert said[0][1] == pytest.approx(1.5 * STRIP * 30.4375 / 30, rel=0.05) and abs(said[1][1]) < 0.01
    assert rows(history, "select mine from fleet_growth(12, of_country => 'CL', until => '2024-06-30')") == [
        ("west-pit",)
    ]
    assert len(rows(history, "select mine from fleet_growth(12, of_operator => 'Acme', until => '2024-06-30')")) == 2
    assert rows(history, "select mine from fleet_growth(12, of_operator => 'Other', until => '2024-06-30')") == []


def test_ground_outside_the_licence_has_a_place_a_size_and_a_date(history: sql.Connection) -> None:
    said = rows(
        history, "select place, class, hectares, since::date::text from mined_outside('east-pit', '2024-06-30')"
    )
    pit = [row for row in said if row[1] == "excavation"]
    assert [row[0] for row in pit] == ["outside the licence", "protected area: Old Spring"]
    assert all(row[2] == pytest.approx(3 * STRIP, rel=0.01) and row[3] == "2024-05-09" for row in pit)
    assert rows(history, "select * from mined_outside('west-pit', '2024-06-30')") == []


def test_what_was_known_at_a_moment(history: sql.Connection) -> None:
    asked = ("select hectares from mine_history_as_of('{}') where mine = 'east-pit' and class = 'excavation' "
             "and sensing_time::date = '2024-05-09'")  # fmt: skip
    assert rows(history, asked.format("2024-05-09 15:00Z")) == []
    assert rows(history, asked.format("2024-05-09 16:30Z")) == [(0,)], "the older weights saw nothing"
    assert rows(history, asked.format("2024-05-09 17:30Z")) == [(pytest.approx(6 * STRIP, rel=0.01),)]
    dug = "select count(*) from mine_on('east-pit', '2024-05-09', '{}') where class = 'excavation'"
    assert rows(history, dug.format("2024-05-09 16:30Z")) == [(0,)] and rows(history, dug.format("infinity")) == [(1,)]
    assert rows(history, "select model_on('east-pit', '2024-05-09', '2024-01-01')") == [(None,)]
    for asked in ("segment", "change"):
        known = [rows(history, f"select count(*) from {asked}_as_of('{moment}') where mine = 'east-pit'")[0][0]
                 for moment in ("2024-01-01", "2024-03-01", "infinity")]  # fmt: skip
        assert known[0] == 0 and known == sorted(known) and known[2] > 0, asked
    states = [rows(history, f"select state from open_alert_as_of('{moment}')")
              for moment in ("2024-02-01", "2024-03-01", "infinity")]  # fmt: skip
    assert states == [[], [("provisional",)], [("confirmed",)]]


def test_the_record_says_what_was_refused_and_how_long_it_took(history: sql.Connection) -> None:
    said = rows(history, "select state, reasons, hours_from_sensing, hours_from_publication from observation "
                "where mine = 'east-pit' order by sensing_time desc limit 2")  # fmt: skip
    assert said == [("quarantined", ["cloud"], None, None), ("segmented", [], 4.0, 1.0)]
    status = "select last_valid_observation::date::text, last_state from mine_status where mine = 'east-pit'"
    assert rows(history, status) == [("2024-06-08", "quarantined")]


def test_what_was_called_otherwise_answers_by_its_old_name_and_says_so(history: sql.Connection) -> None:
    before = "select last_valid_look::date::text, last_state from watch where mine = 'east-pit'"
    assert rows(history, before) == [("2024-06-08", "quarantined")]
    assert rows(history, "select count(*) from watch") == rows(history, "select count(*) from mine_status")
    assert rows(history, "select looks from budget") == rows(history, "select previews from budget")
    said = "select obj_description('watch'::regclass), col_description('budget'::regclass, attnum) from pg_attribute"
    ((view, column),) = rows(history, f"{said} where attrelid = 'budget'::regclass and attname = 'looks'")
    assert "ask mine_status" in view and "ask previews" in column


def test_ponds_costs_lineage_and_models(history: sql.Connection) -> None:
    [pond] = rows(
        history, "select pond_before, pond_now, difference from dam_ponds('east-pit', '2024-01-31', '2024-06-30')"
    )
    assert pond == (
        pytest.approx(STRIP, abs=0.02),
        pytest.approx(3.5 * STRIP, abs=0.05),
        pytest.approx(2.5 * STRIP, abs=0.05),
    )
    assert rows(history, "select sum(acquisitions)::int, sum(processing_units) from cost where mine = 'east-pit'") == [
        (7, 3.5)
    ]
    [line] = rows(history, "select product_ids, model, model_checksum, code_version, flow_run_id, raster_checksum, "
                  "validations->0->>'passed' from segment_lineage "
                  "where segment_id = (select min(segment_id) from segment)")  # fmt: skip
    assert line == (["S2_east-pit_1"], "first", "first", "0.1.0", "run-1", "c1", "true")
    found = rows(history, "select one_model, other_model, difference from model_comparison where mine = 'east-pit'")
    assert len(found) == 11 and set(found) == {("first", "second", 0.0)}


def test_the_pieces_of_one_dam_are_one_and_the_largest_comes_first(database: sql.Connection) -> None:
    registry.publish_labels(database)
    database.execute((FOLDER / "history.sql").read_text())  # type: ignore[call-overload]
    asked = "select dam_hectares, pond_now, difference from dam_ponds('east-pit', '2024-01-31', '2024-06-30')"
    [(whole, *pond)] = rows(database, asked)
    for shift in (0.004, 0.0045):  # specks north of the dam, each of which the pond reaches as well
        database.execute(
            "insert into segment (epoch_id, mine_id, class_id, sensing_time, hectares, confidence, geom)"
            " select epoch_id, s.mine_id, class_id, sensing_time, 0.05, 0.9, st_multi(st_makeenvelope(st_xmin(geom),"
            " st_ymin(geom) + %(shift)s, st_xmin(geom) + 0.0002, st_ymin(geom) + %(shift)s + 0.0002, 4326))"
            " from segment s join mine using (mine_id) where class_id = 5 and slug = 'east-pit'",
            {"shift": shift},
        )
    assert rows(database, asked) == [(pytest.approx(whole + 0.1), *pond)]


def test_figures_have_the_digits_that_they_are_worth(database: sql.Connection) -> None:
    registry.publish_labels(database)
    database.execute((FOLDER / "history.sql").read_text())  # type: ignore[call-overload]
    database.execute("update alert set measured = 4.6299214285714")
    assert {row[0] for row in rows(database, "select measured from open_alert")} == {4.63}
    assert rows(database, "select bool_and(month = sensing_month) from cost") == [(True,)]


@pytest.mark.parametrize("view", ["mine_history", "current_segment", "current_change", "open_alert", "alert_history",
                                  "observation", "watch", "cost", "model_comparison", "segment_lineage"])  # fmt: skip
def test_the_first_column_of_a_view_is_its_key(history: sql.Connection, view: str) -> None:
    key = rows(history, f"select attname from pg_attribute where attrelid = '{view}'::regclass and attnum = 1")[0][0]
    [(distinct, all_)] = rows(history, f"select count(distinct {key}), count(*) from {view}")
    assert distinct == all_ > 0


def test_geometry_has_a_type_and_a_reference_system_everywhere(history: sql.Connection) -> None:
    said = rows(history, "select distinct type, srid from geometry_columns where f_table_schema = 'minecam'")
    assert said == [("MULTIPOLYGON", 4326)]
