"""Rasters: the grid of a mine, files on it, which of their pixels were observed, and pictures of them. No step."""

from tasks.rasters.cog import Raster, decode, read_raster, write_cog
from tasks.rasters.grid import HECTARES_PER_PIXEL, PIXEL, Grid, grid_for, to_utm, to_wgs84
from tasks.rasters.measured import measured_mask
from tasks.rasters.meridian import cut, in_one_piece, kept, unrolled
from tasks.rasters.pictures import Panel, address, before_after, colours, overlay, pixels, rings, sheet, thumbnail
from tasks.rasters.resample import like_ten_metres, moved, outline_of, pixel_metres, resampled, snapped, warped
from tasks.rasters.scene import read_scene, write_classes
from tasks.rasters.validity import CLOUD, cloud_mask, hidden_by, near_invalid, valid_mask

__all__ = [
    "CLOUD",
    "HECTARES_PER_PIXEL",
    "PIXEL",
    "Grid",
    "Panel",
    "Raster",
    "address",
    "before_after",
    "cloud_mask",
    "colours",
    "cut",
    "decode",
    "grid_for",
    "hidden_by",
    "in_one_piece",
    "kept",
    "like_ten_metres",
    "measured_mask",
    "moved",
    "near_invalid",
    "outline_of",
    "overlay",
    "pixel_metres",
    "pixels",
    "read_raster",
    "read_scene",
    "resampled",
    "rings",
    "sheet",
    "snapped",
    "thumbnail",
    "to_utm",
    "to_wgs84",
    "unrolled",
    "valid_mask",
    "warped",
    "write_classes",
    "write_cog",
]  # fmt: skip
