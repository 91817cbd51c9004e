"""Help texts show what they say: rich takes words in brackets for markup and drops them."""

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import typer
from typer.testing import CliRunner

from deploy.cli import app


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for word, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{name} {word}")


def test_no_help_text_loses_words_in_brackets() -> None:
    texts = dict(helps(typer.main.get_command(app), "minecam"))
    assert len(texts) > 100
    assert [name for name, text in texts.items() if re.search(r"(?<!\\)\[[a-z/]", text)] == []


def test_an_extra_is_named_in_full(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    assert "minecam[train]" in CliRunner().invoke(app, ["model", "train", "--help"]).output


def test_prefect_is_imported_only_when_its_address_is_known() -> None:
    code = (
        "import sys, deploy.cli; print([name for name in ('prefect', 'distributed', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", "it reads PREFECT_API_URL then, before stack.env was read"
