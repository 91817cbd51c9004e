"""How far a scene lies off another one of the same ground, to a fraction of a pixel, and how it is laid on it. Pure.

`validate` measures the shift of an acquisition, `segment` undoes it, so that the class rasters of all epochs lie on
each other. A shift is (rows, columns) in pixels: what lies at (y, x) in the other scene lies at (y + rows, x + columns)
in this one.
"""

from collections.abc import Iterator

import numpy as np
from scipy import fft, ndimage

from tasks.rasters import Raster
from tasks.records import Acquisition, Shift

LEAST_SIDE = 32
LARGEST_SIDE = 1024
"""Of a larger scene the middle of what both saw is enough."""
LEAST_COMMON = 0.25
"""Least share of a scene, and of each of its quarters, that both saw."""
LEAST_PEAK = 6.0
"""Height of a correlation peak, in standard deviations, below which a shift is not believed."""
LARGEST_ERROR = 0.1
"""Standard error in pixels, from how far the quarters of a scene agree, above which a shift is not believed.

On 634 real pairs of dates years apart 130 shifts are believed, of which one is above 3 pixels (and false).
"""
LEAST_GAIN = 0.01
"""Gain in correlation per pixel, when a shift of more than one is undone, below which it is not believed."""
BLUR = 1.0
"""Gaussian in pixels that quietens the high frequencies, where there is noise and aliasing."""
STEP = 0.02
COARSE = 5
ROUNDS = 5


def measured_shift(
    before: np.ndarray, before_valid: np.ndarray, after: np.ndarray, after_valid: np.ndarray
) -> Shift | None:
    """Return the shift of `after` against `before`, (H, W) with their valid pixels; None: no statement.

    Phase correlation (Kuglin & Hines 1975), its peak sought on a grid of 0.02 pixels by the upsampled Fourier transform
    of Guizar-Sicairos et al. 2008. What was not seen is the same in both and draws the peak towards 0, so `after` is
    moved back and measured again until nothing is left. Ground that changed can raise a chance peak: a shift is
    believed only where three quarters of the scene, each measured by itself, agree, and one of more than a pixel only
    where undoing it makes the scenes more alike.
    """
    common = before_valid & after_valid
    if min(common.shape) < LEAST_SIDE or common.mean() < LEAST_COMMON:
        return None
    window = _middle(common)
    before, before_valid, after, after_valid = (of[window] for of in (before, before_valid, after, after_valid))
    if not _comparable(before, after, before_valid & after_valid):
        return None
    spectrum = _cross_spectrum(before, after, before_valid & after_valid)
    surface = fft.irfft2(spectrum, before.shape)
    peak = np.unravel_index(np.argmax(surface), surface.shape)
    if surface[peak] < LEAST_PEAK * surface.std():
        return None
    whole = [place - size if place > size // 2 else place for place, size in zip(peak, surface.shape, strict=True)]
    shift = _peak_near(spectrum, before.shape, -np.array(whole, float))
    for _ in range(ROUNDS):
        back, back_valid = moved(after, after_valid, -shift)
        both = before_valid & back_valid
        if not _comparable(before, back, both):
            return None
        left = _peak_near(_cross_spectrum(before, back, both), before.shape, np.zeros(2))
        shift += left
        if np.hypot(*left) < 2 * STEP:
            break
    if left.any():
        back, back_valid = moved(after, after_valid, -shift)
    if _standard_error(before, back, back_valid, before_valid) > LARGEST_ERROR:
        return None
    if (size := np.hypot(*shift)) > 1:
        seen = before_valid & back_valid & after_valid
        if likeness(before[seen], back[seen]) - likeness(before[seen], after[seen]) < LEAST_GAIN * size:
            return None
    return float(shift[0]), float(shift[1])


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation of two rows of pixels; 0 where there is nothing to compare."""
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def moved(image: np.ndarray, valid: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `image` (H, W) moved by (rows, columns), and its valid pixels; what comes from outside is not valid.

    By a spline of degree 5: to a network, ground that lower ones dull looks changed.
    """
    if not np.any(by):
        return image.astype(np.float32), valid
    level = np.where(valid, image, image[valid].mean() if valid.any() else 0).astype(np.float32)
    share = ndimage.shift(valid.astype(np.float32), by, order=1)
    return ndimage.shift(level, by, order=5, mode="nearest"), share > 0.99


def aligned(raster: Raster, shift: Shift) -> Raster:
    """Return `raster` laid on what its `shift` was measured against: bands by `moved`, SCL nearest.

    What comes from outside is 0 in all of them, as outside the swath.
    """
    back, inside = -np.array(shift), raster.band("dataMask") > 0
    planes = []
    for name, plane in zip(raster.descriptions, raster.array, strict=True):
        if name == "SCL":
            laid = ndimage.shift(plane, back, order=0)
        else:
            laid, there = moved(plane, inside, back)
        if raster.array.dtype.kind == "u":
            laid = np.clip(np.round(laid), 0, np.iinfo(raster.array.dtype).max)
        planes.append(laid)
    array = (np.stack(planes) * there).astype(raster.array.dtype)
    return Raster(array, raster.descriptions, raster.grid, raster.tags)


def undone(acquisition: Acquisition, least: float) -> Shift | None:
    """Return the shift that is undone before segmentation, in pixels; None: of `least` or less, or not known."""
    shift = acquisition.shift
    return None if shift is None or np.hypot(*shift) <= least else shift


def _middle(common: np.ndarray) -> tuple[slice, slice]:
    """Return the window of at most LARGEST_SIDE² pixels around the middle of `common`."""
    spans = []
    for size, places in zip(common.shape, np.nonzero(common), strict=True):
        side = min(size, LARGEST_SIDE)
        begin = min(max(int(np.median(places)) - side // 2, 0), size - side)
        spans.append(slice(begin, begin + side))
    return spans[0], spans[1]


def _comparable(before: np.ndarray, after: np.ndarray, both: np.ndarray) -> bool:
    return both.mean() >= LEAST_COMMON and before[both].std() > 0 and after[both].std() > 0


def _cross_spectrum(before: np.ndarray, after: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Return the phases of the cross-power spectrum, the high ones quietened: complex (H, W // 2 + 1), as `rfft2`.

    Pixels that not `both` saw are levelled to the mean; a Hann window quietens the edges.
    """
    window = np.hanning(both.shape[0])[:, None] * np.hanning(both.shape[1])[None, :]
    one, other = (fft.rfft2(np.where(both, image - image[both].mean(), 0) * window) for image in (before, after))
    cross = one * np.conj(other)
    quiet = [np.exp(-2 * (np.pi * BLUR * of) ** 2) for of in _frequencies(both.shape)]
    return cross / np.maximum(np.abs(cross), 1e-12) * quiet[0][:, None] * quiet[1][None, :]


def _frequencies(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return fft.fftfreq(shape[0]), fft.rfftfreq(shape[1])


def _peak_near(spectrum: np.ndarray, shape: tuple[int, ...], shift: np.ndarray) -> np.ndarray:
    """Return the shift of the highest point of the correlation within a pixel of `shift`, in steps of STEP.

    The correlation is as smooth as BLUR: the highest of every fifth step leads to it.
    """
    rows, columns = _frequencies(shape)
    both_sides = np.full(len(columns), 2.0)  # `rfft2` leaves out the half that mirrors the other
    both_sides[0] = 1
    if shape[1] % 2 == 0:
        both_sides[-1] = 1
    best = np.zeros(2, int)
    for stride, reach in ((COARSE, 50), (1, COARSE)):
        steps = [np.clip(np.arange(at - reach, at + reach + 1, stride), -50, 50) for at in best]
        across, down = (
            np.exp(-2j * np.pi * np.outer(STEP * of + at, frequencies))
            for of, at, frequencies in zip(steps, shift, (rows, columns), strict=True)
        )
        surface = (across @ spectrum @ (down * both_sides).T).real
        best = np.array(
            [of[at] for of, at in zip(steps, np.unravel_index(np.argmax(surface), surface.shape), strict=True)]
        )
    return shift + STEP * best


def _standard_error(before: np.ndarray, back: np.ndarray, back_valid: np.ndarray, before_valid: np.ndarray) -> float:
    """Return the standard error of a shift that was undone, in pixels, from what is left of it in each quarter.

    The three that agree best count: all of one quarter may have changed.
    """
    both = before_valid & back_valid
    left = np.array([
        _peak_near(_cross_spectrum(before[quarter], back[quarter], both[quarter]), both[quarter].shape, np.zeros(2))
        for quarter in _quarters(both)
        if _comparable(before[quarter], back[quarter], both[quarter])
    ])  # fmt: skip
    if len(left) < 3:
        return np.inf
    off = np.hypot(*(left - np.median(left, axis=0)).T)
    return float(np.hypot(*np.std(left[np.argsort(off)[:3]], axis=0, ddof=1)) / np.sqrt(3))


def _quarters(both: np.ndarray) -> Iterator[tuple[slice, slice]]:
    row, column = (int(np.median(places)) for places in np.nonzero(both))
    for rows in (slice(0, row), slice(row, None)):
        for columns in (slice(0, column), slice(column, None)):
            yield rows, columns
