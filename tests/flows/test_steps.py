"""Steps at a real Prefect server: what the graph of a run holds."""

import time
from types import SimpleNamespace
from typing import Any

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from flows import steps


def test_no_step_is_drawn_as_the_outcome_of_others() -> None:
    """Neither what a step returned nor parts of it make an arrow in the graph, however they are handed on."""
    first = steps.step(_two_days, "{mine.slug}")
    second = steps.step(_together, "{mine.slug}")

    @flow
    def run() -> None:
        pit = SimpleNamespace(slug="pit")
        days = first(pit)
        assert second(pit, days[0], beside=days, words={"of": days[1]}) == [["1"], ["1"], ["2"], ["2"]]

    state = run(return_state=True)
    assert state.is_completed(), state.message
    with get_client(sync_client=True) as client:
        made = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        deadline = time.monotonic() + 60
        while len(found := client.read_task_runs(flow_run_filter=made)) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)  # the server hears of task runs by events
    assert {one.name for one in found} == {"_two_days pit", "_together pit"}
    assert not any(upstream for one in found for upstream in one.task_inputs.values())


def _two_days(mine: Any) -> list[list[str]]:
    return [["1"], ["2"]]


def _together(mine: Any, day: list[str], beside: list[list[str]], words: dict[str, list[str]]) -> list[list[str]]:
    return [day, *beside, words["of"]]
