"""Data Docs from figures in a real database."""

import re
from pathlib import Path

import pytest

import sql
from tasks.errors import WrongUse
from tasks.validate import datadocs
from tasks.validate.validate import validate
from tests.tasks.validate.test_validate import acquire, mine

__all__ = ["mine"]


def test_a_folder_may_be_named_from_where_one_stands(database, home, mine, tmp_path, monkeypatch):
    validate(database, acquire(database, mine, home, 1), mine)
    monkeypatch.chdir(tmp_path)
    page = datadocs.build(database, Path("validation"))
    assert page == Path("validation/index.html") and ">s2-rgb</a>" in (tmp_path / page).read_text()
    assert list((tmp_path / "validation" / "validations").rglob("*.html"))


def test_the_pages_say_what_failed_and_why_and_need_no_network(database, database_url, home, mine, tmp_path):
    with pytest.raises(WrongUse, match="nothing was validated yet"):
        datadocs.build(database, tmp_path / "docs")
    for day, changes in ((1, {}), (2, {"scl": 9})):
        validate(database, acquire(database, mine, home, day, **changes), mine)
    database.execute("update validation set suite = 'acquisition' where passed")  # as earlier versions called it
    with sql.connect(database_url, role="read") as reader:
        index = datadocs.build(reader, tmp_path / "docs", "pit")
    pages = {page.relative_to(tmp_path / "docs").parts[0]: page.read_text() for page in index.parent.rglob("*.html")}
    assert sorted(pages) == ["expectations", "index.html", "validations"]
    assert ">s2-rgb</a></td><td>2</td><td>1</td>" in pages["index.html"]
    assert "2 of 2023-01-02" in pages["validations"] and "1 of 2023-01-01" not in pages["validations"]
    assert "half of it is worth an epoch" in pages["expectations"]
    for page in pages.values():
        assert not re.search(r"<script|<link|<img|src=|url\(|@import", page)
    with pytest.raises(WrongUse, match="is not empty"):
        datadocs.build(database, tmp_path / "docs")
    with pytest.raises(WrongUse, match="cannot be written"):
        datadocs.build(database, tmp_path / "docs" / "index.html" / "docs")
