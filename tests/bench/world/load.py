"""Loads a world: by binary COPY, the segments year by year beside the table, then indexed and attached."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from copying import copy, multipolygons, rows, text, timestamps
from world import CLASSES, DAYS, Day, World

FOLDER = Path(__file__).parent
CHECKSUM = text("0" * 64)


def load(address: str, world: World, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill the migrated, empty database at `address` with `world`; return what it took."""
    days = range(len(DAYS))
    firsts = np.concatenate([[1], 1 + np.cumsum([len(world.clear(number)) for number in days])])
    took: dict[str, Any] = {
        "mines": len(world.at),
        "epochs": int(firsts[-1] - 1),
        "segments": int(firsts[-1] - 1) * len(CLASSES),
    }
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set search_path = minecam, public")
        # What is loaded is whole in itself: no look at every referenced row.
        connection.execute("set session_replication_role = replica")
        connection.execute("select add_year('2023-01-01'), add_year('2024-01-01')")
        copy(connection, "mine",
             ["mine_id", "slug", "name", "country", "commodity", "aoi"], _mines(world))  # fmt: skip
        say("mines")
        for table, names, of in FIXED:
            begun = time.perf_counter()
            copy(connection, table, names, (rows(of(world.day(n, int(firsts[n])))) for n in days))
            took[f"{table}_s"] = round(time.perf_counter() - begun, 1)
            say(f"{table}: {took[f'{table}_s']} s")
    begun = time.perf_counter()
    halves = [[n for n in days if n < len(DAYS) // 2], [n for n in days if n >= len(DAYS) // 2]]
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda year: _segments(address, world, year[0], year[1], firsts), zip((2023, 2024), halves, strict=True)
            )
        )
    took["segments_s"] = round(time.perf_counter() - begun, 1)
    took["segments_per_s"] = round(took["segments"] / took["segments_s"])
    say(f"segment: {took['segments_s']} s, {took['segments_per_s']:,} a second with all indexes")
    begun = time.perf_counter()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set search_path = minecam, public")
        connection.execute((FOLDER / "derived.sql").read_text())  # type: ignore[call-overload]
    took["derived_s"] = round(time.perf_counter() - begun, 1)
    say(f"changes, alerts, months, statistics: {took['derived_s']} s")
    return took


def _mines(world: World) -> Iterator[bytes]:
    corners = world.aoi[:, [[0, 1], [2, 1], [2, 3], [0, 3], [0, 1]]]
    outlines = multipolygons(corners)
    for i in range(len(world.at)):
        yield rows([
            np.array([i + 1], ">i4"), text(f"mine-{i + 1}"), text(f"Mine {i + 1}"), text(world.country[i]),
            text(world.commodity[i] or "unknown"), outlines[i : i + 1],
        ])  # fmt: skip


def _at(day: Day, hours: int) -> np.ndarray:
    """Return so many hours after the sensing, for each epoch of `day`."""
    return timestamps(np.full(len(day.mines), day.time + np.timedelta64(hours, "h")))


def _acquisitions(day: Day) -> list[Any]:
    moment, published, stored = (_at(day, hours) for hours in (0, 3, 5))
    date = (day.time.astype("datetime64[D]") - np.datetime64("2000-01-01")).astype(np.int32)
    product = b"S2B_MSIL2A_20230101T100000_N0509_R022_T33UUP_20230101T120000.SAFE"
    products = np.array(
        [b"".join(int(n).to_bytes(4, "big") for n in (1, 0, 25, 1, 1, len(product))) + product],
        dtype=f"S{24 + len(product)}",
    )
    return [
        day.epochs.astype(">i8"), day.mines.astype(">i4"), text("s2-10"), text("sentinel-2-l2a"),
        np.full(len(moment), date, ">i4"), moment, published, products, text("segmented"),
        np.full(len(moment), 0.4, ">f8"), np.full(len(moment), 1, ">f4"), np.full(len(moment), 1, ">f4"),
        np.full(len(moment), 0, ">f4"), CHECKSUM, stored,
    ]  # fmt: skip


def _epochs(day: Day) -> list[Any]:
    moment = _at(day, 0)
    area = np.full(len(moment), 400, ">f8")
    return [
        day.epochs.astype(">i8"), day.epochs.astype(">i8"), day.mines.astype(">i4"), text("s2-10"), moment,
        text("s2-10-simulated"), CHECKSUM, text("0.1.0"), text("file:///rasters/mine/2023-01-01-classes.tif"), CHECKSUM,
        text("file:///rasters/mine/2023-01-01-confidence.tif"), CHECKSUM, area, area, _at(day, 5),
    ]  # fmt: skip


def _areas(day: Day) -> list[Any]:
    hectares = np.zeros((len(day.mines), 11))
    hectares[:, CLASSES] = day.hectares
    hectares[:, 0] = 400 - hectares.sum(axis=1)
    return [
        np.repeat(day.epochs, 11).astype(">i8"), np.tile(np.arange(11), len(day.mines)).astype(">i2"),
        timestamps(np.full(hectares.size, day.time)), hectares.ravel().astype(">f4"),
        np.full(hectares.size, 0.8, ">f4"),
    ]  # fmt: skip


FIXED: list[tuple[str, list[str], Callable[[Day], list[Any]]]] = [
    ("acquisition", ["acquisition_id", "mine_id", "sensor_set", "collection", "sensing_date", "sensing_time",
                     "published_at", "product_ids", "state", "processing_units", "aoi_coverage", "valid_share",
                     "cloud_share", "checksum", "segmented_at"], _acquisitions),
    ("epoch", ["epoch_id", "acquisition_id", "mine_id", "sensor_set", "sensing_time", "model", "model_checksum",
               "code_version", "class_raster", "class_checksum", "confidence_raster", "confidence_checksum",
               "aoi_hectares", "valid_hectares", "created_at"], _epochs),
    ("class_area", ["epoch_id", "class_id", "sensing_time", "hectares", "confidence"], _areas),
]  # fmt: skip


def _segment_rows(day: Day) -> bytes:
    count = day.hectares.size
    ids = (day.epochs[:, None] * len(CLASSES) + np.arange(len(CLASSES))).ravel()
    return rows([
        ids.astype(">i8"), np.repeat(day.epochs, len(CLASSES)).astype(">i8"),
        np.repeat(day.mines, len(CLASSES)).astype(">i4"), np.tile(CLASSES, len(day.mines)).astype(">i2"),
        timestamps(np.full(count, day.time)), day.hectares.ravel().astype(">f4"), np.full(count, 0.8, ">f4"),
        multipolygons(day.rings.reshape(count, -1, 2)),
    ])  # fmt: skip


def _segments(address: str, world: World, year: int, days: list[int], firsts: np.ndarray) -> None:
    names = ["segment_id", "epoch_id", "mine_id", "class_id", "sensing_time", "hectares", "confidence", "geom"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set search_path = minecam, public")
        for name, statement in _statements(year):
            if name == "copy":
                copy(connection, f"minecam_years.segment_{year}", names,
                     (_segment_rows(world.day(n, int(firsts[n]))) for n in days))  # fmt: skip
            else:
                connection.execute(statement)  # type: ignore[call-overload]


def _statements(year: int) -> Iterator[tuple[str, str]]:
    for part in (
        (FOLDER / "year.sql").read_text().replace("YEAR_AFTER", str(year + 1)).replace("YEAR", str(year)).split(";")
    ):
        if part.strip():
            yield "copy" if "-- COPY" in part else "run", part
