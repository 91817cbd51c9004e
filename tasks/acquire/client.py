"""The client of `sentinelhub` with what it lacks for years without anyone looking: an end to every request.

Its own time-out counts from byte to byte, so that a slow drip never ends; it fetches tokens without any time-out; it
waits as long as Retry-After says, be it a month; and it follows a catalog whose pages never end.
"""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Lock, Thread
from typing import Any, ClassVar

import requests
import urllib3
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
from sentinelhub import SentinelHubDownloadClient, SentinelHubSession
from sentinelhub.constants import SHConstants
from sentinelhub.download.handlers import fail_user_errors, retry_temporary_errors
from sentinelhub.download.models import DownloadRequest

LONGEST_PAUSE_MS, USUAL_PAUSE_MS = 60_000, 30_000
"""Milliseconds to wait after a 429: at most, and where it does not say how long."""
MOST_BYTES = 512 * 1024**2
"""More than the largest request of pixels can bring, 2500 × 2500 px of 13 bands of 16 bits."""
MOST_REQUESTS = 500
"""Requests of one search; its pages have 100 products each."""
PIECE = 65536


class Limited(requests.Timeout):
    """The service limits how often tokens are fetched; tried again as a time-out is."""


class TokenSession(OAuth2Session):
    """A session of OAuth whose answers end within the time-out, however slowly they drip."""

    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        """Send a prepared request and read its answer; `timeout` is of both together."""
        send = partial(super().send, request, **given | {"stream": True})
        return _answer(send, given["timeout"])


class Session(SentinelHubSession):
    """A session whose tokens come within the time-out or not at all."""

    @retry_temporary_errors
    @fail_user_errors
    def _fetch_token(self, request: DownloadRequest) -> dict[str, Any]:
        oauth_client = BackendApplicationClient(client_id=self.config.sh_client_id)
        with TokenSession(client=oauth_client) as oauth_session:
            oauth_session.register_compliance_hook("access_token_response", self._checked)
            token: dict[str, Any] = oauth_session.fetch_token(
                token_url=request.url,
                client_secret=self.config.sh_client_secret,
                headers={**self.DEFAULT_HEADERS, **SHConstants.HEADERS},
                include_client_id=True,
                timeout=self.config.download_timeout_seconds,
            )
            if not isinstance(token.get("access_token"), str):
                raise ValueError("it sent no token")
            return token

    @classmethod
    def _checked(cls, response: requests.Response) -> requests.Response:
        if response.status_code == requests.codes.too_many_requests:
            raise Limited("tokens are fetched too often", response=response)
        return cls._compliance_hook(response)


class Client(SentinelHubDownloadClient):
    """A client whose requests end: in time, in size, in number; one token for a process."""

    _sessions: ClassVar[dict[tuple[str, str], Session]] = {}
    _fetching: ClassVar[Lock] = Lock()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.requests = 0

    def get_session(self) -> SentinelHubSession:
        """Return the session of the process, a new one after `forget_tokens`."""
        key = self.config.sh_client_id, self.config.sh_base_url
        if key not in self._sessions:
            self._sessions[key] = Session(config=self.config)
        return self._sessions[key]

    def _get_session_headers(self) -> dict[str, str]:
        with self._fetching:  # all threads wait for one token: the service limits how often they are fetched
            return super()._get_session_headers()

    def _do_download(self, request: DownloadRequest) -> requests.Response:
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise requests.RequestException(f"it goes on after {MOST_REQUESTS} requests for one answer")
        seconds = self.config.download_timeout_seconds
        send = partial(
            requests.request,
            request.request_type.value,
            url=str(request.url),
            json=request.post_values,
            headers=self._prepare_headers(request),
            timeout=seconds,
            stream=True,
        )
        response = _answer(send, seconds)
        if response.status_code == requests.codes.too_many_requests:
            response.headers["Retry-After"] = str(pause(response.headers.get("Retry-After")))
        return response


def forget_tokens() -> None:
    """Let every request that follows fetch a token anew: the client never renews one that is refused."""
    Client._sessions.clear()


def pause(retry_after: str | None) -> int:
    """Return the milliseconds to wait after a 429, by its Retry-After in milliseconds: bounded, with up to a quarter
    more by chance, so that many clients do not come back at once."""
    try:
        asked = int(retry_after or USUAL_PAUSE_MS)
    except ValueError:
        asked = USUAL_PAUSE_MS
    return round(min(max(asked, 1), LONGEST_PAUSE_MS) * random.uniform(1, 1.25))


def _answer(send: Callable[[], requests.Response], seconds: float) -> requests.Response:
    """Return the response that `send` brings, with its body read, as `requests` does itself where it does not stream.

    Raises requests.Timeout when that takes longer than `seconds`. Headers that drip cannot be stopped from here: their
    thread ends with the connection.
    """
    end, headers = time.monotonic() + seconds, Future[requests.Response]()

    def ask() -> None:
        try:
            headers.set_result(send())
        except BaseException as error:
            headers.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        response = headers.result(2 * seconds)  # time-outs to connect and to read are told by `requests` itself
    except TimeoutError as error:
        raise requests.Timeout("its headers were not complete in time") from error
    with response:
        response._content = _body(response, end)
    response._content_consumed = True
    return response


def _body(response: requests.Response, end: float) -> bytes:
    """Read the body until `end` (monotonic seconds) at most; raises the errors of `requests`."""
    body = bytearray()
    with _worded():
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > MOST_BYTES:
                raise requests.RequestException(f"its answer is larger than {MOST_BYTES >> 20} MiB")
            if time.monotonic() > end:
                raise requests.Timeout(f"its answer was not complete in time, only {len(body)} bytes of it")
    return bytes(body)


@contextmanager
def _worded() -> Iterator[None]:
    try:
        yield
    except requests.RequestException:
        raise
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.Timeout(str(error)) from error
    except urllib3.exceptions.DecodeError as error:
        raise requests.exceptions.ContentDecodingError(str(error)) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise requests.exceptions.ChunkedEncodingError(str(error)) from error
