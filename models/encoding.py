"""How the numbers of a file stand for reflectance: fractions, × 10000, or as tags say; and what is no reflectance.

Pure. What a file does not say is told from its numbers, by limits that leave room for what is really dark, bright or
even: a lake, a cloud, salt. Where that cannot decide, a note says so; what cannot be reflectance is refused.
"""

from dataclasses import dataclass

import numpy as np

from models.errors import ModelError

DARKEST, BRIGHTEST = -0.09995, 2.05
"""Reflectance that is measured. Digital number 1 of a product with an offset is -0.0999, 0 is no data; snow on slopes
and clouds reach 1.8, now and then 2. Fill (-9999, 65535) lies outside whatever the encoding."""

NO_LIGHT = 1.5e-4
"""Reflectance that no band of a measured pixel may stay below: 0 is no data, 1 of 10,000 "effectively missing"."""

DIM, DARK = 0.03, 0.004
"""Where the brightest band of nearly all pixels stays below: only water and shadow; nothing at all. Rivers of the
labelled pairs reach 0.02, brown lakes 0.005."""

MOST_ABOVE = 0.01
"""Share of pixels that may be brighter: glint, a roof, saturated cloud. They are no data."""

OFFSET, BASELINE = 0.1, 400
"""Since baseline 04.00 digital numbers lie 1000 higher, which is a reflectance of 0.1."""

SAY_SO = "give reflectance as fractions or × 10000, or say by tags what it is (`gdal_edit.py -scale S -offset O FILE`)"


@dataclass(frozen=True)
class Encoding:
    """Reflectance is number × `scale` + `offset`; `notes` say what is to be doubted."""

    scale: float
    offset: float
    notes: tuple[str, ...] = ()


def encoding(
    stored: np.ndarray, *, scale: float = 1, offset: float = 0, stated: bool = False, baseline: int | None = None
) -> Encoding:
    """Return how `stored` (bands, pixels), numbers of a scene as they stand in its file, stand for reflectance.

    `scale` and `offset` are what tags say (1 and 0: nothing), `stated` that there is no doubt about them; `baseline`
    is that of the product, such as 510. Raises ModelError for what cannot be reflectance.
    """
    numbers = _measured(stored)
    if numbers.size == 0:
        return Encoding(scale if scale != 1 else 1e-4, offset)
    tagged = scale != 1 or offset != 0
    if abs(offset) >= 1:  # in digital numbers, as the product's own BOA_ADD_OFFSET is
        offset *= scale if scale != 1 else 1e-4
    if scale == 1:
        scale = _scale(numbers)
    light = numbers.astype(np.float64) * scale + offset
    brightest = light.max(axis=0)
    top = float(np.percentile(brightest, 99))
    if fault := _fault(brightest, top, offset):
        raise ModelError(f"{_span(numbers)} are no reflectance {_as(scale, offset, tagged)}: {fault}; {SAY_SO}")
    notes = []
    if top < DIM:
        notes = [f"its reflectance is at most {top:.2g}, as of water and shadow only: if it shows more, {SAY_SO}"]
    if offset == 0 and not stated:
        notes += _offset_left(light, baseline)
    return Encoding(scale, offset, tuple(notes))


def _fault(brightest: np.ndarray, top: float, offset: float) -> str | None:
    """Return why the brightest band of the pixels cannot be reflectance; `top` is its 99th percentile."""
    above = float((brightest > BRIGHTEST).mean())
    if above > MOST_ABOVE:
        return f"{100 * above:.0f} % of the pixels are above 2, as of a picture stretched for the eye"
    if offset > 0.5 * OFFSET:
        return f"the offset adds {offset:g} to all of it, where products take {OFFSET:g} off"
    if offset < 0 and float(np.median(brightest)) <= 0:
        return "most of it is below 0, as if the offset was taken off twice"
    if top < DARK:
        return f"it is at most {top:.2g}, darker than any water, as of per cent or what was scaled twice"
    return None


def _measured(stored: np.ndarray) -> np.ndarray:
    """Return `stored` without what looks like fill, if more is left: no light, 32767 or more, all bands even."""
    lit = (stored > 0).any(axis=0)
    plain = lit & (stored < 32767).all(axis=0)
    uneven = plain & (stored != stored[0]).any(axis=0)
    return stored[:, next((some for some in (uneven, plain) if some.any()), lit)]


def _scale(numbers: np.ndarray) -> float:
    """Return the scale of numbers that no tag explains; raises ModelError for pictures and per cent."""
    values = numbers.astype(np.float64)
    most, top = float(values.max()), float(np.percentile(values.max(axis=0), 99))
    if numbers.dtype.itemsize == 1 or _eight_bits(values, most):
        raise ModelError(f"{_span(numbers)} seem to be a picture of 8 bits, stretched for the eye: {SAY_SO}")
    if numbers.dtype.kind == "f" and top <= BRIGHTEST:
        return 1.0
    whole = float((values == np.round(values)).mean()) > 0.99
    brightest = values[np.argmax(np.median(values, axis=1))]
    # A lake × 10000 may lie between 20 and 150 as well, but all of it, and mostly in whole numbers.
    if not whole and top <= 150 and float(np.percentile(brightest, 1)) <= 20:
        raise ModelError(f"{_span(numbers)} seem to be per cent: divide them by 100, or {SAY_SO}")
    return 1e-4


def _eight_bits(values: np.ndarray, most: float) -> bool:
    """Say whether `values`, which reach `most`, are steps of a byte: to 255 and of wide spread, or of 1/255."""
    if most <= 1:
        return np.allclose(values * 255, np.round(values * 255), atol=1e-3) and np.unique(values).size > 16
    spread = np.ptp(np.percentile(values, (1, 99), axis=1), axis=0).max()
    return 250 <= most <= 255 and bool(spread >= 64)


def _span(numbers: np.ndarray) -> str:
    return f"its numbers ({numbers.min():.6g} to {numbers.max():.6g})"


def _as(scale: float, offset: float, tagged: bool) -> str:
    if tagged:
        return f"by scale {scale:g} and offset {offset:g} of its tags"
    return "in fractions" if scale == 1 else "× 10000"


def _offset_left(light: np.ndarray, baseline: int | None) -> list[str]:
    """Return a note where the darkest pixels of all bands lie as if the offset was in them; raises ModelError."""
    darkest = np.percentile(light, 0.5, axis=1)
    if darkest.min() < 0.95 * OFFSET:
        return []
    found = f"no pixel is darker than {darkest.min():.3f}, as if the offset of 1000 was in it"
    advice = (
        "take 1000 off, or set `gdal_edit.py -scale 0.0001 -offset -0.1 FILE`; if it is none, say so by "
        "`gdal_edit.py -mo reflectance_scale=10000 FILE`"
    )
    if baseline is not None and baseline >= BASELINE:
        raise ModelError(f"its product is of baseline {baseline / 100:05.2f}, and {found}: {advice}")
    if baseline is None and len(light) >= 3 and darkest.max() < 1.4 * OFFSET:
        return [f"{found}: if so, {advice}"]
    return []
