"""A whole run with its rasters in an object store: the same rows and the same bytes as with a folder."""

from datetime import date
from pathlib import Path
from typing import Any

import fsspec

import sql
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.server import TOKEN
from flows import batch, monitor
from tasks.acquire.client import forget_tokens
from tasks.mines import imports, registry
from tests.deploy.archive.conftest import Service, served
from tests.tasks.brightness import MODEL
from tests.tasks.segment.test_epochs import mine
from tests.tasks.store import Store, s3, s3_server

__all__ = ["mine", "s3", "s3_server", "served"]

TABLES = ("acquisition", "epoch", "segment", "comparison", "change", "class_area", "validation")
OURS = {"raster", "class_raster", "confidence_raster"}
"""Columns that hold addresses."""
UNLIKE = {"flow_run_id", "segment_id", "change_id"}
"""Columns that no two runs share."""


def rows(database: sql.Connection, root: str) -> dict[str, list[dict[str, str]]]:
    """Every row that a run wrote, without times and run ids; addresses from `root` on."""
    found: dict[str, list[dict[str, str]]] = {}
    for table in TABLES:
        read = database.execute(f"select * from {table} order by 1").fetchall()  # type: ignore[call-overload]
        left = [{name: value for name, value in row.items() if not name.endswith("_at") and name not in UNLIKE}
                for row in read]  # fmt: skip
        found[table] = [{name: str(value).removeprefix(root) if name in OURS else str(value)
                         for name, value in row.items()} for row in left]  # fmt: skip
    return found


def contents(database: sql.Connection, root: str) -> dict[str, bytes]:
    """Bytes of every raster that a row names, by its address below `root`."""
    addresses = [
        row["address"]
        for row in database.execute(
            "select raster as address from acquisition union all select class_raster from epoch"
            " union all select confidence_raster from epoch"
        ).fetchall()
        if row["address"]
    ]
    found = {}
    for address in addresses:
        files, path = fsspec.core.url_to_fs(address)
        found[address.removeprefix(root)] = files.cat_file(path)
    return found


def test_a_run_in_an_object_store_is_that_in_a_folder(
    database: sql.Connection, home: Path, mine: registry.Mine, served: Service, s3: Store, monkeypatch: Any
) -> None:
    for name, value in {
        "MINECAM_SH_BASE_URL": served.url, "MINECAM_SH_TOKEN_URL": served.url + TOKEN, "SH_CLIENT_ID": LOCAL_CLIENT,
        "SH_CLIENT_SECRET": LOCAL_CLIENT,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for flow in (monitor, batch):
        monkeypatch.setattr(flow, "model_for", lambda *_: MODEL)
    forget_tokens()
    done = imports.import_outlines(database, served.folder / "places.geojson")
    (slug,) = done.added

    def run(root: str) -> tuple[Any, Any]:
        """Run over the mine as if for the first time, and take it all back."""
        monkeypatch.setenv("MINECAM_RASTERS", root)
        database.execute("truncate acquisition, charge restart identity cascade")
        monitor.mine(slug, start=date(2026, 1, 1), end=date(2026, 3, 1))
        return rows(database, root), contents(database, root)

    in_store, in_folder = run("s3://rasters/of/minecam"), run((home / "rasters").as_uri())
    assert len(in_folder[0]["epoch"]) == 2 and len(in_folder[1]) >= 6
    assert in_store[0] == in_folder[0]
    assert in_store[1] == in_folder[1]
    assert not any(key.endswith(".part") for key in s3.objects()) and (home / "rasters").is_dir()
