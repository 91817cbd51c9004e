"""`minecam export` writes a file for each mine, and says what is wrong."""

from pathlib import Path

import pytest

import sql
from deploy.cli.export import export
from tasks.errors import WrongUse
from tasks.mines import registry

HISTORY = Path(__file__).parent.parent.parent / "sql" / "history.sql"


def test_every_mine_becomes_a_file(
    home: Path, database: sql.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    export("all", tmp_path / "new", kind="csv", what="history")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "east-pit-history.csv",
        "west-pit-history.csv",
    ]
    assert "east-pit-history.csv: 77 history" in capsys.readouterr().out
    export("east-pit", tmp_path, kind="gpkg", what="changes")
    assert (tmp_path / "east-pit-changes.gpkg").exists()


def test_what_cannot_be_is_said(home: Path, database: sql.Connection, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="north-pit"):
        export("north-pit", tmp_path)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(WrongUse, match="is a file: give a folder"):
        export("all", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
