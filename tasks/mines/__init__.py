"""The register of mines: outlines read from files, checked, and kept as rows. The first step of the flow of data."""

from tasks.mines import edits, imports, registry, zones
from tasks.mines.outline import area_text, polygons, square_kilometres
from tasks.mines.points import metres
from tasks.mines.reading import read_table
from tasks.mines.registry import PRIORITIES, Mine
from tasks.mines.sites import NEAR_KM, Site, beside, doubts, sites, slug_of, slugify

__all__ = [
    "NEAR_KM", "PRIORITIES", "Mine", "Site", "area_text", "beside", "doubts", "edits", "imports", "metres", "polygons",
    "read_table", "registry", "sites", "slug_of", "slugify", "square_kilometres", "zones",
]  # fmt: skip
