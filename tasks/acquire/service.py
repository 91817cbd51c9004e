"""The Sentinel Hub service as the settings name it: configuration, collections, and its errors in our words.

Discover and download stand on this module; the local archive and Copernicus Data Space look the same from here.
"""

import ipaddress
import json
import os
import random
from collections.abc import Callable
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from sentinelhub import DataCollection, SHConfig
from sentinelhub.exceptions import BaseSentinelHubException, DownloadFailedException, OutOfRequestsException

from tasks.acquire.client import Limited, forget_tokens
from tasks.errors import ServiceDown, ServiceError, UnitsSpent, WrongUse
from tasks.settings import Settings
from tasks.text import one_line

T = TypeVar("T")

SENTINEL_1 = "sentinel-1-grd"
COLLECTIONS = {
    ("sentinel-2-l2a", ""): DataCollection.SENTINEL2_L2A,
    ("sentinel-2-l1c", ""): DataCollection.SENTINEL2_L1C,
    (SENTINEL_1, ""): DataCollection.SENTINEL1_IW,
    (SENTINEL_1, "ascending"): DataCollection.SENTINEL1_IW_ASC,
    (SENTINEL_1, "descending"): DataCollection.SENTINEL1_IW_DES,
}
"""What we ask for, by collection id and orbit direction."""

UNUSABLE = (
    BaseSentinelHubException, OAuth2Error, requests.RequestException,
    ValueError, KeyError, TypeError, AttributeError, RecursionError,
)  # fmt: skip
"""What the client raises beside its own error, over answers that are not what it expects."""

_defining = Lock()


def configuration(given: Settings) -> SHConfig:
    """Return the client's configuration; raises ServiceError without credentials or with http beyond loopback."""
    if not given.sh_client_id or given.sh_client_secret is None:
        raise ServiceError(
            "there are no credentials for the Sentinel Hub service: run `minecam up` for the local archive, "
            "or set SH_CLIENT_ID and SH_CLIENT_SECRET"
        )
    plain = [_is_plain(url) for url in (given.sh_base_url, given.sh_token_url)]
    if any(plain):
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # oauthlib refuses http even on loopback without it
    return SHConfig(
        use_defaults=True,
        sh_client_id=given.sh_client_id,
        sh_client_secret=given.sh_client_secret.get_secret_value(),
        sh_base_url=given.sh_base_url.rstrip("/"),
        sh_token_url=given.sh_token_url,
        max_download_attempts=given.sh_attempts,
        max_retries=given.sh_attempts,
        download_sleep_time=given.sh_retry_seconds * random.uniform(1, 1.5),  # many clients must not come back at once
        download_timeout_seconds=given.sh_timeout_seconds,
    )


def _is_plain(url: str) -> bool:
    """Whether `url` is http; raises ServiceError when that would carry the secret over a network."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return False
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return True
    raise ServiceError(f"{url} must be https: plain http is for loopback only (MINECAM_SH_BASE_URL, _SH_TOKEN_URL)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def collection(name: str, orbit_direction: str, config: SHConfig) -> DataCollection:
    """Return the collection called `name` at the configured service; raises WrongUse for one we do not know.

    A stock collection carries the address of another service, which the client would prefer to the configured one.
    """
    if (name, orbit_direction) not in COLLECTIONS:
        known = ", ".join(sorted({known for known, _ in COLLECTIONS}))
        raise WrongUse(f"unknown collection '{name}': choose one of {known} (MINECAM_COLLECTION)")
    stock = COLLECTIONS[name, orbit_direction]
    with _defining:
        return stock.define_from(f"{stock.name} at {config.sh_base_url}", service_url=config.sh_base_url)


def ask(config: SHConfig, call: Callable[[], T]) -> T:
    """Return what `call` gets from the service; every failure becomes a ServiceError of one line.

    The client neither renews a refused token nor tries again, so that is done here, once. What the client raised goes
    no further: it holds all that the service said, and would be in every traceback.
    """
    try:
        return call()
    except DownloadFailedException as error:
        if _status(error.request_exception) != 401:
            raise _explained(config, error) from None
    except UNUSABLE as error:
        raise _explained(config, error) from None
    forget_tokens()
    try:
        return call()
    except (DownloadFailedException, *UNUSABLE) as error:
        raise _explained(config, error) from None


def _status(error: Exception | None) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _code(error: Exception) -> str:
    """Return the service's code of an error, or nothing."""
    try:
        return str(error.response.json()["error"]["code"])  # type: ignore[attr-defined]
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""


def _explained(config: SHConfig, error: Exception) -> ServiceError:
    """Return the error in our words, without the secret, should a server repeat what it was sent."""
    said = _worded(config, error)
    return type(said)(str(said).replace(config.sh_client_secret, "..."))


def _worded(config: SHConfig, error: Exception) -> ServiceError:
    service = f"the Sentinel Hub service at {config.sh_base_url}"
    cause = getattr(error, "request_exception", None) or error
    if isinstance(error, OutOfRequestsException) or isinstance(cause, Limited):
        return ServiceDown(f"{service} keeps limiting our requests: the next run tries again")
    if isinstance(error, OAuth2Error) or _status(cause) == 401:
        return ServiceDown(f"{service} refuses the credentials: check SH_CLIENT_ID and SH_CLIENT_SECRET")
    if isinstance(cause, requests.Timeout):
        return ServiceError(
            f"{service} does not answer in time ({config.download_timeout_seconds:g} s, "
            f"MINECAM_SH_TIMEOUT_SECONDS): the next run tries again"
        )
    if isinstance(cause, requests.exceptions.ChunkedEncodingError):
        return ServiceError(f"{service} broke off in the middle of its answer: the next run tries again")
    if isinstance(cause, requests.ConnectionError):
        return ServiceDown(f"{service} does not answer: run `minecam up`, or check MINECAM_SH_BASE_URL")
    if _status(cause) == 403 and "PROCESSING_UNITS" in _code(cause):
        return UnitsSpent(
            f"waiting for budget: {service} says that the account's processing units are spent; set MINECAM_PU_MONTH "
            "to what it has a month"
        )
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return ServiceError(f"{service} answered {_status(cause)}: {_message(cause.response)}")
    return ServiceError(f"{service} sent something unusable ({type(error).__name__}: {one_line(error)})")


def _message(response: requests.Response) -> str:
    """The service's own words: Process errors come as {error: {message}}, Catalog errors as {description}."""
    try:
        body = response.json()
    except ValueError:
        return one_line(response.text) or response.reason
    body = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(body, dict):
        body = body.get("message") or body.get("description") or json.dumps(body)
    return one_line(body)
