"""The register of mines: outlines read from files, checked, and kept as rows. The first step of the flow of data."""

from tasks.mines import registry
from tasks.mines.outline import square_kilometres
from tasks.mines.registry import PRIORITIES, Mine
from tasks.mines.sites import NEAR_KM, read_frame, sites, slug_of, slugify

__all__ = [
    "NEAR_KM", "PRIORITIES", "Mine", "read_frame", "registry", "sites", "slug_of", "slugify", "square_kilometres",
]  # fmt: skip
