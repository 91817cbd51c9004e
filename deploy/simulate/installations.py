"""Installations of a mine: the plant with its stockpiles and ponds, and the haul roads between the parts.

They are placed on the terrain for `layout.py` and stay where they are.
"""

from dataclasses import dataclass

import numpy as np

from deploy.simulate.landcover import Ground
from deploy.simulate.noise import Field, Mask, distance, fractal, grid
from deploy.simulate.routes import Point, draw, route, straight
from deploy.simulate.surfaces import Surface
from deploy.simulate.terrain import slope


@dataclass
class Plant:
    """The plant's parts, each (size, size)."""

    yard: Mask
    shed: Mask
    piles: Field  # share of its full size at which a stockpile covers the pixel
    fines: Mask  # where piles are of dark fines
    ponds: Mask
    centre: Point


def place(cost: Field, *, taken: Mask, radius: float) -> Point:
    """Return the cheapest point at least `radius` from anything taken and from the border of the scene."""
    framed = np.pad(taken, 1, constant_values=True)
    free = distance(framed)[1:-1, 1:-1]
    crowded = np.maximum(radius - free, 0.0)
    at = np.unravel_index(np.argmin(cost + 10.0 * crowded), cost.shape)
    return float(at[0]), float(at[1])


def process_plant(rng: np.random.Generator, *, ground: Ground, taken: Mask, centre: Point, extent: float) -> Plant:
    """Yard with sheds, conveyor, stockpiles in a row, and two process ponds."""
    size = ground.dem.shape[0]
    scale = size / 320
    rows, columns = grid(size)
    away = np.hypot(rows - centre[0], columns - centre[1]) - extent
    length, depth = 24 * scale, 12 * scale
    cost = np.abs(away - 34 * scale) / size * 4 + slope(ground.dem) * 3
    spot = place(cost.astype(np.float32), taken=taken, radius=length * 0.75)
    angle = rng.uniform(0, np.pi)
    u = (rows - spot[0]) * np.cos(angle) + (columns - spot[1]) * np.sin(angle)
    v = (columns - spot[1]) * np.cos(angle) - (rows - spot[0]) * np.sin(angle)
    ragged = fractal(rng, size, slope=1.5, longest=20) * 1.5 * scale
    yard = (np.abs(u) + ragged < length) & (np.abs(v) + ragged < depth) & ~taken
    shed = _sheds(rng, u, v, length=length, depth=depth)
    piles, fines = _stockpiles(rng, u, v, length=length, depth=depth, ragged=ragged)
    apart = [
        np.maximum(np.abs(u + s * length * 0.4) - 5 * scale, np.abs(v - depth * 1.6) - 3.6 * scale) for s in (1, -0.2)
    ]
    ponds = (np.minimum(*apart) + 0.4 * ragged < 0) & ~taken
    return Plant(yard & ~ponds, shed & yard, piles, fines, ponds, spot)


def _sheds(rng: np.random.Generator, u: Field, v: Field, *, length: float, depth: float) -> Mask:
    """Sheds of unequal size along the axes of the yard, and a conveyor."""
    scale = length / 24
    shed = np.zeros(u.shape, bool)
    for _ in range(14):
        at = (rng.uniform(-0.85, 0.2) * length, rng.uniform(-0.8, 0.8) * depth)
        sides = (rng.uniform(0.9, 3.2) * scale**0.5, rng.uniform(0.7, 1.6) * scale**0.5)
        shed |= (np.abs(u - at[0]) < sides[0]) & (np.abs(v - at[1]) < sides[1])
    shed |= (np.abs(v - 0.15 * depth) < 0.6) & (np.abs(u) < 0.8 * length)
    return shed


def _stockpiles(
    rng: np.random.Generator, u: Field, v: Field, *, length: float, depth: float, ragged: Field
) -> tuple[Field, Mask]:
    """Three long piles in a row at the end of the yard; every second one is of fines."""
    scale = length / 24
    piles, fines = np.full(u.shape, np.inf, np.float32), np.zeros(u.shape, bool)
    for number, along in enumerate((0.36, 0.66, 0.95)):
        mound = np.hypot((u - along * length) / 4.2, (v + rng.uniform(-0.2, 0.2) * depth) / 11.0) / scale
        mound += 0.12 * ragged / scale
        fines |= (mound < piles) & (number % 2 == 1)
        piles = np.minimum(piles, mound.astype(np.float32))
    return piles, fines


def haul_roads(*, ground: Ground, taken: Mask, centre: Point, stops: list[Point]) -> Mask:
    """Haul and service roads from the pit to every stop, and from the plant to the nearest public road."""
    size = ground.dem.shape[0]
    cost = 1 + (slope(ground.dem) * 12) ** 2 + taken * 8.0
    mask = np.zeros((size, size), bool)
    for stop in stops:
        mask |= draw(route(cost, centre, stop), size=size, width=2.7)
    mask |= draw(route(cost, stops[2], stops[1]), size=size, width=2.2)
    public = np.argwhere(ground.surface == Surface.ASPHALT)
    if len(public):
        nearest = public[np.argmin(np.hypot(*(public - np.array(stops[2])).T))]
        way = route(cost, stops[2], (float(nearest[0]), float(nearest[1])))
        mask |= draw(way if len(way) > 4 else straight(stops[2], centre), size=size, width=2.2)
    return mask & ~np.isin(ground.surface, (Surface.ASPHALT, Surface.RIVER, Surface.LAKE))
