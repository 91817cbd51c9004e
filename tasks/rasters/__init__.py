"""Rasters: the grid of a mine, files on it, which of their pixels were observed, and pictures of them. No step."""

from tasks.rasters.cog import Raster, decode, read, write_cog
from tasks.rasters.grid import HECTARES_PER_PIXEL, PIXEL, Grid, grid_for, to_utm, to_wgs84
from tasks.rasters.pictures import Panel, address, before_after, colours, overlay, pixels, rings, sheet, thumbnail
from tasks.rasters.scene import read_scene, write_classes
from tasks.rasters.validity import CLOUD, beside, cloud_mask, valid_mask

__all__ = [
    "CLOUD", "HECTARES_PER_PIXEL", "PIXEL", "Grid", "Panel", "Raster", "address", "before_after", "beside",
    "cloud_mask", "colours", "decode", "grid_for", "overlay", "pixels", "read", "read_scene", "rings", "sheet",
    "thumbnail", "to_utm", "to_wgs84", "valid_mask", "write_classes", "write_cog",
]  # fmt: skip
