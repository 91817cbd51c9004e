"""READMEs stay true: every command in them exists with its options, every path that they name is there."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from deploy.cli import app

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for page in ROOT.rglob("*.md") if not any(part.startswith(".") for part in page.parts[1:]))
FOLDERS = ("flows", "tasks", "models", "sql", "deploy", "tests", "deploy/archive", "deploy/simulate")
LINES = re.compile(r"^ {4}(?:\.venv/bin/)?(minecam .+)$|`(?:\.venv/bin/)?(minecam [^`|]+)`", re.MULTILINE)


def commands() -> list[str]:
    found = {a or b for page in PAGES for a, b in LINES.findall(page.read_text())}
    return sorted(re.sub(r"\s+#.*", "", line) for line in found)


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_docs_exists_with_its_options(line: str) -> None:
    command: click.Command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        name = words.pop(0) if words else ""
        if not name or name.startswith("-") or not re.fullmatch("[a-z]+", name):
            return  # `minecam mine` as a whole
        assert name in command.commands, f"there is no `minecam ... {name}`"  # type: ignore[attr-defined]
        command = command.commands[name]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if re.match("--?[a-z]", word)} <= options | {"--help"}


def test_there_are_commands_in_the_docs() -> None:
    assert len(commands()) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_the_docs_link_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "folder", ["flows", "tasks", "models", "sql", "deploy", "tests", "deploy/archive", "deploy/simulate"]
)
def test_a_folder_has_a_readme_that_names_every_module(folder: str) -> None:
    words = (ROOT / folder / "README.md").read_text()
    for module in (ROOT / folder).glob("*.py"):
        if folder != "tests" and module.name not in ("__init__.py", "errors.py"):
            assert module.name in words, f"{folder}/README.md does not name {module.name}"


def test_the_readme_of_the_steps_names_every_module_of_every_room() -> None:
    words = (ROOT / "tasks" / "README.md").read_text()
    modules = {path.name for path in (ROOT / "tasks").glob("*/*.py")} - {"__init__.py"}
    rooms = {path.parent.name for path in (ROOT / "tasks").glob("*/__init__.py")}
    assert [name for name in sorted(modules | {f"{room}/" for room in rooms}) if name not in words] == []


def test_what_contributors_are_sent_to_is_there() -> None:
    words = (ROOT / "CONTRIBUTING.md").read_text()
    paths = set(re.findall(r"`((?:\w+/)+[\w*./-]*)`", words))
    assert len(paths) > 20
    assert [path for path in sorted(paths) if "N" not in path and not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_readme_of_the_database_says_where_each_view_and_function_is_defined() -> None:
    made: dict[str, str] = {}
    for file in sorted((ROOT / "sql" / "migrations").glob("*.sql")):
        pattern = r"^(?:create(?: or replace)? (?:view|function)|alter view \w+ rename to) (\w+)"
        made |= dict.fromkeys(re.findall(pattern, file.read_text(), re.MULTILINE), file.name)
    lines = re.findall(r"^\| `(\d+\w+\.sql)` \| (.+) \|$", (ROOT / "sql" / "README.md").read_text(), re.MULTILINE)
    said = {name: file for file, names in lines for name in re.findall(r"`(\w+)`", names.replace(", as `watch`)", ""))}
    assert said == made


def test_make_has_the_commands_that_the_readme_shows() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = re.findall(r"(?:^ {4}|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(shown) <= targets
