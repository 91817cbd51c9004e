"""Names and notes with all that has broken programs before: they harm nothing, wherever they are shown."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import sql
from deploy.archive.importing import import_folder
from deploy.cli import app
from tasks.acquire.download import address_of
from tasks.errors import WrongUse
from tasks.mines import imports, registry
from tasks.notify.notice import body, markdown, subject
from tasks.rasters.pictures import Panel, sheet
from tasks.text import LONGEST, clean, fit, inert, one_line, without_calls
from tests.deploy.archive.test_importing import picture
from tests.tasks import nouns

NAMES = [
    'Mine "Glück auf" \'7\'', "../../etc/passwd", "C:\\mines\\..\\x", "line\nbreak\r\nand tab\t.",
    "منجم الذهب", "מכרה זהב",
    "\u202eevil\u202c name", "nul\x00 inside", "⛏️ pit 👷‍♀️", "100 % {mine} {0} %s %n", "<script>alert(1)</script>",
    "[click](javascript:alert(1))", "![x](http://x/y.png)", "[/bold] [red]x[/]", ":smile: `x`",
    "'; drop table mine; --",
    "=1+1", "@everyone <!channel>", "{{key}}", "\x1b[2J\x1b[31mred", "x" * LONGEST, "-rf", "NULL",
    "~root", "%2e%2e%2f", "\ud800half",
]  # fmt: skip
AOI = shapely.box(69.0, 33.0, 69.007, 33.006)


def test_what_people_write_stays_as_they_see_it() -> None:
    for name in ("منجم الذهب", "מכרה זהב", "⛏️ pit 👷‍♀️", 'Mine "Glück auf"', "نیم‌فاصله", "[/bold]", "a\\b", "100 %"):
        assert fit(name, "name") == name
    assert clean("line\nbreak\r\n\x00 \u202eevil\u202c\ufeff") == "line break evil"
    assert clean("one \n\ntwo\x1b[2J\r\n", lines=True) == "one\n\ntwo [2J"
    with pytest.raises(WrongUse, match="the name is empty"):
        fit("\u202e\x00", "name")
    with pytest.raises(WrongUse, match="201 characters, at most 200"):
        fit("x" * 201, "name")


@given(st.text())
def test_clean_text_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text) and "\n" not in clean(text) and clean(text).encode("utf-8") is not None
    assert one_line(text).isprintable() or one_line(text) == ""


def test_words_of_others_hold_no_password() -> None:
    said = one_line("cannot reach https://us:p/w@d@host/x\nand\x00 s3://key:secret@bucket: no")
    assert said == "cannot reach https://...@host/x and s3://...@bucket: no"


def test_markdown_and_channels() -> None:
    assert inert("[x](y) <b> `c` \\") == "\\[x\\](y) &lt;b&gt; \\`c\\` \\\\"
    said = without_calls("@everyone <!channel> <@U1> ann@here.org a < b")
    assert said == "@ everyone ‹!channel> ‹@U1> ann@here.org a < b"


@pytest.fixture
def named(database: sql.Connection, home: Path, tmp_path: Path) -> list[registry.Mine]:
    """A mine of every name, from a file, with that name in each of its words."""
    registry.publish_labels(database)
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(AOI), "properties": {
            "id": number, "name": name.replace("\ud800", "\\ud800"), "country": name.replace("\ud800", ""),
            "commodity": name.replace("\ud800", ""), "notes": name.replace("\ud800", ""),
        }}
        for number, name in enumerate(NAMES, start=1)
    ]  # fmt: skip
    file = tmp_path / "mines.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    done = imports.import_outlines(database, file)
    assert len(done.added) == len(NAMES) and not done.refused
    return registry.mines(database)


def command(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_names_harm_nothing(database: sql.Connection, named: list[registry.Mine], home: Path, tmp_path: Path) -> None:
    for mine in named:
        assert registry.SLUG.fullmatch(mine.slug) and mine.name == clean(mine.name)
        address = address_of((home / "rasters").as_uri(), mine.slug, nouns.acquisition())
        assert address == f"{(home / 'rasters').as_uri()}/{mine.slug}/s2-rgb/2023-01-08-1.tif"
        rgb = np.zeros((8, 8, 3), np.uint8)
        assert sheet([[Panel(rgb, mine.name)]], title=mine.name, words=mine.name).startswith(b"\x89PNG")
        event = event_of(mine)
        for words in (subject(event), body(event)):
            assert "<!" not in words and "@everyone" not in words and "\x1b" not in words
        assert "\n" not in subject(event)
        shown = markdown(event, None)
        assert "<script" not in shown and "](javascript" not in shown.replace("\\](", "")
    listed, shown = json.loads(command("mine", "list", "--json")), command("mine", "list")
    assert {one["name"] for one in listed} == {mine.name for mine in named} and "\x1b" not in shown
    assert len(shown.splitlines()) == 1 + len(named)
    told = " ".join(command("report").split())
    assert "[/bold] [red]x[/]" in told and ":smile:" in told and "\x1b[2J" not in told
    for mine in named[:3]:
        for what in ("segments", "alerts"):
            command("export", mine.slug, str(tmp_path / "out"), "--format", "csv", "--what", what)
    for file in (tmp_path / "out").iterdir():
        assert file.parent == tmp_path / "out" and list(csv.reader(io.StringIO(file.read_text())))
    command("qgis", str(tmp_path / "x.qgs"))
    ElementTree.parse(tmp_path / "x.qgs")
    assert database.execute("select count(*) as n from mine").fetchone()["n"] == len(NAMES)  # type: ignore[index]


def event_of(mine: registry.Mine) -> dict[str, Any]:
    """A row of alert_event_read about `mine`, its words those of the mine."""
    day = date(2023, 1, 8)
    nothing = dict.fromkeys(("hectares", "before_time", "before_cloud_share", "cloud_share", "confidence", "model",
                             "model_checksum", "geom", "before_product_ids", "product_ids",
                             "sensing_time"))  # fmt: skip
    return {
        **nothing, "rule": "unseen", "description": mine.name, "measure": "unseen", "measured": 40.0, "threshold": 30.0,
        "from_state": None, "to_state": "confirmed", "mine": mine.name, "slug": mine.slug, "alert_id": 1,
        "alert_event_id": 1, "why": mine.notes, "actor": mine.name, "severity": 1, "severity_steps": [],
        "from_names": [],
        "to_names": [], "first_time": day, "last_time": day, "observations": [], "window_days": None,
        "place": "anywhere",
    }  # fmt: skip


def test_folders_of_any_name_are_places_of_their_own(tmp_path: Path) -> None:
    """Names without a letter of ASCII must not become one place."""
    for name in ("منجم", "מכרה", "⛏️", "a;b' --", "%s", "..x", "=1"):
        picture(tmp_path / "own" / name / "2023-01-08.tif")
    done = import_folder(tmp_path / "own", tmp_path / "archive")
    assert done.places == 7 and len(set(done.slugs)) == 7 and not done.refused
    assert all(registry.SLUG.fullmatch(slug) for slug in done.slugs)
    inside = {path.parent.parent for path in (tmp_path / "archive").glob("scenes/*/*.tif")}
    assert inside == {tmp_path / "archive" / "scenes"}
    assert len(list((tmp_path / "archive").glob("scenes/*/*.tif"))) == 7
