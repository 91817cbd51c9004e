"""Land cover around a mine: forest, fields, bare ground, river, lake, town and public roads on a terrain."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.simulate.noise import Field, Mask, distance, fractal, grid, threshold_for
from deploy.simulate.routes import Point, draw, route
from deploy.simulate.sites import Biome
from deploy.simulate.surfaces import Surface
from deploy.simulate.terrain import elevation, slope


@dataclass
class Ground:
    """What a site is like without its mine; all arrays (size, size)."""

    dem: Field  # metres
    surface: np.ndarray  # uint8 of Surface
    parcel: Field  # one number 0-1 for each field or block of land
    texture: Field  # slow variation of ground, zero mean, unit deviation
    grain: Field  # pixel-scale variation, zero mean, unit deviation
    strata: Field  # banded variation of rock, zero mean, unit deviation
    town: Point | None


def landcover(rng: np.random.Generator, *, size: int, biome: Biome) -> Ground:
    """Return the ground of a site in `biome`, (size, size) pixels of 10 m."""
    scale = size / 320
    dem = elevation(rng, size, relief=biome.relief * scale)
    river = _river(rng, size) if biome.name != "arid" else np.zeros((size, size), bool)
    away = distance(river)
    dem = np.where(away < 40, np.minimum(dem, dem.min() + 0.8 * away * (1 + away / 40)), dem).astype(np.float32)
    parcel = parcels(rng, size, length=34 * max(scale, 0.5))
    surface = _cover(rng, dem=dem, parcel=parcel, biome=biome)
    surface[river] = Surface.RIVER
    if biome.name in ("temperate", "savanna"):
        surface[_lake(rng, dem, river)] = Surface.LAKE
    town = _town(rng, surface, dem, radius=26 * scale) if biome.town else None
    _public_roads(rng, surface, dem, town)
    return Ground(
        dem=dem,
        surface=surface,
        parcel=parcel,
        texture=fractal(rng, size, slope=1.25, longest=60),
        grain=fractal(rng, size, slope=0.35),
        strata=_strata(rng, size),
        town=town,
    )


def parcels(rng: np.random.Generator, size: int, *, length: float) -> Field:
    """Return blocks of land as a field of one random number 0-1 for each, in rows of unequal width."""
    rows, columns = grid(size)
    angle = rng.uniform(0, np.pi)
    bend = fractal(rng, size, slope=2.4) * length * 0.12
    across = rows * np.cos(angle) + columns * np.sin(angle) + bend
    along = columns * np.cos(angle) - rows * np.sin(angle) + bend
    edges = np.cumsum(rng.uniform(0.35, 1.2, 2 + int(8 * size / length)) * length) - 2 * size
    strip = np.searchsorted(edges, across)
    shift = rng.uniform(0, length, edges.size + 1)[strip]
    block = np.searchsorted(edges * 1.6, along + shift)
    numbers = rng.random((edges.size + 1, edges.size + 1)).astype(np.float32)
    return numbers[strip, block]


def _cover(rng: np.random.Generator, *, dem: Field, parcel: Field, biome: Biome) -> np.ndarray:
    size = dem.shape[0]
    hollow = ndimage.gaussian_filter(dem, 9) - dem
    hollow = hollow / (hollow.std() + 1e-6)
    wild = fractal(rng, size, slope=1.5, longest=size * 0.4)
    owned = (parcel - 0.5) * 3.4
    tidy = 0.6 if biome.fields > 0.3 else 0.35
    wooded = wild * (1 - tidy) + owned * tidy + 0.45 * hollow + 0.25 * slope(dem) / 0.2
    surface = np.full(dem.shape, Surface.GRASS, np.uint8)
    surface[((parcel * 7.31) % 1.0 < biome.fields) & (slope(dem) < 0.22)] = Surface.CROP
    poor = fractal(rng, size, slope=1.4, longest=size * 0.3) - 0.3 * hollow
    bare = poor > threshold_for(poor, biome.bare)
    surface[bare] = Surface.BARE
    steep = slope(dem) + 0.05 * poor
    surface[bare & (steep > 0.30)] = Surface.ROCK
    surface[wooded > threshold_for(wooded, biome.forest)] = Surface.FOREST
    return surface


def _river(rng: np.random.Generator, size: int) -> Mask:
    """Return a meandering river along one side."""
    across = np.arange(-20, size + 20, 0.25)
    meander = np.interp(across, np.arange(-20, size + 21, 14), rng.normal(0, 1, 200)[: (size + 54) // 14])
    meander = ndimage.gaussian_filter1d(meander, 30)
    offset = size * rng.uniform(0.05, 0.14) + meander * size * 0.035 + 0.06 * across * rng.uniform(-1, 1)
    channel = draw(np.stack([offset, across], axis=1), size=size, width=rng.uniform(3.5, 7.0) * (size / 320) ** 0.5)
    return np.ascontiguousarray(np.rot90(channel, int(rng.integers(4))))


def _lake(rng: np.random.Generator, dem: Field, river: Mask) -> Mask:
    size = dem.shape[0]
    rows, columns = grid(size)
    corner = (rng.choice([0.1, 0.9]) * size, rng.choice([0.1, 0.9]) * size)
    reach = np.hypot(rows - corner[0], columns - corner[1]) / size
    level = (dem - dem.min()) / np.ptp(dem) + 2.2 * reach + 0.03 * fractal(rng, size)
    return (level < threshold_for(-level, 0.012) * -1) & (distance(river) > 6)


def _town(rng: np.random.Generator, surface: np.ndarray, dem: Field, *, radius: float) -> Point:
    size = dem.shape[0]
    rows, columns = grid(size)
    spots = np.array([(r, c) for r in (0.1, 0.5, 0.9) for c in (0.1, 0.5, 0.9) if (r, c) != (0.5, 0.5)]) * size
    flatness = ndimage.uniform_filter(slope(dem), int(radius) | 1)
    price = [flatness[int(r), int(c)] + rng.uniform(0, 0.1) for r, c in spots]
    centre = spots[int(np.argmin(price))]
    reach = np.hypot(rows - centre[0], columns - centre[1]) + fractal(rng, size, slope=1.5, longest=30) * radius * 0.3
    dry = ~np.isin(surface, (Surface.RIVER, Surface.LAKE))
    angle = rng.uniform(0, np.pi / 2)
    u = rows * np.cos(angle) + columns * np.sin(angle)
    v = columns * np.cos(angle) - rows * np.sin(angle)
    street = (np.mod(u, 7) < 1.3) | (np.mod(v, 11) < 1.3)
    built = rng.choice([Surface.ROOF, Surface.TILE, Surface.TILE, Surface.GARDEN, Surface.GARDEN], (size, size))
    inside = (reach < radius) & dry
    surface[inside] = np.where(street, Surface.ASPHALT, built)[inside]
    return float(centre[0]), float(centre[1])


def _public_roads(rng: np.random.Generator, surface: np.ndarray, dem: Field, town: Point | None) -> None:
    """Draw a highway through the town (or past the mine) and two farm tracks."""
    size = dem.shape[0]
    cost = 1 + (slope(dem) * 14) ** 2 + np.isin(surface, (Surface.RIVER, Surface.LAKE)) * 12
    ends = [(0.0, rng.uniform(0.1, 0.9) * size), (size - 1.0, rng.uniform(0.1, 0.9) * size)]
    ends += [(rng.uniform(0.1, 0.9) * size, 0.0), (rng.uniform(0.1, 0.9) * size, size - 1.0)]
    rng.shuffle(ends)
    middle = town or (size * float(rng.choice([0.12, 0.88])), size * 0.5)
    for end in ends[2:]:
        surface[draw(route(cost, end, middle), size=size, width=2.0)] = Surface.TRACK
    for end in ends[:2]:
        surface[draw(route(cost, end, middle), size=size, width=2.0)] = Surface.ASPHALT


def _strata(rng: np.random.Generator, size: int) -> Field:
    """Return bent bands, as layered rock shows where it is cut."""
    rows, columns = grid(size)
    angle = rng.uniform(0, np.pi)
    across = rows * np.cos(angle) + columns * np.sin(angle) + 7 * fractal(rng, size, slope=1.9, longest=90)
    bands = np.sin(across / rng.uniform(4, 9)) + 0.8 * fractal(rng, size, slope=1.1, longest=30)
    return ((bands - bands.mean()) / bands.std()).astype(np.float32)
