"""`minecam serve`: the views with outlines as OGC API Features and vector tiles, by tipg, as people may read them."""

import json
import os
from typing import Annotated
from urllib.parse import quote

import typer
from psycopg.conninfo import conninfo_to_dict

import sql
from deploy.features import COLLECTIONS, FUNCTIONS, MOST_IN_TILE
from tasks.settings import settings


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8010,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
) -> None:
    """Serve segments, changes, alerts and mines as OGC API Features and vector tiles, until Ctrl-C.

    Example: minecam serve --port 8010, then add http://127.0.0.1:8010 to QGIS as OGC API - Features
    """
    address = settings().database_address
    sql.connect(address, role="read").close()
    os.environ |= environment(address)
    import uvicorn  # and tipg, which reads its settings when it is imported

    typer.echo(f"http://{host}:{port}")
    uvicorn.run("deploy.features.app:app", host=host, port=port, log_level="warning")


def environment(address: str) -> dict[str, str]:
    """Return the settings by which tipg serves the database at `address`, a libpq address."""
    of = conninfo_to_dict(address)
    word = f":{quote(str(of['password']), safe='')}" if "password" in of else ""
    user = f"{quote(str(of['user']), safe='')}{word}@" if "user" in of else ""
    place = quote(str(of.get("host", "localhost")), safe="") + (f":{of['port']}" if "port" in of else "")
    tables = {f"minecam_{name}": about for name, about in COLLECTIONS.items()}
    return {
        "DATABASE_URL": f"postgresql://{user}{place}/{of['dbname']}?role=minecam_read",
        "TIPG_NAME": "MineCam",
        "TIPG_DB_SCHEMAS": json.dumps(["minecam"]),
        "TIPG_DB_TABLES": json.dumps([f"minecam.{name}" for name in COLLECTIONS]),
        "TIPG_DB_FUNCTIONS": json.dumps([f"minecam.{name}" for name in FUNCTIONS]),
        "TIPG_DB_EXCLUDE_FUNCTION_SCHEMAS": json.dumps(["public"]),
        "TIPG_MAX_FEATURES_PER_TILE": str(MOST_IN_TILE),
        "TIPG_DB_SPATIAL_EXTENT": "false",
        "TIPG_DB_DATETIME_EXTENT": "false",
        "TIPG_TABLE_CONFIG": json.dumps(tables),
    }
