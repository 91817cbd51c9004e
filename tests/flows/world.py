"""A local archive whose mine digs as a test says: simulated ground with a bright pit, and cloud, painted into it."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import rasterio
import shapely

import sql
from deploy import simulate
from deploy.archive.writing import scene_path, write_item, write_raster
from tasks.mines import registry
from tests.tasks.grain import grained

COLLECTION = "sentinel-2-l2a"
AOI = shapely.box(-50.2173, -6.0854, -50.2112, -6.0793)
"""69 x 69 pixels within the ground: the least for which a look pays."""


@dataclass(frozen=True)
class Scene:
    """A day: `side` of the square pit in pixels, columns on the right under `cloud`, and what the catalog calls cloud
    of the tile (0-1)."""

    day: date
    side: int
    cloud: int = 0
    tile_cloud: float = 0.0
    baseline: str = "0511"

    @property
    def product(self) -> str:
        return f"SIM_S2A_MSIL2A_{self.day:%Y%m%d}T135051_N{self.baseline}_R078_T22MMG_{self.day:%Y%m%d}T214551"


class World:
    """The archive in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        simulate.make(folder, mines=1, dates=1, size=96, sentinel1=False)
        (scene,) = (folder / "scenes" / COLLECTION).iterdir()
        (item,) = (folder / "items" / COLLECTION).iterdir()
        with rasterio.open(scene) as ground:
            self._ground, self._names, self._corner = ground.read(), ground.descriptions, ground.transform
        self._item = json.loads(item.read_text())
        scene.unlink()
        item.unlink()

    def publish(self, *scenes: Scene) -> None:
        """Put `scenes` where the catalog finds them."""
        for one in scenes:
            planes = self._ground.copy()
            planes[:3, 30 : 30 + one.side, 30 : 30 + one.side] = 3000
            if one.cloud:
                planes[:-1, :, -one.cloud :], planes[-1, :, -one.cloud :] = 6000, 9
            planes[:-1] = grained(planes[:-1])
            write_raster(
                self.folder / scene_path(COLLECTION, one.product), planes, epsg=32722, transform=self._corner,
                names=self._names, nodata=0, tags={"product": one.product},
            )  # fmt: skip
            properties = {
                **self._item["properties"],
                "datetime": f"{one.day}T13:50:51Z",
                "created": f"{one.day}T21:45:51Z",
                "eo:cloud_cover": 100 * one.tile_cloud,
            }
            write_item(
                self.folder, one.product, collection=COLLECTION, properties=properties, bands=self._names,
                outline=shapely.geometry.shape(self._item["geometry"]),
            )  # fmt: skip


def register(connection: sql.Connection, slug: str = "pit", model: str | None = None) -> registry.Mine:
    """Register the mine of the world."""
    registry.publish_labels(connection)
    return registry.add(connection, slug=slug, name=slug, aoi=AOI, model=model)
