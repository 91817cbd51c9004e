"""How many cases there are in all."""

from pathlib import Path

from tests.fuzz.cases import CASES


def test_there_are_ten_thousand_cases_and_each_kind_is_used() -> None:
    assert sum(CASES.values()) >= 10_000
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    used = "".join(tests.split())
    assert [name for name in CASES if f'@fuzz("{"".join(name.split())}"' not in used] == []
