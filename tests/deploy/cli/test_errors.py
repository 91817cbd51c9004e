import sys
from pathlib import Path

import pytest

from deploy import cli
from deploy.stack import health


@pytest.fixture
def minecam(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs the command; returns the exit status and what it said on stderr."""

    def run(*words: str) -> tuple[object, str]:
        monkeypatch.setattr(cli.os, "environ", dict(cli.os.environ))
        monkeypatch.setattr(sys, "argv", ["minecam", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_setting_that_is_no_value_is_named(minecam, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_MAX_TRIES", "abc")
    status, said = minecam(command)
    assert status == 2 and len(said.splitlines()) == 1
    assert said.startswith("minecam: MINECAM_MAX_TRIES=abc: Input should be a valid integer")


def test_an_address_of_no_database_is_named(minecam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_DATABASE_URL", "foo")
    status, said = minecam("mine", "list")
    assert status == 1 and said.startswith("minecam: MINECAM_DATABASE_URL is no address of a database (missing")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "expected", "reason"),
    [
        (["report", "--png", "/nonexistent/x.png"], 2, "there is no folder /nonexistent"),
        (["report", "east-pit", "--png", "x.jpg"], 2, "name a file that ends in .png, not x.jpg"),
        (["quarantine", "show", "1", "--png", "x.tif"], 2, "name a file that ends in .png, not x.tif"),
        (["model", "predict", "s2-rgb-mines", "x.tif", "/nonexistent/o.tif"], 2, "there is no folder /nonexistent"),
        (["archive", "make", "/proc/x"], 1, "/proc/x cannot be written"),
        (["archive", "chips", "/proc/x"], 1, "/proc/x cannot be written"),
        (["archive", "serve", "--port", "99999"], 2, "65535"),
    ],
)
def test_places_that_cannot_be_written_are_named(minecam, words: list[str], expected: int, reason: str) -> None:
    status, said = minecam(*words)
    assert status == expected and reason in said and "Traceback" not in said


def test_the_disk_is_examined_before_there_is_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_HOME", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(health, "LEAST_FREE_GB", 0)
    assert "GB free" in health._disk()
