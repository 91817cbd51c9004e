import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.quarantine import app
from tasks.errors import WrongUse
from tests.tasks.segment.test_epochs import mine
from tests.tasks.validate.test_quarantine import refused

__all__ = ["mine", "refused"]


def _quarantine(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_queue_has_a_way_out(refused, tmp_path: Path) -> None:
    number = str(refused)
    (row,) = json.loads(_quarantine("list", "--json"))
    assert (row["mine"], row["reasons"], row["sensing_time"][:10]) == ("pit", ["too cloudy"], "2023-01-03")
    assert "too cloudy" in _quarantine("list", "--mine", "pit")
    _quarantine("show", number, "--png", str(tmp_path / "it.png"))
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(WrongUse, match="cannot be written"):
        _quarantine("show", number, "--png", "/proc/it.png")
    reason = "the raster is not tagged harmonised: the baseline offset may be in it"
    said = f"{number} pit 2023-01-03: still refused: {reason} (before: too cloudy)\n1 judged, 1 changed\n"
    assert _quarantine("judge", "pit") == said
    assert [row["changed"] for row in json.loads(_quarantine("judge", "--json"))] == [False]
    assert _quarantine("docs", str(tmp_path / "docs")) == f"open {tmp_path / 'docs' / 'index.html'}\n"
    said = _quarantine("release", number, "--why", "clear over the pit", "--by", "eva")
    assert said == "pit 2023-01-03: released: `minecam run pit` segments it\n"
    assert _quarantine("list") == "nothing waits in quarantine\n"
