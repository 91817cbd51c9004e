"""What Prometheus is told: read back by its own parser, over a database whose figures are known."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import sql
from deploy import metrics
from sql.errors import DatabaseError
from tasks.mines import registry
from tests.served import serving

HISTORY = Path(__file__).parent.parent / "sql" / "history.sql"

Figures = dict[tuple[str, ...], float]


def read(text: str) -> Figures:
    """Return each figure by its name and the values of its labels, in the order of these."""
    found: Figures = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge" and family.documentation
        for sample in family.samples:
            place = (sample.name, *sample.labels.values())
            assert place not in found
            found[place] = sample.value
    return found


def told() -> Figures:
    return read(metrics.Page().text().decode())


@pytest.fixture
def history(home: Path, database: sql.Connection) -> sql.Connection:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    return database


def test_an_empty_database_has_figures_too(home: Path) -> None:
    found = told()
    assert found["minecam_mines",] == 0 and found["minecam_acquisitions", "failed"] == 0
    assert found["minecam_alerts", "3", "confirmed"] == 0 and found["minecam_queue", "acquisitions"] == 0
    assert found["minecam_units_left",] == 10_000 and found["minecam_database_bytes",] > 1e6
    silent = {"minecam_stored_after_seconds", "minecam_searched_timestamp_seconds"}
    assert {name for name, *_ in found} == set(metrics.METRICS) - silent


def test_what_is_told_is_what_the_database_holds(history: sql.Connection) -> None:
    found = told()
    assert found["minecam_mines",] == 2
    assert found["minecam_acquisitions", "segmented"] == 12 and found["minecam_acquisitions", "quarantined"] == 2
    assert found["minecam_epochs",] == 14
    assert found["minecam_mines_unseen", "90"] == 0  # they were registered just now
    assert sum(value for (name, *_), value in found.items() if name == "minecam_alerts") == len(
        history.execute("select from alert").fetchall()
    )


def test_what_failed_waits_until_it_is_given_up(history: sql.Connection) -> None:
    history.execute("update acquisition set state = 'failed', tries = 4 where sensing_date = '2024-01-10'")
    found = told()
    assert (found["minecam_queue", "acquisitions"], found["minecam_acquisitions_given_up",]) == (2, 0)
    history.execute("update acquisition set tries = 5 where state = 'failed'")
    found = told()
    assert (found["minecam_queue", "acquisitions"], found["minecam_acquisitions_given_up",]) == (0, 2)
    history.execute("update acquisition set state = 'accepted'")
    history.execute("update mine set retired_at = now() where slug = 'west-pit'")
    assert told()["minecam_queue", "acquisitions"] == 7


def test_how_long_it_took_is_of_the_last_days_and_of_no_backfill(history: sql.Connection) -> None:
    recent = "update acquisition set sensing_time = now() - interval '{}', published_at = now() - interval '{}', "
    recent += "segmented_at = now() - interval '1 hour' where sensing_date = '{}'"
    history.execute(recent.format("11 hours", "5 hours", "2024-01-10"))  # type: ignore[call-overload]
    history.execute(recent.format("20 days", "19 days", "2024-02-09"))  # type: ignore[call-overload]
    history.execute(recent.format("90 days", "89 days", "2024-03-10"))  # type: ignore[call-overload]
    found = told()
    assert found["minecam_stored",] == 4
    middle = (10 * 3600 + 20 * 86400 - 3600) / 2
    assert found["minecam_stored_after_seconds", "0.5", "sensing"] == pytest.approx(middle)
    assert found["minecam_stored_after_seconds", "0.99", "publication"] == pytest.approx(19 * 86400 - 3600)


def test_mines_that_nobody_looks_after_are_counted(history: sql.Connection) -> None:
    history.execute("update mine set registered_at = now() - interval '40 days'")
    history.execute(
        "insert into charge (mine_id, kind, processing_units, at)"
        " select mine_id, 'search', 0.01, now() - interval '3 days' from mine where slug = 'east-pit'"
    )
    history.execute(
        "update epoch set sensing_time = now() - interval '20 days' where sensing_time::date = '2024-06-08'"
        " and mine_id = (select mine_id from mine where slug = 'west-pit')"
    )
    found = told()
    assert [found["minecam_mines_unsearched", days] for days in ("2", "7")] == [2, 1]
    assert [found["minecam_mines_unseen", days] for days in ("10", "30", "90")] == [2, 1, 0]


def test_the_budget_tells_what_is_left(history: sql.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    history.execute("insert into charge (mine_id, kind, processing_units) select mine_id, 'process', 30 from mine")
    monkeypatch.setenv("MINECAM_PU_MONTH", "50")
    found = told()
    assert (found["minecam_units_spent",], found["minecam_units_left",]) == (60, 0)
    assert (found["minecam_requests_spent",], found["minecam_requests_left",]) == (2, 9_998)


def test_events_wait_to_be_told_and_messages_to_be_taken(history: sql.Connection) -> None:
    before = told()
    history.execute(
        "with v as (insert into alert_event (alert_id, to_state, actor, why)"
        " select min(alert_id), 'confirmed', 'test', 'it is' from alert returning alert_event_id)"
        " insert into delivery (alert_event_id, block, tries, problem) select alert_event_id, 'chat', 2, 'no' from v"
    )
    found = told()
    for what in ("events", "refused"):
        assert found["minecam_queue", what] == before["minecam_queue", what] + 1


def test_figures_are_kept_for_a_moment(history: sql.Connection) -> None:
    page, at_once = metrics.Page(kept_seconds=60), metrics.Page(kept_seconds=0)
    for one in (page, at_once):
        assert read(one.text().decode())["minecam_mines",] == 2
    history.execute("update mine set retired_at = now()")
    assert read(page.text().decode())["minecam_mines",] == 2
    assert read(at_once.text().decode())["minecam_mines",] == 0


def test_a_database_that_is_away_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_DATABASE_URL", "postgresql:///none?host=/nowhere")
    with pytest.raises(DatabaseError, match="does not answer"):
        metrics.Page().text()


@pytest.fixture
def served(history: sql.Connection) -> Iterator[str]:
    with serving() as address:
        yield address


def test_minecam_serve_tells_it(served: str) -> None:
    answer = httpx.get(f"{served}/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain; version=") and "cache-control" not in answer.headers
    assert read(answer.text)["minecam_mines",] == 2
