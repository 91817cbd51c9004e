"""Pictures of a place: true colour from a scene, classes drawn over it, before and after side by side.

`notify` puts them into artifacts. Pure: arrays in, arrays or the bytes of a PNG out.
"""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from models.labels import COMPONENTS

WIDTH = 700
"""Pixels that a picture is wide at most."""

GAP = 10  # pixels between the panels
OUTLINE = (255, 230, 0)
PAPER = (255, 255, 255)
CAPTION = 16  # pixels below a panel for its words


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


def overlay(classes: np.ndarray, rgb: np.ndarray, *, strength: float = 0.5) -> np.ndarray:
    """Return `rgb` (H, W, 3) with the mine components of `classes`, uint8 (H, W), blended in by `strength` (0-1).

    Background and nodata (255) stay as they are.
    """
    picture = rgb.astype(np.float32)
    for label in COMPONENTS:
        where = classes == label.id
        picture[where] = (1 - strength) * picture[where] + strength * np.array(label.rgb, np.float32)
    return picture.round().astype(np.uint8)


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
        ImageDraw.Draw(sheet).text((left, size[1] + 2), caption, fill=(60, 60, 60))
    return _png(sheet)


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
