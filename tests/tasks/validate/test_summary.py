"""What a run shows of its validation; Prefect itself is tested in tests/flows."""

from pathlib import Path

import pytest

from tasks.validate.summary import MOST_PICTURES, markdown, summarise
from tasks.validate.validate import validate
from tests.tasks.validate.test_validate import acquire, mine

__all__ = ["mine"]


@pytest.fixture(autouse=True)
def no_prefect(monkeypatch):
    """Prefect is not there: what would be shown is returned all the same."""

    def refuse(*_, **__):
        raise ConnectionError("http://user:secret@nowhere")

    monkeypatch.setattr("prefect.artifacts.create_markdown_artifact", refuse)


def test_what_a_run_validated_is_told_with_pictures_of_what_it_refused(database, home, mine, caplog):
    for day, changes in ((1, {}), (2, {"scl": 9}), (3, {"without": [1]})):
        validate(database, acquire(database, mine, home, day, **changes), mine, flow_run_id="ours")
    validate(database, acquire(database, mine, home, 4), mine, flow_run_id="another")
    text = summarise(database, mine, flow_run_id="ours")
    assert text.startswith("# pit: 3 acquisitions validated, 2 refused\n")
    assert "| 2023-01-01 00:00 | acquisition (s2-rgb) | 100 % | 100 % | 0 % |  |" in text and "2023-01-04" not in text
    assert "- band B03 is missing (no values)" in text and text.count("](data:image/png;base64,") == 2
    assert len(text) < 60_000
    assert "cannot be shown in Prefect: ConnectionError" in caplog.text and "secret" not in caplog.text
    Path(f"{home}/3.tif").unlink()
    assert summarise(database, mine, flow_run_id="ours").count("No picture: cannot read the raster") == 1


def test_where_nothing_was_validated_nothing_is_shown(database, mine):
    assert summarise(database, mine, flow_run_id="ours") is None


def test_of_very_many_only_the_first_have_pictures(database, home, mine):
    validate(database, acquire(database, mine, home, 1, scl=9), mine, flow_run_id="ours")
    (row,) = database.execute("select * from validation join acquisition using (acquisition_id)").fetchall()
    rows = [{**row, "reasons": ["cloud"], "validation_id": number} for number in range(MOST_PICTURES + 5)]
    text = markdown("pit", rows, dict.fromkeys(range(MOST_PICTURES), "picture"))
    assert text.count("picture\n") >= MOST_PICTURES and "Without pictures: 5 more" in text
