"""The local archive as a server on loopback: token, Catalog and Process endpoints of the Sentinel Hub API.

Thin: every answer is made by `catalog`, `process` and `access`; here it only gets its route and its headers.
"""

import asyncio
import json
import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.archive import catalog
from deploy.archive.access import Gateway
from deploy.archive.bands import COLLECTIONS
from deploy.archive.failures import Refused, bad
from deploy.archive.folder import Folder, Scene
from deploy.archive.process import process

log = logging.getLogger(__name__)

TOKEN = "/auth/realms/CDSE/protocol/openid-connect/token"
CATALOG = "/api/v1/catalog/1.0.0"
PROCESS = "/api/v1/process"
SPENT = "x-processingunits-spent"


class Archive:
    """The endpoints over one archive folder."""

    def __init__(self, folder: Path, gateway: Gateway | None = None) -> None:
        self.folder = Folder(folder)
        self.gateway = gateway or Gateway()

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route(TOKEN, self._token, methods=["POST"]),
                Route("/oauth/token", self._token, methods=["POST"]),
                Route(f"{CATALOG}/search", self._answer(self._search), methods=["POST", "GET"]),
                Route(f"{CATALOG}/collections", self._answer(self._collections)),
                Route(f"{CATALOG}/collections/{{collection}}", self._answer(self._collection)),
                Route(f"{CATALOG}/collections/{{collection}}/items/{{item}}", self._answer(self._item)),
                Route(PROCESS, self._answer(self._process), methods=["POST"]),
                Route("/health", lambda _: JSONResponse({"archive": str(self.folder.root)})),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode(errors="replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        token = self.gateway.issue(form.get("client_id", ""), form.get("client_secret", ""))
        if token is None:
            words = "Invalid client or Invalid client credentials"
            return JSONResponse({"error": "invalid_client", "error_description": words}, 401)
        seconds = self.gateway.token_seconds
        return JSONResponse({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})

    def _answer(self, handle: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
        """Return the endpoint around `handle`: admission before it, refusals as the API words them."""

        async def endpoint(request: Request) -> Response:
            content = await request.body()
            await asyncio.sleep(self.gateway.latency)
            return await run_in_threadpool(self._guarded, handle, request, content)

        return endpoint

    def _guarded(self, handle: Callable[[Request, Any], Response], request: Request, content: bytes) -> Response:
        try:
            self.gateway.admit(request.headers.get("authorization"))
            return handle(request, _json(request, content))
        except Refused as refused:
            return self._refusal(refused, request)
        except Exception:
            log.exception("%s %s", request.method, request.url.path)
            return self._refusal(Refused(500, "Internal server error", "COMMON_EXCEPTION"), request)

    def _refusal(self, refused: Refused, request: Request) -> Response:
        body = refused.body(catalog=request.url.path.startswith(CATALOG))
        return JSONResponse(body, refused.status, headers=refused.headers)

    def _search(self, request: Request, body: Any) -> Response:
        asked = catalog.parsed(body)
        found = catalog.search(asked, self.folder.scenes(asked.collection.name), lambda scene: _links(request, scene))
        return JSONResponse(found, headers=self._charged(asked.processing_units), media_type="application/geo+json")

    def _collections(self, request: Request, _: Any) -> Response:
        described = [catalog.describe(one, self.folder.scenes(name)) for name, one in COLLECTIONS.items()]
        return JSONResponse({"collections": described, "links": []})

    def _collection(self, request: Request, _: Any) -> Response:
        one = catalog.collection(request.path_params["collection"])
        return JSONResponse(catalog.describe(one, self.folder.scenes(one.name)))

    def _item(self, request: Request, _: Any) -> Response:
        one, wanted = catalog.collection(request.path_params["collection"]), request.path_params["item"]
        for scene in self.folder.scenes(one.name):
            if scene.name == wanted:
                return JSONResponse({**scene.item, "links": _links(request, scene)})
        raise Refused(404, f"Item '{wanted}' does not exist")

    def _process(self, request: Request, body: Any) -> Response:
        answer = process(body, request.headers.get("accept", ""), self.folder.scenes)
        return Response(answer.content, media_type=answer.media_type, headers=self._charged(answer.units))

    def _charged(self, units: float) -> dict[str, str]:
        return {SPENT: self.gateway.charge(units)}


def _json(request: Request, content: bytes) -> Any:
    """The body of a POST; for GET, the query with lists and numbers as JSON has them."""
    if request.method == "GET":
        query: dict[str, Any] = dict(request.query_params)
        if "collections" in query:
            query["collections"] = query["collections"].split(",")
        if "bbox" in query:
            query["bbox"] = query["bbox"].split(",")
        return query
    try:
        return json.loads(content)
    except ValueError as error:
        raise bad(f"the body is no JSON ({error})") from error


def _links(request: Request, scene: Scene) -> list[dict[str, str]]:
    href = f"{str(request.base_url).rstrip('/')}{CATALOG}/collections/{scene.collection}/items/{scene.name}"
    return [{"rel": "self", "type": "application/json", "href": href}]


def serve(folder: Path, *, port: int, gateway: Gateway | None = None) -> None:
    """Serve `folder` on 127.0.0.1 until the process is told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(Archive(folder, gateway).app(), log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
