"""Lines of logs for machines: JSON with the flow run, the mine and the acquisition that they are about.

Prefect and Dask are told to write them by variables of their own, as the images are (`deploy/containers/Dockerfile`).
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_about: ContextVar[dict[str, Any]] = ContextVar("about", default={})  # noqa: B039  (never changed in place)
RUN = ("flow_run_id", "flow_run_name", "task_run_name")
"""What Prefect's own loggers add to a record."""


@contextmanager
def about(**what: Any) -> Iterator[None]:
    """Have all lines of this thread be about `what`, beside what they are about already, until the block ends."""
    before = _about.set({**_about.get(), **what})
    try:
        yield
    finally:
        _about.reset(before)


class Json(logging.Formatter):
    """One object in one line for each record: time (UTC), level, logger, message, run, what it is about, error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_run(record),
            **_about.get(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _run(record: logging.LogRecord) -> dict[str, str]:
    """Return the flow run of a record, as its logger or the context of the thread knows it."""
    known = {name: str(record.__dict__[name]) for name in RUN if record.__dict__.get(name)}
    if not known and (prefect := sys.modules.get("prefect.context")):
        run = prefect.FlowRunContext.get() or prefect.TaskRunContext.get()
        if isinstance(run, prefect.FlowRunContext) and run.flow_run:
            return {"flow_run_id": str(run.flow_run.id), "flow_run_name": run.flow_run.name}
        if isinstance(run, prefect.TaskRunContext):
            return {"flow_run_id": str(run.task_run.flow_run_id), "task_run_name": run.task_run.name}
    return known
