"""From bands to the channels of the network: spectral indices appended, every channel standardised."""

from collections.abc import Sequence

import numpy as np

from models.sensors import SensorSet

RADAR = ("VV", "VH")
TINY = 1e-4


def channels(scene: np.ndarray, sensor_set: SensorSet) -> np.ndarray:
    """Return float32 (channels, H, W) of `scene` (bands, H, W) in the order of the sensor set.

    Reflectance stays as it is, gamma0 (linear power) becomes decibel, indices are computed from reflectance:
    NDVI (Rouse 1974), NDWI (McFeeters 1996), BSI (Rikimaru 2002).
    """
    band = dict(zip(sensor_set.bands, scene.astype(np.float32, copy=False), strict=True))
    planes = [10 * np.log10(np.maximum(band[name], TINY)) if name in RADAR else band[name] for name in sensor_set.bands]
    return np.stack([*planes, *(index(name, band) for name in sensor_set.indices)]).astype(np.float32, copy=False)


def index(name: str, band: dict[str, np.ndarray]) -> np.ndarray:
    """Return index `name` (NDVI, NDWI or BSI) of reflectances `band`, by band name."""
    if name == "NDVI":
        return _difference(band["B08"], band["B04"])
    if name == "NDWI":
        return _difference(band["B03"], band["B08"])
    return _difference(band["B11"] + band["B04"], band["B08"] + band["B02"])


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one - other) / np.maximum(one + other, TINY)


def standardised(planes: np.ndarray, *, valid: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Return `planes` (channels, H, W) with mean 0 and standard deviation 1 as in training; 0 where not `valid`."""
    shape = (-1, 1, 1)
    scaled = (planes - np.reshape(mean, shape)) / np.reshape(std, shape)
    return np.where(valid, np.nan_to_num(scaled), 0).astype(np.float32)
