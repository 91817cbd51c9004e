"""Layout of a mine: where its components come to lie on the terrain, and in which order.

Everything that grows is a field of *progress*: the advance of the pit's front, in pixels since the start,
at which a pixel is reached. The state at any time is then a comparison (`mine.py`).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.simulate.impoundment import Impoundment, diked_cell, no_impoundment, valley_dam
from deploy.simulate.installations import Plant, haul_roads, place, process_plant
from deploy.simulate.landcover import Ground
from deploy.simulate.noise import Field, Mask, distance, fractal, grid
from deploy.simulate.routes import Point
from deploy.simulate.sites import Site
from deploy.simulate.surfaces import Surface
from deploy.simulate.terrain import slope

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
    plant: Plant
    roads: Mask


def layout(rng: np.random.Generator, *, ground: Ground, site: Site, last: float) -> Layout:
    """Lay out the mine of `site`; `last` is the greatest progress that will be asked for."""
    size = ground.dem.shape[0]
    scale = size / 320
    centre = _pit_centre(rng, ground)
    pit = _strip(rng, size, centre, site, scale) if site.strip else _pit(rng, size, centre, site, scale)
    opened, closed, ramp, extent, width, heading = pit
    taken = (opened < last + 12) | _unbuildable(ground)
    dumped, dump_centre = _dump(rng, ground, taken, centre, heading, extent, scale, site.strip)
    if site.strip:
        dumped = np.minimum(dumped, closed)
    taken |= dumped < last + 4
    tailings = _tailings(rng, ground, taken, centre, site, last, scale)
    taken |= distance(tailings.reserved) < 4
    plant = process_plant(rng, ground=ground, taken=taken, centre=centre, extent=extent)
    taken |= plant.yard
    stops = [dump_centre, tailings.access, plant.centre]
    roads = haul_roads(ground=ground, taken=taken, centre=centre, stops=stops)
    ragged = fractal(rng, size, slope=1.7, longest=30) * 2.0
    lead = np.floor((opened + ragged) / CAMPAIGN) * CAMPAIGN - 2.0
    apron = np.minimum(_apron(rng, plant.yard, dumped, tailings, scale), lead)
    return Layout(
        opened=opened,
        cleared=apron,
        closed=closed,
        dumped=dumped,
        greened=_greened(rng, dumped, closed, dump_centre, site),
        ramp=ramp,
        extent=extent,
        width=width,
        tailings=tailings,
        plant=plant,
        roads=roads,
    )


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
    reach += fractal(rng, size, slope=1.6, longest=20) * 0.6
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
    ahead += fractal(rng, size, slope=1.6, longest=18) * 0.5
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
    strip: bool,
) -> tuple[Field, Point]:
    """A waste dump of several lobes beside the pit, off its direction of growth."""
    size = ground.dem.shape[0]
    rows, columns = grid(size)
    away = np.hypot(rows - centre[0], columns - centre[1])
    turn = np.cos(np.arctan2(columns - centre[1], rows - centre[0]) - heading)
    radius = extent * rng.uniform(0.75, 1.0) * (0.5 if strip else 1.0)
    cost = np.abs(away - extent - radius - 8 * scale) / size * 6 + 0.5 * np.maximum(turn, 0)
    spot = place((cost + slope(ground.dem) * 0.4).astype(np.float32), taken=taken, radius=radius * 0.8)
    lobes = [(spot[0] + rng.normal(0, 0.5) * radius, spot[1] + rng.normal(0, 0.5) * radius) for _ in range(5)]
    rims = [np.hypot(rows - r, columns - c) - radius * rng.uniform(0.35, 0.75) for r, c in [spot, *lobes]]
    soft = 5.0 * scale
    rim = -soft * np.log(np.sum([np.exp(-np.clip(r / soft, -30, 30)) for r in rims], axis=0))
    rim += fractal(rng, size, slope=1.7, longest=30) * 1.6 * scale + fractal(rng, size, slope=1.4, longest=12) * 0.35
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


def _apron(rng: np.random.Generator, yard: Mask, dumped: Field, tailings: Impoundment, scale: float) -> Field:
    """Ground stripped around the installations, in ragged patches, ahead of the dump and the pond."""
    size = yard.shape[0]
    patch = fractal(rng, size, slope=2.0, longest=40 * scale + 8)
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
