"""Augmentation: what may differ between two looks at the same ground without changing its labels. Pure.

All of it works on reflectance (radar: linear gamma0), float32 (bands, H, W), before indices and standardisation.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from models.channels import RADAR
from models.labels import NODATA
from models.sensors import WAVELENGTHS

SUN, BAND = 0.10, 0.03
"""Spread of brightness, as a share: common to all bands (sun, season, slope), and of each band (season, sensor)."""

PATH_AT_490 = 0.075
"""Reflectance of the clear air at 490 nm, which top-of-atmosphere scenes (L1C) have on top of surface scenes (L2A)."""

CLOUD = 0.35
"""Reflectance of thin cloud."""


def air(bands: Sequence[str]) -> np.ndarray:
    """Return float32 (bands,): reflectance of clear air, by Rayleigh's law (wavelength to the power of -4)."""
    return np.array([PATH_AT_490 * (490 / WAVELENGTHS[b]) ** 4 if b in WAVELENGTHS else 0 for b in bands], np.float32)


def surface(scene: np.ndarray, *, bands: Sequence[str], share: float = 1) -> np.ndarray:
    """Return top-of-atmosphere `scene` as surface reflectance under clear air at a zenith sun; 0 stays 0.

    Path radiance is taken off and the rest divided by the transmittance there and back, exp(-1.04 t) for the optical
    depth t of clear air (Tanré et al. 1979; t = 0.155 at 490 nm, Hansen and Travis 1974). Radar stays as it is.
    Of the air that `share` is taken off; below 0 some is added.
    """
    path = share * air(bands)[:, None, None]
    there_and_back = np.exp(-1.04 * 0.155 / PATH_AT_490 * path)
    return np.where(scene != 0, np.maximum((scene - path) / there_and_back, 1e-4), 0).astype(np.float32)


def window(
    scene: np.ndarray, labels: np.ndarray, *, side: int, around: int | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a random window (side, side): half of them as they are, half at 0.75 to 1.35 times their resolution.

    Labels are resampled by nearest neighbour.
    With `around` it lies about a pixel of that class, which must occur: rare components are seen more often.
    """
    height, width = labels.shape
    zoom = 1.0 if rng.random() < 0.5 else float(np.exp(rng.uniform(np.log(0.75), np.log(1.35))))
    large = min(round(side / zoom), height, width)
    if around is None:
        top, left = (int(rng.integers(0, length - large + 1)) for length in (height, width))
    else:
        rows, columns = np.nonzero(labels == around)
        i = rng.integers(len(rows))
        jitter = rng.integers(-large // 3, large // 3 + 1, 2)
        top = int(np.clip(rows[i] + jitter[0] - large // 2, 0, height - large))
        left = int(np.clip(columns[i] + jitter[1] - large // 2, 0, width - large))
    part = (slice(top, top + large), slice(left, left + large))
    if large == side:
        return scene[:, *part], labels[part]
    seen = torch.from_numpy(np.ascontiguousarray(scene[:, *part]))[None]
    known = torch.from_numpy(np.ascontiguousarray(labels[part]))[None, None].float()
    seen = functional.interpolate(seen, (side, side), mode="bilinear", align_corners=False, antialias=True)
    known = functional.interpolate(known, (side, side), mode="nearest-exact")
    return seen[0].numpy(), known[0, 0].numpy().astype(np.uint8)


def turned(scene: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return one of the eight turns and mirrorings of both arrays."""
    quarter = int(rng.integers(4))
    scene, labels = np.rot90(scene, quarter, axes=(1, 2)), np.rot90(labels, quarter)
    if rng.random() < 0.5:
        scene, labels = scene[:, :, ::-1], labels[:, ::-1]
    return np.ascontiguousarray(scene), np.ascontiguousarray(labels)


def patched(
    scene: np.ndarray, labels: np.ndarray, other: np.ndarray, of_other: np.ndarray, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return `scene` and `labels` with a rectangle, a quarter to three quarters of each side, of the other two in them.

    CutMix (Yun et al. 2019; for segmentation French et al. 2020): a network that cannot count on the surroundings
    learns its few sites by heart less soon.
    """
    extent = [int(rng.integers(length // 4, 3 * length // 4 + 1)) for length in labels.shape]
    start = [int(rng.integers(length - part + 1)) for length, part in zip(labels.shape, extent, strict=True)]
    part = tuple(slice(first, first + length) for first, length in zip(start, extent, strict=True))
    scene, labels = scene.copy(), labels.copy()
    scene[:, *part], labels[part] = other[:, *part], of_other[part]
    return scene, labels


def observed_anew(scene: np.ndarray, *, bands: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Return `scene` as it may look on another day; where all bands are 0 nothing is seen, and stays so.

    Optical bands: the air taken off (surface reflectance) or some more of it, the sun's and the
    season's gain, now and then uneven light, a veil of thin cloud, or a coarser resolution, and noise. Radar: gain
    and speckle.
    """
    valid = (scene != 0).any(axis=0)
    radar = np.array([band in RADAR for band in bands])[:, None, None]
    seen = scene.astype(np.float32)
    if rng.random() < 0.5:
        seen = surface(seen, bands=bands, share=float(rng.uniform(-0.3, 1)))
    gain = np.exp(rng.normal(0, SUN) + rng.normal(0, BAND, len(bands))).astype(np.float32)
    seen *= gain[:, None, None]
    shape = scene.shape[1:]
    if rng.random() < 0.2:
        seen = np.where(radar, seen, seen * np.exp(_smooth(shape, rng=rng) * 0.15))
    if rng.random() < 0.1:
        veil = np.clip(_smooth(shape, rng=rng), 0, 1) * 0.3
        seen = np.where(radar, seen, seen * (1 - veil) + CLOUD * veil)
    if rng.random() < 0.1:
        seen = np.where(radar, seen, _coarse(seen, by=int(rng.integers(2, 4))))
    noise = rng.standard_normal(scene.shape, np.float32)
    seen += np.where(radar, 0.1 * seen, 0.0015) * noise
    return np.where(valid, np.maximum(seen, 1e-4), 0).astype(np.float32)


def clouded(
    scene: np.ndarray, labels: np.ndarray, *, bands: Sequence[str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return `scene` and `labels` with a cloud and its shadow over a part, or with a part that was not seen (0).

    What lies under the cloud is 255: the network has nothing to say there, and learns that a cloud beside it makes no
    ground a mine. The shadow, and the cloud's thin rim, keep their labels. Radar sees through.
    """
    shape = labels.shape
    bumps = _smooth(shape, rng=rng, count=int(rng.integers(4, 13)))
    thick = np.clip(3 * (bumps - np.quantile(bumps, rng.uniform(0.6, 0.95))), 0, 1)
    if rng.random() < 0.3:
        hole = thick > 0.3
        return np.where(hole, 0, scene).astype(np.float32), np.where(hole, NODATA, labels).astype(np.uint8)
    shadow = 1 - rng.uniform(0.3, 0.7) * ndimage.shift(thick, rng.integers(-40, 41, 2), order=0)
    white = rng.uniform(0.3, 0.7) * np.exp(rng.normal(0, 0.03, (len(bands), 1, 1)))
    seen = scene * shadow * (1 - thick) + white * thick
    radar = np.array([band in RADAR for band in bands])[:, None, None]
    seen = np.where(radar | (scene == 0).all(axis=0), scene, seen)
    covered = (thick > 0.4) & (not radar.all())
    return seen.astype(np.float32), np.where(covered, NODATA, labels).astype(np.uint8)


def _smooth(shape: tuple[int, ...], *, rng: np.random.Generator, count: int = 4) -> np.ndarray:
    """Return float32 `shape`: noise of `count` bumps a side of the window, of about -1 to 1."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, count, count), np.float32))
    return np.asarray(functional.interpolate(coarse, shape, mode="bicubic", align_corners=True)[0, 0])


def _coarse(scene: np.ndarray, *, by: int) -> np.ndarray:
    """Return `scene` as a sensor of `by` times coarser pixels sees it, on the same grid."""
    seen = torch.from_numpy(scene.astype(np.float32))[None]
    fewer = [max(1, round(length / by)) for length in scene.shape[1:]]
    blurred = functional.interpolate(seen, fewer, mode="bilinear", align_corners=False, antialias=True)
    return np.asarray(functional.interpolate(blurred, scene.shape[1:], mode="bilinear", align_corners=False)[0])
