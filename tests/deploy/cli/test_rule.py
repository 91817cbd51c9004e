import json

import pytest
from typer.testing import CliRunner

from deploy.cli.rule import app
from tasks.alert.alert import alert
from tasks.errors import WrongUse
from tests.tasks.alert.test_alert import PATCH, mine, observe

__all__ = ["mine"]


def _rule(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_rule_is_added_listed_switched_and_rehearsed(database, home, mine, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    alert(database, observe(database, mine, home, 0, changes=[(0, 1, PATCH)]), mine)
    assert "rule 'hole' added" in _rule(
        "add", "hole", "--threshold", "3", "--to", "excavation", "--description", "A hole", "--confirm", "1/1",
        "--mine", "pit",
    )  # fmt: skip
    added = json.loads(_rule("list", "--json"))[-1]
    assert (added["name"], added["to_names"], added["mine"], added["enabled"]) == ("hole", ["excavation"], "pit", True)
    table = _rule("list")
    assert "outside licence" in table and "1 of 1" in table and "all mines" in table
    [event] = json.loads(_rule("test", "hole", "--json"))
    assert (event["mine"], event["date"], event["state"]) == ("pit", "2023-01-01", "provisional")
    assert event["measured"] == pytest.approx(4.0, abs=0.01) and "match the rule 'hole'" in event["why"]
    assert "0 alerts raised" in _rule("test", "hole", "--threshold", "9")
    _rule("disable", "hole")
    assert json.loads(_rule("list", "--json"))[-1]["enabled"] is False
    _rule("enable", "hole")


def test_wrong_use_is_said(database, home) -> None:
    for words in (["add", "Hole", "--threshold", "3", "--description", "A hole"],
                  ["add", "hole", "--threshold", "3", "--description", "A hole", "--confirm", "²/3"],
                  ["add", "hole", "--threshold", "3", "--description", "A hole", "--mine", "none"],
                  ["test", "none"], ["enable", "none"]):  # fmt: skip
        with pytest.raises(WrongUse):
            _rule(*words)
