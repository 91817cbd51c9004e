"""What is wrong with the values of a band: an offset that was left in, a sudden gain, stripes. Pure.

`validate` measures with it. Each figure is held against what the mine looked like before, since a mine has straight
roads, seasons and haze of its own; without anything to compare with there is no statement. The range of a band is set
in `tasks/suites/sentinel-2.toml`.
"""

from collections.abc import Sequence

import numpy as np

Seen = tuple[np.ndarray, np.ndarray]
"""One band in reflectance, float32 (H, W), and its valid pixels, bool (H, W)."""

OFFSET = 0.1
"""Reflectance that baseline 04.00 and later add (1000 digital numbers) and harmonisation takes away."""

LEAST_PIXELS = 400
"""Pixels seen both times, 4 hectares, below which no gain is told."""
SAMPLE = 5_000
"""Pixels, spread over those that were, by which a gain is told: its percentiles are sure to half a per cent."""
LEAST_LEVEL = 1e-3
"""Reflectance, or difference of two, below which a ratio says nothing."""

LEAST_LINE = 48
"""Valid pixels of a line below which it is not called a stripe: short ones are roads, banks and the rims of pits."""
STRIPE = 0.1
"""By how much of the band's median the pixels of a stripe are brighter, or darker, than those on both sides."""
STRIPE_SHARE = 0.9
"""Share of a line's pixels that must be so: what is on the ground hardly ever runs along all of a line of pixels."""


def offset_left(dark: np.ndarray, dark_before: np.ndarray) -> bool:
    """Say whether every band's dark percentile (B,) rose by the same 0.1: an offset that was not taken away.

    Haze and snow brighten bands unequally; the offset is the same in all.
    """
    rise = dark - dark_before
    return bool(len(rise) and np.all(np.abs(rise - OFFSET) < 0.02) and np.ptp(rise) < 0.015)


def gain(now: Seen, history: Sequence[Seen]) -> float | None:
    """Return the factor, 1 or more, by which a band is brighter or darker than ever before; None: no statement.

    A gain multiplies every pixel, and the contrast (10th to 90th percentile) with them. Haze raises the pixels and
    lowers the contrast, seasons and a growing pit are not the same everywhere: what nine of ten pixels share counts,
    or the ratio of the contrasts where that is smaller, and nothing where the two disagree. Of `history` the date that
    is most alike counts.
    """
    told = [ratio for before in history if (ratio := _log_gain(now, before)) is not None]
    if not told:
        return None
    agree = all(ratio > 0 for ratio in told) or all(ratio < 0 for ratio in told)
    return float(np.exp(min(map(abs, told)))) if agree else 1.0


def _log_gain(now: Seen, before: Seen) -> float | None:
    both = np.flatnonzero(now[1] & before[1])
    if len(both) < LEAST_PIXELS:
        return None
    both = both[:: -(-len(both) // SAMPLE)]
    values, values_before = (np.maximum(band.reshape(-1)[both], LEAST_LEVEL) for band, _ in (now, before))
    contrast, contrast_before = (np.ptp(np.percentile(of, [10, 90])) for of in (values, values_before))
    if contrast_before < LEAST_LEVEL:
        return None
    lower, upper = np.percentile(np.log(values / values_before), [10, 90])
    of_contrast = np.log(max(contrast, LEAST_LEVEL) / contrast_before)
    if lower > 0 and of_contrast > 0:
        return float(min(lower, of_contrast))
    return float(max(upper, of_contrast)) if upper < 0 and of_contrast < 0 else 0.0


def stripes(now: Seen, history: Sequence[Seen]) -> int:
    """Return how many stripes a band has: rows or columns that are dead, or brighter or darker than those beside them.

    Lines next to each other are one stripe. A line that something in `history` shows too, half as clearly, is ground;
    one that nothing there shows because it was not seen is not told. A dead line (0) needs no history.
    """
    if not now[1].any():
        return 0
    lines = (_striped(turned(now), [turned(before) for before in history]) for turned in (_rows, _columns))
    return sum(int((np.diff(of.astype(np.int8), prepend=0) == 1).sum()) for of in lines)


def _rows(seen: Seen) -> Seen:
    return seen


def _columns(seen: Seen) -> Seen:
    return np.ascontiguousarray(seen[0].T), np.ascontiguousarray(seen[1].T)


def _striped(now: Seen, history: Sequence[Seen]) -> np.ndarray:
    """Return bool (H,): rows that are stripes."""
    band, valid = now
    off, _ = _off(now, STRIPE, STRIPE_SHARE)
    if not off.any():
        return np.zeros(len(band), bool)
    dead = ((band == 0) & valid).sum(axis=1) >= STRIPE_SHARE * np.maximum(valid.sum(axis=1), 1)
    known, told = np.zeros_like(off), np.zeros_like(off)
    for before in history:
        was_off, comparable = _off(before, STRIPE / 2, 0.8 * STRIPE_SHARE)
        known |= _beside(was_off)
        told |= comparable
    return np.any(off & (told & ~known | dead), axis=(0, 1))


def _off(seen: Seen, amount: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return bool (2, 2, H) twice: rows that are off, and rows that can be told to be.

    They are held against the rows one and two pixels away on both sides; brighter first, then darker.
    """
    band, valid = seen
    off, told = np.zeros((2, 2, len(band)), bool), np.zeros((2, 2, len(band)), bool)
    least = amount * np.median(band[valid]) if valid.any() else 0.0
    for of_far, far in enumerate((1, 2)):
        if len(band) <= 2 * far:
            continue
        middle = slice(far, -far)
        rise = band[middle] - (band[: -2 * far] + band[2 * far :]) / 2
        comparable = valid[middle] & valid[: -2 * far] & valid[2 * far :]
        pixels = comparable.sum(axis=1)
        told[of_far, :, middle] = pixels >= LEAST_LINE
        enough = share * np.maximum(pixels, 1)
        for of_sign, beyond in enumerate((rise > least, rise < -least)):
            off[of_far, of_sign, middle] = (beyond & comparable).sum(axis=1) >= enough
    return off & told, told


def _beside(off: np.ndarray) -> np.ndarray:
    """Return `off` with the rows next to those that are: scenes lie on each other to a pixel."""
    near = off.copy()
    near[..., 1:] |= off[..., :-1]
    near[..., :-1] |= off[..., 1:]
    return near
