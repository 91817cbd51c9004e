"""What a newcomer does: the demo from nothing, and again."""

import time
from pathlib import Path

import pytest

from tests.system.stack_of_tests import Stack


@pytest.mark.slow
def test_the_demo_ends_with_tables_and_addresses_and_a_second_one_changes_nothing(short_folder: Path) -> None:
    stack = Stack(short_folder / "demo")
    try:
        said = stack.minecam("demo").stdout
        assert said.count("epochs accepted") == 4
        assert "confirmed" in said and "http://127.0.0.1:" in said and "psql 'user=minecam_read " in said
        assert (stack.home / "demo.png").read_bytes().startswith(b"\x89PNG")
        tables = said[said.index("hectares") : said.index("Look at")]
        started = time.monotonic()
        again = stack.minecam("demo").stdout
        print(f"second demo: {time.monotonic() - started:.0f} s")
        assert again[again.index("hectares") : again.index("Look at")] == tables
        assert "0 new acquisitions, 0 to process" in again and "making" not in again
    finally:
        said = stack.minecam("down").stdout
    assert said.split() == ["worker:", "stopped", "archive:", "stopped", "prefect:", "stopped", "postgis:", "stopped"]
