"""Every fault of the table, through the real flow, client, archive, database and files."""

import re
from collections.abc import Callable

import pytest

from tests.final_state import State
from tests.flows.faults.table import TABLE, Case
from tests.flows.faults.world import World, without_given_up, without_measured

Faultless = Callable[..., State]
ROWS = [pytest.param(case, id=f"{case.where}: {case.name}", marks=[pytest.mark.slow] * case.slow) for case in TABLE]


def differences(state: State, other: State) -> dict[str, tuple[list, list]]:
    """Return what each of two states has that the other has not, by table."""
    pairs = {name: ([row for row in rows if row not in other[name]], [row for row in other[name] if row not in rows])
             for name, rows in state.items()}  # fmt: skip
    return {name: pair for name, pair in pairs.items() if any(pair) or len(state[name]) != len(other[name])}


@pytest.mark.parametrize("kind", ["plain", "newer"])
def test_what_the_table_is_held_against_has_everything(faultless: Faultless, kind: str) -> None:
    state = faultless(kind)
    assert [len(state[name]) for name in ("acquisition", "epoch", "comparison", "change", "files")] == [2, 2, 2, 2, 6]
    assert len(state["alert"]) > 0


@pytest.mark.parametrize("case", ROWS)
def test_fault(world: World, faultless: Faultless, case: Case) -> None:
    expected = faultless(case.world)
    case.fault(world)
    said = [world.fleet() if case.given_up else world.run() for _ in range(case.runs)]
    assert re.search(case.says, said[0]) and bool(said[0]) == bool(case.says), said
    world.repair()
    rows = world.acquisitions()
    assert " ".join(row["state"] for row in rows) == case.states, [row["reasons"] for row in rows]
    assert " ".join(str(row["tries"]) for row in rows) == case.tries
    assert world.given_up() == ["confirmed"] * case.given_up
    if not rows:  # as if nothing had been: the next run is one without faults
        assert differences(world.state(), faultless("new")) == {}
        return
    assert world.run(rerun=case.rerun) == ""
    if case.given_up:
        assert world.fleet() == "" and world.given_up() == ["resolved"]
    left = world.state()
    if case.late:
        left, expected = without_measured(left), without_measured(expected)
    if case.given_up:
        left = without_given_up(left)
    assert differences(left, expected) == {}
    assert world.paid()["process"] + world.paid()["preview"] == 3 + case.paid
