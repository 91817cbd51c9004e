"""Every fault of the table, through the real flow, client, archive, database and files."""

import re
from collections.abc import Callable

import pytest

from tests.final_state import State
from tests.flows.faults.injections import add_newer
from tests.flows.faults.table import TABLE, Case
from tests.flows.faults.world import World

Reference = Callable[[str], State]
_KNOWN: dict[str, State] = {}


@pytest.mark.parametrize("kind", ["plain", "newer"])
def test_a_run_without_faults(world: World, kind: str) -> None:
    """What the rows of the table are held against; it has alerts, so that these count too."""
    if kind == "newer":
        add_newer(world)
    assert world.fleet() == "" and sum(world.paid().values()) == 4
    _KNOWN[kind] = world.state()
    assert len(_KNOWN[kind]["alert"]) > 0 and len(_KNOWN[kind]["files"]) == 6
    assert world.run() == "" and world.state() == _KNOWN[kind]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.where}: {case.name}")
def test_fault(world: World, case: Case) -> None:
    case.fault(world)
    for _ in range(case.runs):
        said = world.fleet() if case.given_up else world.run()
        assert re.search(case.says, said) and bool(said) == bool(case.says), said
    if not world.database.closed:
        rows = world.acquisitions()
        assert " ".join(row["state"] for row in rows) == case.states, [row["reasons"] for row in rows]
        assert " ".join(str(row["tries"]) for row in rows) == case.tries
    assert world.given_up() == ["confirmed"] * case.given_up
    world.repair()
    assert world.run(rerun=case.rerun) == ""
    if case.given_up:
        assert world.fleet() == "" and world.given_up() == ["resolved"]
    assert world.state() == _KNOWN[case.world]
    assert world.paid()["process"] + world.paid()["look"] == 3 + case.paid
