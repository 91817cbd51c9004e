"""The app of `minecam serve`: tipg's OGC API over our layers, with pages that need nothing from elsewhere.

Its settings are read when this is imported: `deploy.cli.serve` puts them into the environment before.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from importlib.resources import files
from typing import Any

import asyncpg
import jinja2
import orjson
from fastapi import FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.templating import Jinja2Templates
from starlette_cramjam.middleware import CompressionMiddleware
from tipg.database import close_db_connection, connect_to_db
from tipg.errors import DEFAULT_STATUS_CODES, add_exception_handlers
from tipg.factory import Endpoints, create_html_response
from tipg.middleware import CacheControlMiddleware, CatalogUpdateMiddleware
from tipg.openapi import _update_openapi
from tipg.resources.response import ORJSONResponse
from tipg.settings import APISettings, DatabaseSettings

from deploy import metrics
from deploy.features import COLLECTIONS
from deploy.features.layer import register
from sql.errors import DatabaseError, DatabaseFailed

settings, database = APISettings(), DatabaseSettings()
PAGE = files("deploy.features").joinpath("page.html").read_text()
pages = Jinja2Templates(
    env=jinja2.Environment(loader=jinja2.FunctionLoader(lambda _: PAGE), autoescape=True, trim_blocks=True)
)
"""One page shows whatever is asked, under whatever name tipg asks for it."""
TITLES = {f"minecam.{name}": about["title"] for name, about in COLLECTIONS.items()}
pages.env.globals["collections"] = TITLES

figures = metrics.Page()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep connections to the database, and know its collections, while the app runs."""
    await connect_to_db(app, schemas=database.schemas, tipg_schema=database.tipg_schema)
    await register(app, database)
    yield
    await close_db_connection(app)


def titled(endpoint: Callable[..., Response]) -> Callable[..., Response]:
    """Give the list of collections their titles; tipg gives their ids."""

    @wraps(endpoint)
    def collections(**given: Any) -> Response:
        answer = endpoint(**given)
        if isinstance(answer, HTMLResponse):
            return answer
        said = orjson.loads(answer.body)
        for one in said["collections"]:
            one["title"] = TITLES[one["id"]]
        return ORJSONResponse(said)

    return collections


app = FastAPI(title=settings.name, openapi_url="/api", docs_url=None, redoc_url=None, lifespan=lifespan)
_update_openapi(app)
api = Endpoints(title=settings.name, templates=pages, with_tiles_viewer=False)
for route in api.ogc_features.router.routes:
    if isinstance(route, APIRoute) and route.path == "/collections":
        app.get(route.path, include_in_schema=False, response_model=None)(titled(route.endpoint))
app.include_router(api.router)
app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET"], allow_headers=["*"])
app.add_middleware(CacheControlMiddleware, cachecontrol=settings.cachecontrol, exclude_path={r"^/(healthz|metrics)$"})
app.add_middleware(CompressionMiddleware, compression_level=6)
app.add_middleware(
    CatalogUpdateMiddleware, func=register, ttl=settings.catalog_ttl, db_settings=database  # type: ignore[arg-type]
)  # fmt: skip
add_exception_handlers(app, DEFAULT_STATUS_CODES | {asyncpg.DataError: 422})


@app.get("/api.html", name="swagger_ui_html", include_in_schema=False)  # the name by which tipg links to it
def documentation(request: Request) -> Response:
    """Show what can be asked."""
    asked = {
        path: {
            "what": way["get"].get("summary", ""),
            "parameters": {one["name"]: one.get("description", "") for one in way["get"].get("parameters", [])},
        }
        for path, way in app.openapi()["paths"].items()
    }
    return create_html_response(request, asked, pages, "documentation", title="What can be asked")


@app.get("/healthz")
def health() -> dict[str, str]:
    """Say that it runs."""
    return {"ping": "pong!"}


@app.get("/metrics", include_in_schema=False)
def measured() -> Response:
    """Tell Prometheus how the monitor stands."""
    try:
        return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)
    except (DatabaseError, DatabaseFailed) as error:
        raise HTTPException(503, str(error)) from error
