"""The door of a flow: what people give it becomes values, and whatever stops it is said in a sentence.

Prefect checks parameters when a run begins, and puts two tracebacks around the reason. Here a flow that an error stops
whose message is for the user ends as Failed with just that message; a defect keeps its traceback.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache, wraps
from inspect import signature
from typing import Annotated, Any, ParamSpec

from prefect import State
from prefect.exceptions import Abort
from prefect.runtime import deployment
from prefect.states import Cancelled, Failed
from pydantic import BeforeValidator, ValidationError, validate_call

from tasks.errors import EXPLAINED, Busy, WrongUse
from tasks.text import one_line

P = ParamSpec("P")


def _day(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return datetime.fromisoformat(given.strip()).date()  # forms send times as well
    except ValueError:
        raise ValueError("it is no day of the calendar: give it as year, month and day, such as 2026-01-31") from None


Day = Annotated[date, BeforeValidator(_day)]
"""A day as a form or a program gives it."""


@cache
def _reads(function: Callable[..., None]) -> Callable[..., None]:
    """Return `function` checking its parameters. Not kept by the flow, which goes to workers: it cannot be pickled."""
    return validate_call(function)


def explained(function: Callable[P, None]) -> Callable[P, State | None]:
    """Return `function` as a flow is made of: it reads its parameters itself, and ends in a sentence.

    A run for which there is nothing to do, as another is at it, ends as Cancelled. The flow needs
    `validate_parameters=False`, or Prefect is faster and says it its own way.
    """

    @wraps(function)
    def within(*args: P.args, **kwargs: P.kwargs) -> State | None:
        try:
            try:
                return _reads(function)(**signature(function).bind(*args, **kwargs).arguments)
            except ValidationError as error:
                if error.title != function.__name__:
                    raise
                raise WrongUse(_in_words(error)) from None
        except EXPLAINED as error:
            state = Cancelled if isinstance(error, Busy) else Failed
            # Of a deployment nobody waits for the error: its state says it, and Prefect logs any other with traceback.
            return state(message=str(error), data=Abort() if deployment.get_id() else error)

    return within


def check_range(start: date | None, end: date | None) -> None:
    """Raise WrongUse for a range that ends before it starts."""
    if start and end and end < start:
        raise WrongUse(f"the range ends ({end}) before it starts ({start})")


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}={one_line(one['input'])}: "
        f"{one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    )
