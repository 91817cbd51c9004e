"""What operators fill in: settings, rules, routes, parameters of runs, recipes, a scene of one's own."""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import strategies as st
from prefect.exceptions import ParameterTypeError

import sql
from deploy.cli import rule as cli
from flows import monitor
from models.errors import ModelError
from models.experiment import read_experiment
from tasks.acquire import budget
from tasks.acquire.discover import window
from tasks.alert import lifecycle, rules
from tasks.errors import WrongUse
from tasks.mines import registry
from tasks.notify import routes
from tasks.settings import Settings, settings
from tasks.validate import quarantine
from tests.fuzz.cases import NUMBERS, fuzz, junk, mangled, words
from tests.fuzz.test_fuzz_answers import TIFFS

FIELDS = [name for name in Settings.model_fields if name not in ("home", "sh_client_id", "sh_client_secret")]
plain = words.map(lambda word: word.replace("\x00", "").encode("utf-8", "replace").decode())
"""Words that an environment or an argument can hold."""

RULE = {"name": "fast-pit", "description": "Fast", "measure": "transition", "from_classes": (0,), "to_classes": (1, 2),
        "place": "anywhere", "threshold": 5.0, "window_days": None, "severity_steps": (2.0, 5.0), "confirm_n": 2,
        "confirm_m": 3, "expire_days": 180, "cooldown_days": 30, "mine": None,
        "country": None, "commodity": None}  # fmt: skip


@pytest.fixture
def mine(database: sql.Connection) -> registry.Mine:
    return registry.add(database, slug="east-pit", name="East pit", aoi=shapely.box(81.1, 21.1, 81.12, 21.12))


def counts(database: sql.Connection) -> dict[str, int]:
    return database.execute(
        "select (select count(*) from rule) as rules, (select count(*) from route) as routes,"
        " (select count(*) from acquisition) as acquisitions, (select count(*) from mine) as mines"
    ).fetchone()  # type: ignore[return-value]


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    value = st.one_of(plain, st.sampled_from(NUMBERS).map(str))

    @fuzz("settings", st.dictionaries(st.sampled_from(FIELDS), value, min_size=1, max_size=3))
    def one(given: dict[str, str]) -> None:
        names = {f"MINECAM_{name.upper()}": text for name, text in given.items()}
        before = dict(os.environ)
        os.environ.update(names)
        try:
            read = settings()
            assert read.raster_root and budget.Month(0, 0.0, read.requests_month, read.pu_month, 0.5).lacks(0.0) is None
        except WrongUse as error:
            assert any(name in str(error) for name in names)
        finally:
            os.environ.clear()
            os.environ.update(before)


def test_rules(database: sql.Connection, mine: registry.Mine) -> None:
    before = counts(database)
    value = st.one_of(junk, st.tuples(st.sampled_from(NUMBERS)), st.just("east-pit"), st.sampled_from(rules.MEASURES))

    @fuzz("rule", st.dictionaries(st.sampled_from([*RULE, "else"]), value, min_size=1, max_size=2))
    def one(wrong: dict[str, Any]) -> None:
        with database.transaction(force_rollback=True):
            try:
                rule = rules.rule_of(**{**RULE, **wrong})
                with database.transaction():
                    rules.add(database, rule)
            except (WrongUse, sql.DatabaseError) as error:
                assert str(error) and counts(database) == before
            else:
                (row,) = rules.listed(database, rule.name)
                assert row["threshold"] > 0 and rules.of_row(row)


def test_words_of_rules() -> None:
    """The words of the command line that stand for labels, steps, n of m."""
    text = st.one_of(plain, st.from_regex(r"[0-9a-z_,./ -]{0,12}", fullmatch=True))

    @fuzz("rule words", text)
    def one(given: str) -> None:
        for parse in (rules.classes, cli._steps, cli._confirmation):
            with contextlib.suppress(WrongUse):
                parse(given)


def test_routes(database: sql.Connection) -> None:
    before = counts(database)
    states = st.lists(st.one_of(words, st.sampled_from(routes.STATES)), max_size=3)

    @fuzz("route", words, st.one_of(st.none(), words), st.sampled_from([1, 2, 2**31, -1]), states)
    def one(block: str, rule: str | None, severity: int, states: list[str]) -> None:
        with database.transaction(force_rollback=True):
            try:
                with database.transaction():
                    routes.add(database, block=block, rule=rule, least_severity=severity, states=states)
            except (WrongUse, sql.DatabaseError):
                assert counts(database) == before


def test_decisions(database: sql.Connection) -> None:
    """Reasons in any words for what is not there."""
    for word in ("\x00", "\ud800", "", "x" * 100_000, "'; drop table mine; --"):
        for decide in (
            lambda why: lifecycle.decide(database, 1, "resolve", who="ann", why=why),
            lambda why: quarantine.decide(database, 1, "release", who="ann", why=why),
        ):
            with pytest.raises(WrongUse):
                decide(word)


def test_parameters_of_runs(database: sql.Connection, mine: registry.Mine) -> None:
    """What the form of the UI sends, once Prefect lets it pass: a mine that is known, a range that can be searched."""
    day = st.one_of(st.sampled_from(["2023-01-01", "0001-01-01", "9999-12-31", None]), junk)
    slug = st.one_of(st.just("east-pit"), junk)
    before = counts(database)
    given = st.fixed_dictionaries({"mine": slug}, optional={
        "start": day, "end": day, "sensor_set": st.one_of(st.just("s1"), junk), "rerun": junk, "else": junk,
    })  # fmt: skip

    @fuzz("run parameters", given)
    def one(parameters: dict[str, Any]) -> None:
        try:
            passed = monitor.mine.validate_parameters(parameters)
        except (ParameterTypeError, TypeError):
            return
        try:
            found = registry.find(database, passed["mine"])
            first, last = window(
                start=passed.get("start"), end=passed.get("end"), latest=None, searched=None,
                today=np.datetime64("2023-06-01").item(), lookback_days=30, overlap_days=10,
            )  # fmt: skip
        except WrongUse:
            assert counts(database) == before
            return
        assert found == mine and 0 < budget.search_units(mine.aoi, first, last) <= 1


def test_experiments(tmp_path: Path) -> None:
    path = tmp_path / "radar.toml"
    whole = b'question = "Does radar help?"\nsensor_sets = ["s2-rgb", "s1"]\n[recipe]\nimagenet = false\nsteps = 2\n'

    @fuzz("recipe", st.one_of(mangled(whole), st.binary(max_size=40)))
    def one(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(ModelError):
            _, grid = read_experiment(str(path))
            assert grid.trials


def test_scenes_of_ones_own(tmp_path: Path) -> None:
    from tasks.rasters.scene import read_scene

    path = tmp_path / "scene.tif"

    @fuzz("scene", st.one_of(*(mangled(one, head=300) for one in TIFFS), st.binary(max_size=40)))
    def one(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(WrongUse):
            read_scene(path, ("B02", "B03", "B04"))


def test_what_the_database_cannot_hold_is_an_error_in_words(database: sql.Connection) -> None:
    for word in ("\x00", "\ud800"):
        with pytest.raises(sql.DatabaseError, match="cannot hold"):
            sql.run(database, "mine_find", slug=word)
    assert not database.closed
