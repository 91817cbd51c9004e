"""Pictures of a place: true colour from a scene, classes drawn over it, before and after side by side.

`notify` puts them into artifacts. Pure: arrays in, arrays or the bytes of a PNG out.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from models.labels import COMPONENTS
from tasks.rasters.cog import Raster
from tasks.rasters.grid import Grid

WIDTH = 700
"""Pixels that a picture is wide at most."""

GAP = 10  # pixels between the panels
PANEL, HEAD, LEGEND, LINE = 440, 36, 40, 24  # pixels: side of a sheet's panel, its title, its legend, its words
INK = (40, 40, 40)
OUTLINE = (255, 230, 0)
PAPER = (255, 255, 255)
THUMBNAIL = 160
"""Pixels that a thumbnail is wide or high at most."""
CAPTION = 16  # pixels below a panel for its words
LEAST_HOLE = 5_000.0  # square metres


def true_colour(bands: np.ndarray, *, valid: np.ndarray | None = None, percent: float = 2.0) -> np.ndarray:
    """Return uint8 RGB (H, W, 3) of `bands` (3, H, W), red first, any unit.

    Each band is stretched between its `percent` and 100 - `percent` percentiles over `valid`, bool (H, W)
    (everywhere when None); what is not valid stays black.
    """
    seen = np.isfinite(bands).all(axis=0) if valid is None else valid & np.isfinite(bands).all(axis=0)
    picture = np.zeros((*seen.shape, 3), np.uint8)
    if not seen.any():
        return picture
    for channel, band in enumerate(bands.astype(np.float32)):
        low, high = np.percentile(band[seen], [percent, 100 - percent])
        stretched = np.clip((band - low) / max(float(high - low), 1e-6), 0, 1)
        picture[..., channel] = np.where(seen, np.nan_to_num(stretched) * 255, 0).round().astype(np.uint8)
    return picture


def colours(raster: Raster) -> np.ndarray:
    """Return an acquisition raster in true colour, uint8 (H, W, 3); radar, which has none, in shades of VV and VH."""
    optical = "B04" in raster.descriptions
    names = ("B04", "B03", "B02") if optical else ("VV", "VH", "VV")
    bands = np.stack([raster.band(name) for name in names]).astype(np.float32)
    return true_colour(bands if optical else np.log10(np.maximum(bands, 1e-4)), valid=raster.band("dataMask") > 0)


def overlay(classes: np.ndarray, rgb: np.ndarray, *, strength: float = 0.5) -> np.ndarray:
    """Return `rgb` (H, W, 3) with the mine components of `classes`, uint8 (H, W), blended in by `strength` (0-1).

    Background and nodata (255) stay as they are.
    """
    picture = rgb.astype(np.float32)
    for label in COMPONENTS:
        where = classes == label.id
        picture[where] = (1 - strength) * picture[where] + strength * np.array(label.rgb, np.float32)
    return picture.round().astype(np.uint8)


def rings(ground: Any) -> list[Any]:
    """Return the rings of the polygons in `ground` (in metres) that are to be drawn: small holes only hide it."""
    parts = shapely.get_parts(ground)
    holes = [ring for part in parts for ring in part.interiors if shapely.Polygon(ring).area >= LEAST_HOLE]
    return [*(part.exterior for part in parts), *holes]


def pixels(ring: Any, grid: Grid) -> np.ndarray:
    """Return the corners of `ring` as column and row, (n, 2)."""
    return (shapely.get_coordinates(ring) - (grid.left, grid.top)) / (grid.transform.a, grid.transform.e)


def before_after(
    *,
    before: np.ndarray,
    after: np.ndarray,
    outlines: Sequence[np.ndarray] = (),
    captions: tuple[str, str] = ("", ""),
) -> bytes:
    """Return a PNG of two panels, at most 700 pixels wide, each with the `outlines` drawn and its caption below.

    `before` and `after` are uint8 RGB of the same (H, W, 3); an outline is an array (n, 2) of column and row in
    their pixels, corner to corner.
    """
    height, width = before.shape[:2]
    side = (WIDTH - GAP) // 2
    scale = min(side / width, side / height)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    sheet = Image.new("RGB", (2 * size[0] + GAP, size[1] + CAPTION), PAPER)
    for place, (panel, caption) in enumerate(zip((before, after), captions, strict=True)):
        left = place * (size[0] + GAP)
        sheet.paste(_panel(panel, size, outlines, scale), (left, 0))
        ImageDraw.Draw(sheet).text((left, size[1] + 2), caption, fill=INK)
    return _png(sheet)


def thumbnail(rgb: np.ndarray) -> bytes:
    """Return a small PNG of uint8 RGB (H, W, 3), for a list of many."""
    scale = min(THUMBNAIL / max(rgb.shape[:2]), 1)
    size = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
    return _png(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def address(png: bytes) -> str:
    """Return a PNG as the address of a picture inside a text."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


@dataclass(frozen=True)
class Panel:
    """One picture of a sheet: uint8 RGB (H, W, 3), its words, and rings (n, 2) of column and row to draw on it."""

    rgb: np.ndarray
    caption: str
    outlines: Sequence[np.ndarray] = ()


def sheet(columns: Sequence[Sequence[Panel]], *, title: str, words: str, legend: bool = True) -> bytes:
    """Return a PNG of `columns` of panels of one size under a title, `words` below; `legend` names the classes."""
    height, width = columns[0][0].rgb.shape[:2]
    scale = PANEL / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    across, down = len(columns) * (size[0] + GAP) + GAP, max(map(len, columns)) * (size[1] + CAPTION + GAP)
    below = HEAD + down + (LEGEND if legend else 0)
    page = Image.new("RGB", (across, below + LINE), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((GAP, GAP), title, fill=INK, font=_font(15))
    for i, column in enumerate(columns):
        for j, panel in enumerate(column):
            left, top = GAP + i * (size[0] + GAP), HEAD + j * (size[1] + CAPTION + GAP)
            page.paste(_panel(panel.rgb, size, panel.outlines, scale), (left, top))
            pen.text((left, top + size[1] + 2), panel.caption, fill=INK, font=_font(12))
    for k, label in enumerate(COMPONENTS if legend else ()):
        left = GAP + (k % 5) * (across - 2 * GAP) // 5
        top = HEAD + down + (k // 5) * 18
        pen.rectangle((left, top, left + 12, top + 12), fill=label.rgb)
        pen.text((left + 17, top - 1), label.name.replace("_", " "), fill=INK, font=_font(12))
    pen.text((GAP, below), words, fill=INK, font=_font(11))
    with io.BytesIO() as stream:
        page.save(stream, "PNG", optimize=True)
        return stream.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _panel(rgb: np.ndarray, size: tuple[int, int], outlines: Sequence[np.ndarray], scale: float) -> Image.Image:
    # Nearest: the reader should see the pixels that were judged, not an interpolation.
    panel = Image.fromarray(rgb).resize(size, Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(panel)
    for outline in outlines:
        pen.line([(float(x) * scale, float(y) * scale) for x, y in outline], fill=OUTLINE, width=2)
    return panel


def _png(sheet: Image.Image) -> bytes:
    """Encode with a palette: a third of the bytes, for an artifact that travels as text."""
    with io.BytesIO() as stream:
        sheet.quantize(256, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        return stream.getvalue()
