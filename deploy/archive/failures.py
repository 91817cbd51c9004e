"""How the local archive says no: the error bodies of the Sentinel Hub API.

Process and token errors and Catalog errors have different forms, and a 429 has one of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from shapely.errors import ShapelyError


class Refused(Exception):  # noqa: N818  (a refusal is an answer of the service, not a defect)
    """A request that is answered with an error status; `body(catalog)` is what goes over the wire."""

    def __init__(self, status: int, message: str, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or CODES.get(status, "COMMON_EXCEPTION")
        self.details = details
        self.headers: dict[str, str] = {}

    @property
    def reason(self) -> str:
        """The phrase of the HTTP status."""
        return HTTPStatus(self.status).phrase

    def body(self, *, catalog: bool) -> dict[str, Any]:
        """Return the error body: `{code, description}` for the Catalog, `{error: {...}}` for Process."""
        error = {"status": self.status, "reason": self.reason, "message": self.message, "code": self.code}
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return error
        if catalog:
            return {"code": self.reason.replace(" ", ""), "description": self.message}
        return {"error": {**error, **({"errors": self.details} if self.details else {})}}


CODES = {
    400: "COMMON_BAD_PAYLOAD",
    401: "COMMON_UNAUTHORIZED",
    403: "COMMON_INSUFFICIENT_PERMISSIONS",
    404: "COMMON_NOT_FOUND",
    405: "COMMON_METHOD_NOT_ALLOWED",
    429: "RATE_LIMIT_EXCEEDED",
}
"""Error codes of the API by status (openapi.v1.yaml, schema Boom)."""


def bad(message: str, *, parameter: str | None = None, value: Any = None) -> Refused:
    """Return the refusal of a payload; `parameter` names the part of the body that is wrong."""
    if parameter is None:
        return Refused(400, message)
    return Refused(400, f"{parameter}: {message}", parameter=parameter, invalidValue=value, violation=message)


MALFORMED = (
    AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError, ShapelyError,
)  # fmt: skip
"""What Python raises over a body that is not built as the API describes."""


@contextmanager
def understanding() -> Iterator[None]:
    """Refuse a request whose body is not built as the API describes."""
    try:
        yield
    except MALFORMED as error:
        raise bad(f"the request is not built as the API describes ({error!r:.200})") from error


def too_many(milliseconds: int) -> Refused:
    """Return the refusal of the rate limiter; Retry-After is in milliseconds."""
    refused = Refused(429, "You have exceeded your rate limit")
    refused.headers["Retry-After"] = str(milliseconds)
    return refused


def broken(name: str, file: Path) -> Refused:
    """Return the failure of a scene whose `file` cannot be read."""
    return Refused(500, f"the scene {file} cannot be read: remove it and its item {name}.json, and import it again")


def script_failed(message: str) -> Refused:
    """Return the refusal of an evalscript that does not run."""
    return Refused(400, f"Failed to evaluate script!\n{message}", "RENDERER_EXCEPTION")
