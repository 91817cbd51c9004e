"""The settings: a variable that was renamed goes on working, and says so."""

import pytest

from tasks.errors import WrongUse
from tasks.settings import RENAMED, Settings, chosen, settings


def test_a_variable_goes_by_its_old_name_too_and_says_so(home, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    monkeypatch.setenv("MINECAM_LOOK_TILE_CLOUD", "0.4")
    assert settings().preview_tile_cloud == 0.4
    assert "MINECAM_LOOK_TILE_CLOUD is called MINECAM_PREVIEW_TILE_CLOUD now" in caplog.text
    assert chosen()["MINECAM_LOOK_TILE_CLOUD"] == "0.4"
    monkeypatch.setenv("MINECAM_PREVIEW_TILE_CLOUD", "0.3")
    assert settings().preview_tile_cloud == 0.3


def test_every_old_name_leads_to_a_setting_of_today() -> None:
    names = {str(choice) for field in Settings.model_fields.values() if field.validation_alias is not None
             for choice in field.validation_alias.choices}  # type: ignore[union-attr]  # fmt: skip
    assert set(RENAMED) <= names and set(RENAMED.values()) <= names


@pytest.mark.parametrize("cron", ["0 0 6 * * *", "0 6 * * * *", "0 6 * *", "daily", "", "0 6 * * * * 2027"])
def test_a_schedule_has_five_fields(cron: str, home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINECAM_SCHEDULE", cron or " ")
    with pytest.raises(WrongUse, match=r"MINECAM_SCHEDULE=.* five fields: minute, hour, .* such as 0 6 \* \* \*"):
        settings()


def test_a_schedule_of_five_fields_or_by_its_word_is_taken(home, monkeypatch: pytest.MonkeyPatch) -> None:
    for cron in ("30 5 * * mon-fri", "@daily"):
        monkeypatch.setenv("MINECAM_SCHEDULE", cron)
        assert settings().schedule == cron
