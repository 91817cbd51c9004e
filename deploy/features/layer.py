"""Layers: tipg's collections, with titles and true extents, and tiles that drop nothing.

tipg ends a tile after so many features without a word, and leaves out what is smaller than a cell of the tile's grid.
"""

from datetime import datetime
from typing import Any

import asyncpg
from fastapi import FastAPI
from tipg.collections import Catalog, Collection, PgCollection, pg_get_collection_index
from tipg.errors import InvalidLimit
from tipg.model import Extent
from tipg.settings import DatabaseSettings

import sql
from deploy.features import COLLECTIONS, MOST_IN_TILE


class Layer(PgCollection):
    """A collection whose tiles hold all that lies in them, and whose extent is that of its rows; None without rows."""

    ground: Extent | None = None

    @property
    def extent(self) -> Extent | None:
        """Return where its rows lie, and of what time they are."""
        return self.ground

    @property
    def bounds(self) -> list[float]:
        """Return west, south, east and north; without rows, those of the world, which tipg counts on."""
        return super().bounds or [-180.0, -90.0, 180.0, 90.0]

    async def get_tile(self, conn: asyncpg.Connection, *, limit: int | None = None, **asked: Any) -> bytes:
        """Return the tile; raises InvalidLimit where it has more features than a tile may, unless `limit` is asked."""
        where = self.cql_where(
            ids=asked["ids_filter"], datetime=asked["datetime_filter"], bbox=asked["bbox_filter"],
            properties=asked["properties_filter"], cql=asked["cql_filter"], geom=asked["geom"], dt=asked["dt"],
            tile=asked["tile"], tms=asked["tms"],
        )  # fmt: skip
        count = await self._features_count_query(conn, where=where, function_parameters=asked["function_parameters"])
        if count > MOST_IN_TILE and limit is None:
            raise InvalidLimit(
                f"there are {count} features in this tile, more than {MOST_IN_TILE}: zoom in, or ask for one mine "
                f"(mine=...), for a time (datetime=FROM/TO), or for the map of a day (minecam.segments_on?day=...)"
            )
        return await super().get_tile(conn, limit=limit, **asked)

    def _select_mvt(self, *given: Any, **named: Any) -> str:
        return super()._select_mvt(*given, **named).replace("ST_AsMVTGeom(", "minecam.tile_geometry(")


async def register(app: FastAPI, db_settings: DatabaseSettings | None = None) -> None:
    """Look up what is served, and where it lies by now."""
    async with app.state.pool.acquire() as connection:
        found = await pg_get_collection_index(connection, settings=db_settings)
        about = {row["name"]: row for row in await connection.fetch(sql.query("collections"))}
    layers: dict[str, Collection] = {}
    for one in found:
        known = about[one.table]
        told = {"title": COLLECTIONS[one.table]["title"], "description": known["description"]}
        layers[one.id] = Layer(**one.model_dump(by_alias=True) | told, ground=_extent(known))
    app.state.collection_catalog = Catalog(collections=layers, last_updated=datetime.now())


def _extent(about: asyncpg.Record) -> Extent | None:
    if about["bounds"] is None:
        return None
    extent: dict[str, Any] = {"spatial": {"bbox": [about["bounds"]]}}
    if about["first_time"]:
        extent["temporal"] = {"interval": [[about["first_time"].isoformat(), about["last_time"].isoformat()]]}
    return Extent(**extent)
