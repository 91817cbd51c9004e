"""Terrain: a fractal elevation model with valleys, its slope, and how the sun lights it."""

from datetime import datetime

import numpy as np
from scipy import ndimage

from deploy.simulate.noise import Field, fractal, grid

PIXEL = 10.0
"""Ground sampling in metres."""


def elevation(rng: np.random.Generator, size: int, *, relief: float) -> Field:
    """Return elevations in metres (size, size): ridges and dendritic valleys between 0 and about `relief`."""
    rows, columns = grid(size)
    bend = size * 0.03
    warp = [fractal(rng, size, slope=2.2, longest=size / 2) * bend for _ in range(2)]
    layers = []
    for octave, weight in ((0.55, 1.0), (0.22, 0.42), (0.09, 0.16)):
        valley = np.abs(fractal(rng, size, slope=2.6, longest=size * octave))
        at = (rows + warp[0] * octave * 2, columns + warp[1] * octave * 2)
        layers.append(weight * ndimage.map_coordinates(valley, at, order=1, mode="reflect"))
    total = np.sum(layers, axis=0) + 0.10 * fractal(rng, size, slope=1.6, longest=size * 0.15)
    low, high = np.quantile(total, [0.005, 0.995])
    return ((total - low) / (high - low) * relief).astype(np.float32)


def slope(dem: Field) -> Field:
    """Return the tangent of the steepest slope."""
    down, across = np.gradient(dem, PIXEL)
    return np.hypot(down, across).astype(np.float32)


def sun(moment: datetime, *, longitude: float, latitude: float) -> tuple[float, float]:
    """Return zenith and azimuth (clockwise from north) of the sun in radians at `moment` (UTC).

    Declination by Cooper (1969); the equation of time is left out.
    """
    day = moment.timetuple().tm_yday
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    solar_hour = moment.hour + moment.minute / 60 + longitude / 15
    angle = np.radians(15 * (solar_hour - 12))
    phi = np.radians(latitude)
    cosine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    east = -np.cos(declination) * np.sin(angle)
    north = np.cos(phi) * np.sin(declination) - np.sin(phi) * np.cos(declination) * np.cos(angle)
    zenith = float(np.arccos(np.clip(cosine, 0.12, 1.0)))
    return zenith, float(np.arctan2(east, north) % (2 * np.pi))


def lighting(dem: Field, *, zenith: float, azimuth: float, diffuse: float = 0.28) -> Field:
    """Return the factor by which slopes are brighter or darker than flat ground (rows run southwards)."""
    south, east = np.gradient(dem, PIXEL)
    toward = np.sin(azimuth) * -east + np.cos(azimuth) * south
    cosine = (np.cos(zenith) + np.sin(zenith) * toward) / np.sqrt(1 + south**2 + east**2)
    factor = diffuse + (1 - diffuse) * np.maximum(cosine, 0.0) / np.cos(zenith)
    return np.clip(factor, 0.22, 1.7).astype(np.float32)
