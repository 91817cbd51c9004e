"""Questions that lay segments over one another answer as they did before migration 27 made them quick."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from psycopg.rows import tuple_row
from scipy import ndimage

import sql
from deploy.simulate.sites import drawn_site
from deploy.simulate.world import world
from deploy.stack.cluster import Cluster
from models.labels import NODATA
from sql.database import migrations
from tasks.mines import registry
from tasks.rasters import HECTARES_PER_PIXEL, Grid, grid_for, to_wgs84
from tasks.segment.vectorise import outlines, polygons, regions

EPOCH = (Path(__file__).parents[1] / "bench" / "world" / "simulated.sql").read_text()
SIZE, EPOCHS = 128, 4
START = datetime(2024, 1, 10, 10, tzinfo=UTC)
DAYS = ("2024-01-20", "2024-03-20", "2024-05-20")
ASKED = (
    *(f"select * from mine_on('{{mine}}', '{day}')" for day in DAYS),
    *(f"select * from changes_between('{{mine}}', '{a}', '{b}')" for a in DAYS for b in DAYS if a < b),
)
SLIVER = 5e-11
"""Square degrees, less than a hundredth of a pixel: rounding leaves so much between outlines that ought to touch."""


def seen(number: int) -> Iterator[np.ndarray]:
    """Yield class rasters of a growing mine, with the specks of a network and clouds on every other day."""
    site = drawn_site(np.random.default_rng([27, number]), number)
    here, rng = world(site, size=SIZE, seed=number, years=1), np.random.default_rng(number)
    for index in range(EPOCHS):
        classes = here.state(years=index * 0.2, day=100).truth.copy()
        speck = ndimage.binary_dilation(rng.random(classes.shape) < 0.002, iterations=2)
        classes[speck] = rng.choice([0, 1, 2, 4, 5, 6, 8], classes.shape)[::4, ::4].repeat(4, 0).repeat(4, 1)[speck]
        if index % 2 == number % 2:
            field = ndimage.gaussian_filter(rng.normal(size=classes.shape), 12)
            classes[field > np.quantile(field, 0.7)] = NODATA
        yield classes


def watch(database: sql.Connection, number: int, epsg: int, left: float, top: float) -> str:
    """Register a mine whose AOI is no rectangle of pixels, with its epochs; return its slug."""
    corners = np.array([[0.1, 0.05], [0.9, 0.02], [0.97, 0.6], [0.6, 0.97], [0.03, 0.8], [0.1, 0.05]]) * SIZE * 10
    aoi = shapely.multipolygons([to_wgs84(shapely.Polygon(corners * (1, -1) + (left, top)), epsg)])
    licence = shapely.multipolygons([aoi.centroid.buffer(0.004)])
    slug = f"pit-{number}"
    mine = registry.add(database, slug=slug, name=slug, aoi=aoi, licence=licence)
    grid = Grid(epsg, left, top, SIZE, SIZE)
    inside = grid.mask(aoi)
    assert grid_for(aoi).epsg == epsg
    for index, classes in enumerate(seen(number)):
        classes = np.where(inside, classes, NODATA).astype(np.uint8)
        sure = np.full(classes.shape, 80, np.uint8)
        frame = polygons(classes=classes, confidence=sure, grid=grid, min_hectares=0.05)
        hidden = inside & (classes == NODATA)
        at = START + timedelta(days=40 * index)
        area = {"aoi": inside.sum() * HECTARES_PER_PIXEL, "valid": (inside & ~hidden).sum() * HECTARES_PER_PIXEL}
        sql.run(database, "year_add", sensing_time=at)
        epoch = database.execute(EPOCH, {"mine_id": mine.mine_id, "at": at, **area}).fetchone()["epoch_id"]  # type: ignore[arg-type,index]
        rows = zip(frame["class_id"], frame["hectares"], frame.geometry, strict=True)
        sql.copy_rows(database, "segment_copy", ["int8", "int4", "int2", "timestamptz", "float4", "float4"],
                      ((epoch, mine.mine_id, int(of), at, size, 0.8, place) for of, size, place in rows))  # fmt: skip
        if hidden.any():
            ground = shapely.union_all(outlines(regions(hidden, hidden), grid))
            parts = shapely.multipolygons(shapely.get_parts(ground))
            sql.copy_rows(database, "unseen_copy", ["int8"], [(epoch, parts)])
    return slug


def answers(database: sql.Connection, statement: str) -> dict[tuple[Any, ...], list[tuple[float, Any]]]:
    """Return hectares and outline of what is more than a sliver, by all other columns."""
    found = defaultdict(list)
    cursor = database.cursor(row_factory=tuple_row).execute(statement)  # type: ignore[call-overload]
    names = [column.name for column in cursor.description]
    for row in cursor.fetchall():
        row = dict(zip(names, row, strict=True))
        outline, size = shapely.from_wkb(row.pop("geom")), row.pop("hectares")
        assert outline.geom_type == "MultiPolygon" and shapely.get_srid(outline) == 4326
        assert outline.is_valid, (statement, shapely.is_valid_reason(outline))
        if outline.area > SLIVER:
            found[tuple(row.values())].append((size, outline))
    return dict(found)


@pytest.fixture(scope="module")
def before_and_now(cluster: Cluster) -> Iterator[list[tuple[str, Any, Any]]]:
    """What was answered by migration 26, and what is now, of mines south and north."""
    cluster.create_database("quick")
    older = [one for one in migrations() if one[0] <= 26]
    with sql.connect(cluster.url("quick")) as database, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sql.database.migrations", lambda: older)
        sql.migrate(database)
        registry.publish_labels(database)
        places = ((32723, 610_000, 7_790_000), (32633, 420_000, 6_660_000), (32650, 300_000, 1_500_000))
        mines = [watch(database, number, *place) for number, place in enumerate(places)]
        matrix = "select from_class, to_class, same_weights, hectares from transition_matrix('{mine}', '{}', '{}')"
        outside = "select place, class, since, seen, hectares from mined_outside('{mine}', '{}')"
        plain = [*(matrix.format(a, b, mine="{mine}") for a in DAYS for b in DAYS if a < b),
                 *(outside.format(day, mine="{mine}") for day in DAYS)]  # fmt: skip

        def ask() -> list[tuple[str, Any]]:
            rows = database.cursor(row_factory=tuple_row)
            return [
                *((asked.format(mine=mine), answers(database, asked.format(mine=mine)))
                  for mine in mines for asked in ASKED),
                *((asked.format(mine=mine), sorted(rows.execute(asked.format(mine=mine)).fetchall()))  # type: ignore[call-overload]
                  for mine in mines for asked in plain),
            ]  # fmt: skip

        before = ask()
        patch.undo()
        sql.migrate(database)
        yield [(asked, of_old, of_new) for (asked, of_old), (_, of_new) in zip(before, ask(), strict=True)]


def test_outlines_are_those_of_before(before_and_now: list[tuple[str, Any, Any]]) -> None:
    largest = 0
    for asked, old, new in before_and_now:
        if not isinstance(old, dict):
            continue
        assert old.keys() == new.keys(), asked
        for key, parts in old.items():
            assert len(parts) == len(new[key]), (asked, key)
            tree = shapely.STRtree([outline for _, outline in new[key]])
            for size, outline in parts:
                same = [at for at in tree.query(outline)
                        if outline.symmetric_difference(new[key][at][1]).area < SLIVER]  # fmt: skip
                assert len(same) == 1, (asked, key, size)
                assert new[key][same[0]][0] == pytest.approx(size, abs=0.0101), "rounded to a hundredth"
        largest = max(largest, sum(map(len, old.values())))
    assert largest > 100, "the mines are too plain to say anything"


def test_figures_are_those_of_before(before_and_now: list[tuple[str, Any, Any]]) -> None:
    figures = [(asked, old, new) for asked, old, new in before_and_now if not isinstance(old, dict)]
    assert all(old for asked, old, _ in figures if "matrix" in asked)
    assert any(old for asked, old, _ in figures if "outside" in asked)
    for asked, old, new in figures:
        assert [row[:-1] for row in old] == [row[:-1] for row in new], asked
        assert [row[-1] for row in new] == pytest.approx([row[-1] for row in old], abs=0.0101), asked
