"""Names of bands: what the tools of the field call a band of Sentinel-2 or Sentinel-1, as its one name here.

`B2`, `b02`, `B02_10m`, `T23KPU_20240108T131239_B02_10m`, `B2, central wavelength 490 nm`, `B02 - Blue 490nm` and
STAC's `blue` are all B02. What other sensors call B2 (`SR_B2` of Landsat, `sur_refl_b02` of MODIS is near infrared), a
mask or a statistic of a band (`MSK_DETFOO_B02`, `B2_stdDev`) is none: a name may only carry words that change nothing.
"""

import re

from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from models.channels import RADAR

REFLECTANCE = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""The bands of Sentinel-2."""

POWER = (*RADAR, "HH", "HV")
"""The bands of Sentinel-1."""

SCL, DATA_MASK, ALPHA = "SCL", "dataMask", "alpha"

_ALONE = {
    "blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "nir08": "B8A", "nir09": "B09", "coastal": "B01",
    "rededge1": "B05", "rededge2": "B06", "rededge3": "B07", "cirrus": "B10", "swir1": "B11", "swir2": "B12",
    "swir16": "B11", "swir22": "B12", "datamask": DATA_MASK, "alpha": ALPHA,
    "sceneclassification": SCL, "sceneclassificationmap": SCL, "qualitysceneclassification": SCL,
}  # fmt: skip
"""Names without a number: the common names of STAC that mean one band of Sentinel-2, and those of masks."""

_BAND = re.compile(r"scl|b0?(?:[1-9]|8a)|b1[0-2]")
_COLOUR = {
    "coastal": ("B01",), "aerosol": ("B01",), "blue": ("B02",), "green": ("B03",),
    "red": ("B04", "B05", "B06", "B07", "B8A"), "edge": ("B05", "B06", "B07", "B8A"),
    "rededge": ("B05", "B06", "B07", "B8A"), "nir": ("B07", "B08", "B8A", "B09"), "cirrus": ("B10",),
    "swir": ("B10", "B11", "B12"), "swir1": ("B11",), "swir2": ("B12",),
}  # fmt: skip
"""Words that only these bands may carry: `B5 NIR` is Landsat's."""

_HARMLESS = re.compile(
    r"\d+|\d+m|\d+nm|nm|um|\d{8}t\d{6}|t?\d{2}[a-z]{3}|s2[abc]?|msi|msil2a|msil1c|l2a|l1c|n\d{4}|r\d{3}|tif|tiff|jp2|"
    r"band|central|wavelength|reflectance|boa|toa|surface|sentinel|narrow|vegetation|water|vapou?r|median|mean|mosaic|scene|classification"
)
"""Words that change nothing: resolution, wavelength, product, tile, time, and what a composite was made by."""


def band_name(text: str | None) -> str | None:
    """Return which band a description means: its name here, or the description itself where it means none of ours."""
    given = (text or "").strip()
    words = re.findall(r"[a-z0-9]+", given.lower())
    alone = _ALONE.get("".join(words))
    if alone or given.upper() in POWER:
        return alone or given.upper()
    marked = {word for word in words if _BAND.fullmatch(word)}
    if len(marked) == 1:
        name = _padded(marked.pop())
        beside = [word for word in words if not _BAND.fullmatch(word)]
        if all(name in _COLOUR[word] if word in _COLOUR else _HARMLESS.fullmatch(word) for word in beside):
            return name
    return given or None


def _padded(word: str) -> str:
    """Return `b2` as B02."""
    number = word[1:].lstrip("0").upper()
    return SCL if word == "scl" else f"B{number:0>2}"


def names_of(raster: DatasetReader) -> list[str | None]:
    """Return the name of every band of `raster`, None where it has none.

    An unnamed band that shows as alpha is alpha. A named one is what its name says: GDAL calls the fourth band of a
    file in colours alpha, whatever it holds.
    """
    names = [band_name(text) for text in raster.descriptions]
    return [
        ALPHA if name is None and shown == ColorInterp.alpha else name
        for name, shown in zip(names, raster.colorinterp, strict=True)
    ]
