import json
from collections.abc import Iterator

import pytest
from prefect.blocks.notifications import SlackWebhook
from prefect.testing.utilities import prefect_test_harness
from typer.testing import CliRunner

from deploy.cli.route import app
from tasks.errors import WrongUse


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=180):  # a busy machine takes its time
        yield


def _route(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_routes_are_added_listed_and_removed(database, home) -> None:
    assert "all alerts go to the notification block 'minecam-alerts' at once" in _route("list")
    SlackWebhook(url="json://127.0.0.1:9/").save("field-team", overwrite=True)
    assert _route("add", "field-team", "--rule", "new-digging", "--severity", "2", "--digest") == "route 1 added\n"
    _route("add", "slack-webhook/field-team", "--states", "confirmed, resolved")
    first, second = json.loads(_route("list", "--json"))
    assert (first["rule"], first["least_severity"], first["digest"]) == ("new-digging", 2, True)
    assert (second["rule"], second["states"]) == (None, ["confirmed", "resolved"])
    assert "in a digest" in _route("list") and "confirmed, resolved" in _route("list")
    _route("remove", "1")
    assert [row["route_id"] for row in json.loads(_route("list", "--json"))] == [2]


def test_a_route_leads_to_a_block_and_looks_at_a_rule(database, home) -> None:
    with pytest.raises(WrongUse, match="there is no notification block 'nobody'"):
        _route("add", "nobody")
    SlackWebhook(url="json://127.0.0.1:9/").save("field-team", overwrite=True)
    with pytest.raises(WrongUse, match="there is no rule 'none'"):
        _route("add", "field-team", "--rule", "none")
    with pytest.raises(WrongUse, match="there is no route 7"):
        _route("remove", "7")
