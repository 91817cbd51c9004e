import json
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy import audit

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SOON, LONG_AGO = "2026-11-01T10:00:00Z", "2023-11-30T10:00:00.5Z"


def page(*files: tuple[str, str, bool | str], **more: Any) -> dict[str, Any]:
    return {"files": [{"filename": one, "upload-time": at, "yanked": yanked} for one, at, yanked in files], **more}


GOOD = page(("a_b-1.0-py3-none-any.whl", LONG_AGO, False), ("a_b-1.0.1.tar.gz", SOON, "wrong"))
OLD = page(("a.b-1.0.tar.gz", LONG_AGO, False))
YANKED = page(("a_b-1.0-py3-none-any.whl", SOON, "bad"), ("a_b-1.0.tar.gz", SOON, "bad"))
HOLE = {"id": "PYSEC-1", "fixed_in": ["1.1", "2.0"], "withdrawn": None}


@pytest.mark.parametrize(
    ("told", "known", "said"),
    [
        (GOOD, [], []),
        (GOOD, [HOLE], ["vulnerable: PYSEC-1, fixed in 1.1, 2.0"]),
        (GOOD, [HOLE | {"fixed_in": []}], ["vulnerable: PYSEC-1, fixed in no release"]),
        (GOOD, [HOLE | {"withdrawn": SOON}], []),
        (GOOD, None, ["could not be asked: vulnerabilities"]),
        (None, [], ["could not be asked: releases"]),
        (None, None, ["could not be asked: vulnerabilities", "could not be asked: releases"]),
        (page(), [], ["could not be asked: releases"]),
        (OLD, [], ["abandoned: last release 2023-11-30, active"]),
        (page(("A-B-1.0.zip", SOON, False), **{"project-status": {"status": "archived"}}), [],
         ["abandoned: last release 2026-11-01, archived"]),
        (YANKED, [], ["yanked: bad"]),
        (page(("a_b-1.0-py3-none-any.whl", SOON, True), ("a_b-1.0.tar.gz", SOON, False)), [], []),
        (page(("a_b-1.0.1.tar.gz", SOON, False)), [], ["yanked: the registry has no such release"]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_pin(told: Any, known: Any, said: list[str]) -> None:
    found = audit.judge("a-b", "1.0", told, known, NOW)
    assert [f"{one.kind}: {one.words}" for one in found] == said


def test_a_pin_names_one_version() -> None:
    project = {
        "dependencies": ["torch==2.1", "numpy>=2,<3", "pip==24.*"],
        "optional-dependencies": {"csmask": ["x[cpu]==1.0.0"]},
    }
    assert audit.pins("# text\nA_b.c==1\ntorch==2.1\n", project) == {"a-b-c": "1", "torch": "2.1", "x": "1.0.0"}


@pytest.mark.parametrize(
    ("told", "known", "accepted", "status", "said"),
    [
        (GOOD, [], {}, 0, "not accepted: none"),
        (GOOD, [HOLE], {}, 1, "not accepted: 1 vulnerable"),
        (GOOD, [HOLE], {"PYSEC-1": "we never call it"}, 0, "(accepted: we never call it)"),
        (GOOD, None, {"a-b": "its silence"}, 2, "not accepted: 1 could not be asked"),
        (OLD, [], {}, 1, "not accepted: 1 abandoned"),
        (OLD, [], {"a-b": "its silence"}, 0, "(accepted: its silence)"),
        (YANKED, [], {"a-b": "its silence"}, 1, "not accepted: 1 yanked"),
        (YANKED, [], {"a-b 1.0": "we need it"}, 0, "(accepted: we need it)"),
    ],
)
def test_only_a_reason_or_a_clean_answer_ends_well(
    told: Any,
    known: Any,
    accepted: dict[str, str],
    status: int,
    said: str,
    monkeypatch: Any,
    tmp_path: Any,
    capsys: Any,
) -> None:
    reasons = "".join(f"{json.dumps(key)} = {json.dumps(why)}\n" for key, why in accepted.items())
    text = f'[project]\ndependencies = ["a-b==1.0"]\n[project.optional-dependencies]\n[tool.minecam.audit]\n{reasons}'
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "constraints.txt").write_text("")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    monkeypatch.setattr(audit, "ask", lambda pinned: [(*pin, told, known) for pin in pinned.items()])
    assert audit.main([]) == status
    assert said in capsys.readouterr().out
