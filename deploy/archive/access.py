"""Who may ask the local archive, and how often: OAuth tokens, rate limit, processing units.

Stands in front of every API call, as the service's gateway does.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from deploy.archive.failures import Refused, too_many

LOCAL_CLIENT = "minecam-local"
"""Client id and secret that the local archive accepts unless told otherwise."""


class Gateway:
    """Issues and checks tokens, limits requests a minute and processing units; `None` limits nothing.

    `latency`: seconds after which each request is answered at the earliest, as by a service that is far away.
    """

    def __init__(
        self,
        *,
        client_id: str = LOCAL_CLIENT,
        client_secret: str = LOCAL_CLIENT,
        token_seconds: int = 3600,
        requests_per_minute: int | None = None,
        processing_units: float | None = None,
        latency: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = (client_id, client_secret)
        self.token_seconds = token_seconds
        self.requests_per_minute = requests_per_minute
        self.processing_units = processing_units
        self.latency = latency
        self.spent = 0.0
        self.faults: deque[Refused] = deque()
        """Refusals that the next calls get, in order; for trying out how a client copes."""
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def issue(self, client_id: str, client_secret: str) -> str | None:
        """Return a fresh random token, or None for unknown credentials."""
        given, right = (":".join(pair).encode() for pair in ((client_id, client_secret), self.client))
        if not secrets.compare_digest(given, right):
            return None
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._tokens = {old: end for old, end in self._tokens.items() if end > now}
            self._tokens[token] = now + self.token_seconds
        return token

    def revoke(self) -> None:
        """Make every token invalid, as when the service restarts."""
        with self._lock:
            self._tokens.clear()

    def admit(self, authorization: str | None) -> None:
        """Let a call pass; raises Refused with 401, 403, 429, or the fault that is due."""
        with self._lock:
            self._check_token(authorization)
            if self.faults:
                raise self.faults.popleft()
            self._check_rate()
            if self.processing_units is not None and self.spent >= self.processing_units:
                message = "Insufficient processing units or requests available in your account."
                raise Refused(403, message, "ACCESS_INSUFFICIENT_PROCESSING_UNITS")

    def charge(self, units: float) -> str:
        """Count `units` as spent and return them as the header says them."""
        with self._lock:
            self.spent += units
        return f"{units:.6f}".rstrip("0").rstrip(".")

    def _check_token(self, authorization: str | None) -> None:
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(401, "You are not authorized! Please provide a valid access token within the header "
                               "[Authorization: Bearer <accessToken>] of your request.")  # fmt: skip
        if self._tokens.get(token, 0) <= self._clock():
            raise Refused(401, "Unable to authorize request with the provided access token.")

    def _check_rate(self) -> None:
        if self.requests_per_minute is None:
            return
        now = self._clock()
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if len(self._calls) >= self.requests_per_minute:
            raise too_many(max(1, round(1000 * (self._calls[0] + 60 - now))))
        self._calls.append(now)
