"""Outlines: the place (AOI, licence and description) of a simulated mine, as it is registered."""

import numpy as np
from rasterio.features import shapes
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from deploy.simulate.rasters import SiteGrid, geojson
from deploy.simulate.world import World

MODEL = "s2-10-simulated"


def place(here: World, grid: SiteGrid, *, years: float) -> dict:
    """Return a GeoJSON Feature of the mine: AOI with margin, and a licence that it keeps to or exceeds."""
    site = here.site
    reach = grid.size * 10.0
    scene = box(grid.west, grid.north - reach, grid.west + reach, grid.north).buffer(-10, join_style="mitre")
    final = footprint(here.state(years=years, day=120).truth, grid)
    aoi = final.convex_hull.buffer(reach * 0.20).simplify(reach * 0.012).intersection(scene)
    licence = licence_of(here, grid, years=years, final=final).intersection(aoi)
    properties = {
        "slug": site.slug, "name": site.name, "country": "Simulated", "commodity": site.commodity,
        "mine_type": site.mine_type, "operator": site.operator, "model": MODEL, "simulated": True,
        "licence": geojson(grid.to_degrees(licence)),
    }  # fmt: skip
    return {"type": "Feature", "properties": properties, "geometry": geojson(grid.to_degrees(aoi))}


def footprint(truth: np.ndarray, grid: SiteGrid) -> BaseGeometry:
    """Return the union of all components of a class raster, in UTM."""
    mask = (truth > 0).astype(np.uint8)
    parts = [shape(part) for part, value in shapes(mask, mask=mask == 1, transform=grid.affine) if value == 1]
    return unary_union(parts)


def licence_of(here: World, grid: SiteGrid, *, years: float, final: BaseGeometry) -> BaseGeometry:
    """Return the licensed ground: around all that will be, or around what was there in the first third."""
    if here.site.licence == "ample":
        return final.convex_hull.buffer(110).simplify(40)
    early = footprint(here.state(years=years * 0.3, day=120).truth, grid)
    return early.buffer(130).buffer(-90).buffer(20).simplify(25).buffer(0)
