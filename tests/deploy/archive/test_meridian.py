"""A mine on the 180° meridian, from the folder of GeoTIFFs to polygons in the database: the chain has no edge there."""

import socket
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from affine import Affine
from shapely.geometry import Point, box

import sql
from deploy.archive.access import LOCAL_CLIENT
from deploy.archive.importing import import_folder
from deploy.archive.server import TOKEN, Archive
from models.sensors import SENSOR_SETS
from tasks.acquire.discover import discover
from tasks.acquire.download import download
from tasks.acquire.sharing import neighbourhoods
from tasks.mines import imports, registry
from tasks.rasters import read_raster
from tasks.rasters.grid import to_utm
from tasks.segment.vectorise import outlines
from tests.deploy.archive.test_importing import picture
from tests.tasks.nouns import acquisitions

EPSG = 32660
MIDDLE = to_utm(Point(180, 66), EPSG)
LEFT, TOP = round(MIDDLE.x, -1) - 700, round(MIDDLE.y, -1) + 400


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An archive of one scene of 120 × 80 pixels, the meridian right of its middle, served as the product is told."""
    planes = np.random.default_rng(1).integers(300, 4000, (3, 80, 120)).astype(np.uint16)
    picture(
        tmp_path / "in" / "cape_20230708.tif", transform=Affine(10, 0, LEFT, 0, -10, TOP), crs=f"EPSG:{EPSG}",
        planes=planes,
    )  # fmt: skip
    folder = tmp_path / "archive"
    import_folder(tmp_path / "in", folder)
    server = uvicorn.Server(uvicorn.Config(Archive(folder).app(), log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name, value in {
            "MINECAM_SH_BASE_URL": url, "MINECAM_SH_TOKEN_URL": url + TOKEN, "SH_CLIENT_ID": LOCAL_CLIENT,
            "SH_CLIENT_SECRET": LOCAL_CLIENT, "MINECAM_RASTERS": (tmp_path / "rasters").as_uri(),
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield folder
        server.should_exit = True
        thread.join()


def test_a_mine_on_the_180th_meridian_is_found_downloaded_and_drawn(database: sql.Connection, archive: Path) -> None:
    done = imports.import_outlines(database, archive / "places.geojson")
    assert done.added == ["cape"] and done.refused == []
    mine = registry.find(database, "cape")
    assert mine.aoi.bounds[0] == -180 and mine.aoi.bounds[2] == 180
    assert mine.grid.epsg == EPSG and mine.grid.width < 125 and mine.grid.height < 85
    assert discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 7, 1), end=date(2023, 7, 31)) == 1
    (found,) = acquisitions(database)
    download(database, found, mine)
    (row,) = acquisitions(database)
    assert row.state == "downloaded"
    raster = read_raster(row.raster, row.checksum)
    inside = mine.grid.mask(mine.aoi)
    assert raster.array[-1][inside].all() and raster.array[0][inside].min() >= 300
    (drawn,) = outlines(inside.astype(np.int32), mine.grid)
    assert drawn.is_valid and drawn.symmetric_difference(mine.aoi).area < 0.05 * mine.aoi.area


def test_another_mine_at_the_meridian_is_not_asked_for_there(database: sql.Connection, archive: Path) -> None:
    wrapped = box(179.99, -16.02, 180.01, -16)
    fiji = registry.add(database, slug="fiji", name="Fiji", aoi=wrapped)
    assert discover(database, fiji, SENSOR_SETS["s2-rgb"], start=date(2023, 7, 1), end=date(2023, 7, 31)) == 0


def test_mines_on_both_sides_of_the_globe_share_no_search(database: sql.Connection) -> None:
    aois = {
        "across": box(179.99, 66, 180.01, 66.02),
        "beside": box(179.9, 66, 179.91, 66.02),
        "far": box(0, 66, 0.02, 66.02),
    }
    mines = [registry.add(database, slug=slug, name=slug, aoi=aoi) for slug, aoi in aois.items()]
    assert [[mine.slug for mine in group] for group in neighbourhoods(mines)] == [["across", "beside"], ["far"]]
