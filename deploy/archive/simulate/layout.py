"""Layout of a mine: where its components come to lie on the terrain, and in which order.

Everything that grows is a field of *progress*: the advance of the pit's front, in pixels since the start,
at which a pixel is reached. The state at any time is then a comparison (`mine.py`).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.archive.simulate.impoundment import Impoundment, diked_cell, no_impoundment, valley_dam
from deploy.archive.simulate.landcover import Ground
from deploy.archive.simulate.noise import Field, Mask, distance, fractal, grid
from deploy.archive.simulate.routes import Point, draw, route, straight
from deploy.archive.simulate.sites import Site
from deploy.archive.simulate.surfaces import Surface
from deploy.archive.simulate.terrain import slope

NEVER = np.float32(1e6)
CAMPAIGN = 7.0
"""Pixels of advance that are cleared at a time, ahead of the digging."""


@dataclass
class Layout:
    """Progress fields (pixels of advance) and fixed installations, each (size, size)."""

    opened: Field  # reached by the pit
    cleared: Field  # stripped of vegetation
    closed: Field  # backfilled (strip mines)
    dumped: Field  # covered by the waste dump
    greened: Field  # revegetated
    ramp: Field  # angle around the pit, in turns; the ramp winds down with it
    extent: float  # pixels from the centre (or the last wall) to the front at progress 0
    width: float  # pixels from the front to the backfilled side (strip mines), else 0
    tailings: Impoundment
    yard: Mask
    shed: Mask
    piles: Field  # share 0-1 of its full size at which a stockpile covers the pixel
    fines: Mask  # where piles are of dark fines
    ponds: Mask
    roads: Mask


def layout(rng: np.random.Generator, *, ground: Ground, site: Site, last: float) -> Layout:
    """Lay out the mine of `site`; `last` is the greatest progress that will be asked for."""
    size = ground.dem.shape[0]
    scale = size / 320
    centre = _pit_centre(rng, ground)
    pit = _strip(rng, size, centre, site, scale) if site.strip else _pit(rng, size, centre, site, scale)
    opened, closed, ramp, extent, width, heading = pit
    taken = (opened < last + 12) | _unbuildable(ground)
    dumped, dump_centre = _dump(rng, ground, taken, centre, heading, extent, scale)
    if site.strip:
        dumped = np.minimum(dumped, closed)
    taken |= dumped < last + 4
    tailings = _tailings(rng, ground, taken, centre, site, last, scale)
    taken |= distance(tailings.reserved) < 4
    yard, shed, piles, fines, ponds, plant = _plant(rng, ground, taken, centre, extent, scale)
    taken |= yard
    stops = [dump_centre, tailings.access, plant]
    roads = _roads(rng, ground, taken, centre, stops, scale)
    ragged = fractal(rng, size, slope=1.2, longest=24) * 1.6
    lead = np.floor((opened + ragged) / CAMPAIGN) * CAMPAIGN - 2.0
    apron = np.minimum(_apron(rng, yard, dumped, tailings, scale), lead)
    return Layout(
        opened=opened, cleared=apron, closed=closed, dumped=dumped,
        greened=_greened(rng, dumped, closed, dump_centre, site),
        ramp=ramp, extent=extent, width=width, tailings=tailings, yard=yard, shed=shed, piles=piles,
        fines=fines, ponds=ponds, roads=roads,
    )  # fmt: skip


def place(cost: Field, *, taken: Mask, radius: float) -> Point:
    """Return the cheapest point at least `radius` from anything taken and from the border of the scene."""
    framed = np.pad(taken, 1, constant_values=True)
    free = distance(framed)[1:-1, 1:-1]
    crowded = np.maximum(radius - free, 0.0)
    at = np.unravel_index(np.argmin(cost + 10.0 * crowded), cost.shape)
    return float(at[0]), float(at[1])


def _unbuildable(ground: Ground) -> Mask:
    built = (Surface.RIVER, Surface.LAKE, Surface.ROOF, Surface.TILE, Surface.ASPHALT, Surface.GARDEN)
    return np.isin(ground.surface, built)


def _pit_centre(rng: np.random.Generator, ground: Ground) -> Point:
    """Ore crops out on high ground near the middle, off town and water."""
    size = ground.dem.shape[0]
    rows, columns = grid(size)
    off = np.hypot(rows - size / 2, columns - size / 2) / size
    height = ndimage.gaussian_filter(ground.dem, size / 25) / (np.ptp(ground.dem) + 1e-6)
    return place(6 * off**1.5 - height, taken=_unbuildable(ground), radius=size * 0.1)


def _pit(rng: np.random.Generator, size: int, centre: Point, site: Site, scale: float) -> tuple:
    """An open pit that is pushed back towards one side."""
    rows, columns = grid(size)
    down, across = rows - centre[0], columns - centre[1]
    axis, stretch = rng.uniform(0, np.pi), rng.uniform(1.1, 1.7)
    u = (down * np.cos(axis) + across * np.sin(axis)) / stretch**0.5
    v = (across * np.cos(axis) - down * np.sin(axis)) * stretch**0.5
    reach = np.hypot(u, v) + fractal(rng, size, slope=2.0, longest=70 * scale + 10) * 4.5 * scale
    reach += fractal(rng, size, slope=1.3, longest=16) * 0.7
    extent = site.pit_radius * scale
    heading = rng.uniform(0, 2 * np.pi)
    turn = np.cos(np.arctan2(across, down) - heading)
    gain = np.clip(0.04 + 1.1 * np.maximum(turn, 0.0) ** 1.5, 0.04, 1.0)
    beyond = reach - extent
    opened = np.where(beyond > 0, beyond / gain, beyond).astype(np.float32)
    ramp = (np.arctan2(v, u) / (2 * np.pi)) % 1.0
    return opened, np.full_like(opened, NEVER), ramp.astype(np.float32), extent, 0.0, heading


def _strip(rng: np.random.Generator, size: int, centre: Point, site: Site, scale: float) -> tuple:
    """A strip pit: a long face that advances over the ground and is backfilled behind."""
    rows, columns = grid(size)
    heading = rng.uniform(0, 2 * np.pi)
    down, across = rows - centre[0], columns - centre[1]
    ahead = down * np.cos(heading) + across * np.sin(heading)
    aside = across * np.cos(heading) - down * np.sin(heading)
    ahead = ahead + fractal(rng, size, slope=2.0, longest=80) * 2.5 * scale + 0.0006 / scale * aside**2
    ahead += fractal(rng, size, slope=1.2, longest=14) * 0.5
    half, width = site.pit_radius * scale * 0.9, 24.0 * scale
    rim = np.abs(aside + 5 * scale * fractal(rng, size, slope=2.0, longest=60)) > half
    opened = np.where(rim | (ahead < -site.pit_radius * scale * 1.2), NEVER, ahead)
    closed = np.where(opened < NEVER, opened + width, NEVER)
    return opened.astype(np.float32), closed.astype(np.float32), aside / (2 * half), half, width, heading


def _dump(
    rng: np.random.Generator,
    ground: Ground,
    taken: Mask,
    centre: Point,
    heading: float,
    extent: float,
    scale: float,
) -> tuple[Field, Point]:
    """A waste dump of several lobes beside the pit, off its direction of growth."""
    size = ground.dem.shape[0]
    rows, columns = grid(size)
    away = np.hypot(rows - centre[0], columns - centre[1])
    turn = np.cos(np.arctan2(columns - centre[1], rows - centre[0]) - heading)
    radius = extent * rng.uniform(0.75, 1.0)
    cost = np.abs(away - extent - radius - 8 * scale) / size * 6 + 0.5 * np.maximum(turn, 0)
    spot = place((cost + slope(ground.dem) * 0.4).astype(np.float32), taken=taken, radius=radius * 0.8)
    lobes = [(spot[0] + rng.normal(0, 0.5) * radius, spot[1] + rng.normal(0, 0.5) * radius) for _ in range(5)]
    rims = [np.hypot(rows - r, columns - c) - radius * rng.uniform(0.35, 0.75) for r, c in [spot, *lobes]]
    soft = 5.0 * scale
    rim = -soft * np.log(np.sum([np.exp(-np.clip(r / soft, -30, 30)) for r in rims], axis=0))
    rim += (
        fractal(rng, size, slope=1.7, longest=30) * 1.6 * scale
        + fractal(rng, size, slope=1.0, longest=9) * 0.4
    )
    near = distance(taken) < 2
    return np.where(near, NEVER, rim / 0.45).astype(np.float32), spot


def _tailings(
    rng: np.random.Generator,
    ground: Ground,
    taken: Mask,
    centre: Point,
    site: Site,
    last: float,
    scale: float,
) -> Impoundment:
    if not site.cells:
        dam = valley_dam(rng, dem=ground.dem, taken=taken, centre=centre, last=last, scale=scale)
        if dam is not None:
            return dam
    size = ground.dem.shape[0]
    rows, columns = grid(size)
    away = np.hypot(rows - centre[0], columns - centre[1]) / size
    radius = 30.0 * scale
    spot = place(slope(ground.dem) * 4 + np.abs(away - 0.3), taken=taken, radius=radius * 1.1)
    if taken[int(spot[0]), int(spot[1])]:
        return no_impoundment(size, spot)
    return diked_cell(rng, dem=ground.dem, taken=taken, spot=spot, radius=radius, last=last)


def _plant(
    rng: np.random.Generator, ground: Ground, taken: Mask, centre: Point, extent: float, scale: float
) -> tuple[Mask, Mask, Field, Mask, Mask, Point]:
    """Yard with sheds, conveyor, stockpiles in a row, and two process ponds."""
    size = ground.dem.shape[0]
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
    shed = np.zeros((size, size), bool)
    for _ in range(14):
        at = (rng.uniform(-0.85, 0.2) * length, rng.uniform(-0.8, 0.8) * depth)
        sides = (rng.uniform(0.9, 3.2) * scale**0.5, rng.uniform(0.7, 1.6) * scale**0.5)
        shed |= (np.abs(u - at[0]) < sides[0]) & (np.abs(v - at[1]) < sides[1])
    shed |= (np.abs(v - 0.15 * depth) < 0.6) & (np.abs(u) < 0.8 * length)
    piles, fines = np.full((size, size), np.inf, np.float32), np.zeros((size, size), bool)
    for number, along in enumerate((0.36, 0.66, 0.95)):
        mound = np.hypot((u - along * length) / 3.4, (v + rng.uniform(-0.2, 0.2) * depth) / 9.0) / scale
        mound += 0.12 * ragged / scale
        fines |= (mound < piles) & (number % 2 == 1)
        piles = np.minimum(piles, mound.astype(np.float32))
    apart = [
        np.maximum(np.abs(u + s * length * 0.4) - 5 * scale, np.abs(v - depth * 1.6) - 3.6 * scale)
        for s in (1, -0.2)
    ]
    ponds = (np.minimum(*apart) + 0.4 * ragged < 0) & ~taken
    return yard & ~ponds, shed & yard, piles, fines, ponds, spot


def _roads(
    rng: np.random.Generator, ground: Ground, taken: Mask, centre: Point, stops: list[Point], scale: float
) -> Mask:
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


def _apron(rng: np.random.Generator, yard: Mask, dumped: Field, tailings: Impoundment, scale: float) -> Field:
    """Ground stripped around the installations, in ragged patches, ahead of the dump and the pond."""
    size = yard.shape[0]
    patch = fractal(rng, size, slope=1.6, longest=40 * scale + 8)
    around = distance(yard) < 3 * scale + 3.5 * scale * np.maximum(patch, 0)
    early = np.where(around, -NEVER, NEVER)
    toe = np.where(patch > 0.1, dumped - 9.0, NEVER)
    shore = np.where(patch > -0.3, tailings.flooded - 6.0, NEVER)
    borrow = (distance(tailings.raised < NEVER) < 5 * scale * np.maximum(patch, 0)) & ~tailings.reserved
    return np.minimum.reduce([early, toe, shore, np.where(borrow, -NEVER, NEVER)]).astype(np.float32)


def _greened(rng: np.random.Generator, dumped: Field, closed: Field, spot: Point, site: Site) -> Field:
    """Revegetation follows: the oldest sector of the dump, and strips well behind the front."""
    size = dumped.shape[0]
    rows, columns = grid(size)
    if site.strip:
        lag = 34.0 * size / 320 + 2.5 * fractal(rng, size, slope=1.8, longest=40)
        behind = np.where(closed < NEVER, np.floor((closed + lag) / 5.0) * 5.0, NEVER)
        return behind.astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    turn = (rows - spot[0]) * np.cos(angle) + (columns - spot[1]) * np.sin(angle)
    ragged = turn + 5 * size / 320 * fractal(rng, size, slope=1.7, longest=40)
    return np.where(
        dumped < NEVER, np.maximum(np.floor((22 * size / 320 - ragged) / 3) * 3, dumped + 25), NEVER
    ).astype(np.float32)
