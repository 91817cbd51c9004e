"""The developer's habits say one thing: make and its help, pre-commit, the Python versions."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_command_of_make_says_what_it_does() -> None:
    [phony] = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony.split() == re.findall(r"^([a-z-]+):.* ## \S", MAKEFILE, re.MULTILINE)


def test_make_alone_is_help() -> None:
    assert re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)[0] == "help"


def test_pre_commit_runs_what_make_lint_runs() -> None:
    [recipe] = re.findall(r"^lint:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    linted = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    [own] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert own["repo"] == "local"
    assert [hook["entry"] for hook in own["hooks"]] == linted
    for hook in own["hooks"]:
        how = hook["language"], hook["pass_filenames"], hook["always_run"]
        assert how == ("system", False, True), f"{hook['id']} would not run as make lint does"


def test_lint_is_for_the_lowest_python() -> None:
    minors = [minor for minor in range(30) if f"3.{minor}" in SpecifierSet(PYPROJECT["project"]["requires-python"])]
    assert PYPROJECT["tool"]["mypy"]["python_version"] == f"3.{minors[0]}"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{minors[0]}"
