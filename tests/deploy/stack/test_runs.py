import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.stack import runs
from deploy.stack.processes import Process
from tasks.errors import RunError, StackError


class Server:
    """A Prefect server with one run, which passes through `states` and has logged `lines`."""

    def __init__(self, *states: str, lines: tuple[tuple[str, int], ...] = ()) -> None:
        self.states = list(states)
        self.lines = [SimpleNamespace(name="prefect.flow_runs", message=text, level=level) for text, level in lines]

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def read_deployment_by_name(self, name: str) -> Any:
        return SimpleNamespace(id=uuid4())

    def create_flow_run_from_deployment(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(id=uuid4())

    def read_flow_run(self, _: Any) -> Any:
        name = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        state = SimpleNamespace(
            is_final=lambda: name in ("Completed", "Failed"),
            is_completed=lambda: name == "Completed",
            message="1 of 1 failed",
        )
        started = None if name == "Pending" else 1
        return SimpleNamespace(id=uuid4(), name="swift-fox", state=state, state_name=name, start_time=started)

    def read_logs(self, _: Any, *, offset: int, **__: Any) -> list[Any]:
        return self.lines[offset:]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runs.time, "sleep", lambda _: None)
    yield


def _followed(server: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(runs, "get_client", lambda **_: server)
    said: list[str] = []
    try:
        runs.follow("monitor/mine", {"mine": "pit"}, said.append)
    except RunError as error:
        said.append(str(error))
    return said


def test_a_failed_run_is_explained_in_its_last_line_without_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        ("Beginning flow run", 20),
        ("pit: 2 sensings are new", 20),
        ("Encountered exception during execution: RunError()\nTraceback (most recent call last):\n", 40),
        ("Engine execution exited with unexpected exception\nTraceback (most recent call last):\n", 40),
    )
    said = _followed(Server("Running", "Failed", lines=lines), monkeypatch)
    assert said == ["pit: 2 sensings are new", "the run swift-fox ended as Failed: 1 of 1 failed"]


def test_a_run_whose_worker_is_gone_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINECAM_HOME", str(tmp_path))
    monkeypatch.setattr(runs, "GRACE", 0)
    worker = Process(tmp_path, "worker")
    worker.start([sys.executable, "-c", "import time; time.sleep(60)"], {})

    class Killing(Server):
        def read_logs(self, *_: Any, **__: Any) -> list[Any]:
            found = worker.find()
            if found is not None:
                found.kill()
                found.wait()
            return []

    with pytest.raises(StackError, match="the worker is gone: run `minecam up`"):
        _followed(Killing("Running"), monkeypatch)


def test_a_worker_elsewhere_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINECAM_HOME", str(tmp_path))
    monkeypatch.setattr(runs, "GRACE", 0)
    assert _followed(Server("Pending", "Running", "Running", "Completed"), monkeypatch) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            httpx.HTTPStatusError(
                "409",
                request=httpx.Request("POST", "http://prefect"),
                response=httpx.Response(409, text='{"detail":\n "no such parameter"}'),
            ),
            'refuses the run: {"detail": "no such parameter"}',
        ),
        (httpx.ConnectError("refused"), r"does not answer \(refused\): run `minecam up`"),
    ],
)
def test_a_refusal_is_told_from_silence(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("Running")

    def fail(*_: Any, **__: Any) -> None:
        raise error

    server.create_flow_run_from_deployment = fail  # type: ignore[method-assign]
    with pytest.raises(StackError, match=words):
        _followed(server, monkeypatch)
