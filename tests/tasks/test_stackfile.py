"""`stack.env` as everybody reads it: our own reader, the settings, real shells."""

import subprocess
from pathlib import Path

import pytest

from tasks import stackfile
from tasks.settings import settings

PASSWORDS = (
    "plain", "o'clock", 'say "so"', "${HOME}", "$HOME", "$(id)", "`id`", "back\\slash", "\\", "\\'", "'", "''", '"',
    "'${X}'", "two\nlines", "with\r\nreturn", "a b  c", "#no comment", "x=y", "é€", "!history", "~", "", " edge ",
    "'\n'", 'a"\'$`\\',
)  # fmt: skip


@pytest.mark.parametrize("password", PASSWORDS)
def test_what_is_written_is_what_is_read_by_us_and_by_a_shell(password: str, tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    stackfile.write(file, {"BEFORE": "1", "PASSWORD": password, "AFTER": "2"})
    assert stackfile.read(file) == {"BEFORE": "1", "PASSWORD": password, "AFTER": "2"}
    read = f'. {file}; printf "%s|%s|%s" "$BEFORE" "$PASSWORD" "$AFTER"'
    for shell in ("sh", "bash"):
        said = subprocess.run([shell, "-c", read], capture_output=True, check=True, env={"HOME": "/nowhere"}).stdout
        assert said.decode() == f"1|{password}|2"


@pytest.mark.parametrize("password", [one for one in PASSWORDS if one])
def test_an_address_with_such_a_password_reaches_the_settings(
    password: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINECAM_DATABASE_URL", raising=False)
    stackfile.write(home / "stack.env", {"MINECAM_DATABASE_URL": f"host=db password={password}", "SH_CLIENT_ID": "me"})
    assert settings().database_url == f"host=db password={password}"
    assert settings().sh_client_id == "me"


def test_the_environment_counts_before_the_file_unless_it_is_empty(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stackfile.write(home / "stack.env", {"MINECAM_DATABASE_URL": "host=file", "MINECAM_PREVIEW_TILE_CLOUD": "0.5"})
    monkeypatch.setenv("MINECAM_DATABASE_URL", "host=environment")
    assert settings().database_url == "host=environment" and settings().preview_tile_cloud == 0.5
    monkeypatch.setenv("MINECAM_DATABASE_URL", "")
    assert settings().database_url == "host=file"


def test_lines_by_hand_and_of_earlier_versions_are_read(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    file.write_text("# of mine\nBARE=0 6 * * *\nOLD='postgresql:///minecam?host=%2Fvar'\nEMPTY=\n\nno line\n")
    assert stackfile.read(file) == {"BARE": "0 6 * * *", "OLD": "postgresql:///minecam?host=%2Fvar", "EMPTY": ""}
    assert stackfile.read(tmp_path / "nothing") == {}
