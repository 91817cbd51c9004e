from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tasks.acquire import service
from tasks.acquire.client import Client
from tasks.errors import ServiceError, WrongUse
from tasks.settings import settings


def _ask() -> Any:
    config = service.configuration(settings())
    client = Client(config=config)
    url = f"{config.sh_base_url}/api/v1/catalog/1.0.0/search"
    return service.ask(config, lambda: client.get_json(url, post_values={"limit": 1}, use_session=True))


def test_it_answers(sentinel_hub: Any) -> None:
    assert _ask()["features"] == []


def test_many_threads_have_one_token(sentinel_hub: Any) -> None:
    with ThreadPoolExecutor(20) as threads:
        assert [answer["features"] for answer in threads.map(lambda _: _ask(), range(40))] == [[]] * 40
    assert sentinel_hub.tokens == 1


def test_wrong_credentials(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SH_CLIENT_SECRET", "wrong")
    with pytest.raises(ServiceError, match=r"^[^\n]*refuses the credentials[^\n]*$"):
        _ask()


def test_a_refused_token_is_renewed_once(sentinel_hub: Any) -> None:
    sentinel_hub.failures = [(401, {"error": {"message": "expired"}})]
    assert _ask()["features"] == []
    assert sentinel_hub.tokens == 2
    sentinel_hub.failures = [(401, {})] * 2
    with pytest.raises(ServiceError, match="refuses the credentials"):
        _ask()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": {"status": 400, "message": "bad\nbox"}}, "answered 400: bad box"),
        (403, {"error": {"message": "ACCESS_INSUFFICIENT_PROCESSING_UNITS"}}, "403: ACCESS_INSUFFICIENT"),
        (404, {"code": 404, "description": "no such collection"}, "404: no such collection"),
        (500, {"error": "broken"}, "answered 500: broken"),
        (429, {"status": 429}, "keeps limiting"),
    ],
)
def test_failures_become_one_line(sentinel_hub: Any, status: int, body: dict[str, Any], words: str) -> None:
    sentinel_hub.failures = [(status, body)] * 4
    with pytest.raises(ServiceError, match=words) as caught:
        _ask()
    assert "\n" not in str(caught.value)


def test_a_service_that_fails_for_a_while_is_asked_again(sentinel_hub: Any) -> None:
    sentinel_hub.failures = [(503, {}), (503, {}), (429, {})]
    assert _ask()["features"] == []


def test_nobody_answers(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MINECAM_SH_BASE_URL", "MINECAM_SH_TOKEN_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/token")
    with pytest.raises(ServiceError, match=r"does not answer: run `minecam up`"):
        _ask()


@pytest.mark.parametrize("url", ["http://example.org", "http://10.0.0.1", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_plain_http_beyond_loopback_is_refused(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MINECAM_SH_TOKEN_URL", url)
    with pytest.raises(ServiceError, match="must be https"):
        service.configuration(settings())


def test_no_credentials(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SH_CLIENT_ID")
    with pytest.raises(ServiceError, match="SH_CLIENT_ID"):
        service.configuration(settings())


def test_collections_live_at_the_configured_service(sentinel_hub: Any) -> None:
    config = service.configuration(settings())
    for name, orbit in service.COLLECTIONS:
        assert service.collection(name, orbit, config).service_url == config.sh_base_url
        assert service.collection(name, orbit, config) is service.collection(name, orbit, config)
    with pytest.raises(WrongUse, match="MINECAM_COLLECTION"):
        service.collection("landsat", "", config)
