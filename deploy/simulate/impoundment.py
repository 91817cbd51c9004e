"""Impoundments: tailings behind a dam across a valley that is raised, or in a diked cell on flat ground."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.simulate.noise import Field, Mask, fractal, grid
from deploy.simulate.routes import Point

NEVER = np.float32(1e6)
RISE = 7.0
"""Metres that the level of a full-sized reservoir rises over the time simulated."""


@dataclass
class Impoundment:
    """Progress fields of a tailings facility (size, size); see `layout.Layout`."""

    flooded: Field  # reached by water or tailings
    beached: Field  # reached by the tailings' beach
    raised: Field  # covered by the dam
    crest: Mask  # the dam's crown
    reserved: Mask  # all that it will ever cover
    fan: Field  # streaks of the beach, zero mean
    access: Point


def no_impoundment(size: int, access: Point) -> Impoundment:
    """Return a facility that never comes to be."""
    never, nowhere = np.full((size, size), NEVER, np.float32), np.zeros((size, size), bool)
    return Impoundment(never, never, never, nowhere, nowhere, np.zeros((size, size), np.float32), access)


def valley_dam(
    rng: np.random.Generator, *, dem: Field, taken: Mask, centre: Point, last: float, scale: float
) -> Impoundment | None:
    """Dam the valley that gives a reservoir of fitting size with a short dam; None where there is none.

    Candidate axes stand across the slope of smoothed valley floors; the reservoir is what lies below
    the level, upstream of the axis, connected with its foot.
    """
    smooth = ndimage.gaussian_filter(dem, 5 * scale + 1)
    floor = ndimage.gaussian_filter(dem, 14 * scale + 1) - smooth
    rows, columns = grid(dem.shape[0])
    away = np.hypot(rows - centre[0], columns - centre[1])
    margin = int(16 * scale)
    inner = np.zeros(dem.shape, bool)
    inner[margin:-margin, margin:-margin] = True
    wanted = np.where(inner & ~taken & (away < 130 * scale), floor, -np.inf).ravel()
    pool = np.argsort(-wanted)[: max(60, int(0.12 * wanted.size))]
    best: tuple[float, tuple] | None = None
    for spot in rng.choice(pool, 90, replace=False):
        row, column = divmod(int(spot), dem.shape[0])
        found = _reservoir(dem, smooth, taken, (row, column), scale)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return None if best is None else _filled(rng, dem, *best[1], last=last, scale=scale)


def _reservoir(
    dem: Field, smooth: Field, taken: Mask, foot: tuple[int, int], scale: float
) -> tuple[float, tuple] | None:
    """Return a score and (foot, axis, basin, level) of the reservoir above a dam at `foot`."""
    rows, columns = grid(dem.shape[0])
    reach = int(6 * scale) + 2
    window = smooth[foot[0] - reach : foot[0] + reach + 1, foot[1] - reach : foot[1] + reach + 1]
    down = -np.array([np.gradient(window, axis=0).mean(), np.gradient(window, axis=1).mean()])
    if np.hypot(*down) < 1e-3:
        return None
    down /= np.hypot(*down)
    along = (rows - foot[0]) * down[0] + (columns - foot[1]) * down[1]
    level = dem[foot] + 26.0 * scale
    pool, _ = ndimage.label((dem < level) & (along < 0) & ~taken)
    start = (int(foot[0] - 3 * down[0]), int(foot[1] - 3 * down[1]))
    if pool[start] == 0:
        return None
    basin = pool == pool[start]
    young, _ = ndimage.label(basin & (dem < level - RISE * scale))  # must reach the dam from the start
    if young[start] == 0:
        return None
    edge = basin[:2].any() or basin[-2:].any() or basin[:, :2].any() or basin[:, -2:].any()
    area = basin.sum() / (4500.0 * scale**2)
    length = (basin & (along > -1.5)).sum() / (60.0 * scale)
    leak = ndimage.binary_dilation(basin, iterations=2) & taken
    area_young = (young == young[start]).sum() / basin.sum()
    score = (
        -abs(np.log(area + 1e-3))
        + area_young
        - 0.7 * max(length - 1.0, 0.0)
        - 1.5 * edge
        - 4.0 * leak.sum() / basin.sum()
    )
    return (score, (foot, down, basin, float(level))) if 0.25 < area < 2.6 else None


def _filled(
    rng: np.random.Generator,
    dem: Field,
    foot: tuple[int, int],
    down: np.ndarray,
    basin: Mask,
    level: float,
    *,
    last: float,
    scale: float,
) -> Impoundment:
    size = dem.shape[0]
    rows, columns = grid(size)
    side = (columns - foot[1]) * down[0] - (rows - foot[0]) * down[1]
    along = (rows - foot[0]) * down[0] + (columns - foot[1]) * down[1] + 0.002 * side**2 / scale
    rise = RISE * scale / max(last, 30.0)  # metres of level for each pixel of advance
    surface = level - rise * last
    rough = dem + 0.6 * fractal(rng, size, slope=1.6, longest=30)
    flooded = np.where(basin, (rough - surface) / rise, NEVER)
    ends = basin & (along > -2.5 * scale - 1)
    span = (side > side[ends].min() - 4) & (side < side[ends].max() + 4) if ends.any() else np.zeros_like(basin)
    toe = dem + np.maximum(along, 0) * 3.2
    body = span & (along > -1.6) & (along < 16 * scale + 3) & (dem < level + 6)
    raised = np.where(body, np.minimum((toe - surface - 4.0) / rise, NEVER), NEVER)
    raised = np.where(body & (np.abs(along) < 1.6), -NEVER, raised)
    crest = body & (np.abs(along) < 1.0)
    spigot = _spigot(rng, basin, along)
    beached, fan = _beach(rng, basin, spigot, last)
    reserved = basin | (raised < last + 8)
    return Impoundment(
        flooded.astype(np.float32),
        beached,
        raised.astype(np.float32),
        crest,
        reserved,
        fan,
        (float(foot[0]), float(foot[1])),
    )


def _spigot(rng: np.random.Generator, basin: Mask, along: Field) -> Point:
    """Tailings are let in at the dam or at the far end."""
    inside = np.argwhere(basin)
    order = np.argsort(along[basin])
    index = order[-1 - len(order) // 30] if rng.random() < 0.5 else order[len(order) // 30]
    return float(inside[index][0]), float(inside[index][1])


def _beach(rng: np.random.Generator, basin: Mask, spigot: Point, last: float) -> tuple[Field, Field]:
    """The beach grows as a fan from the spigot; two thirds of the basin are beach at progress 0."""
    size = basin.shape[0]
    rows, columns = grid(size)
    reach = np.hypot(rows - spigot[0], columns - spigot[1]) + 3.0 * fractal(rng, size, slope=1.8, longest=40)
    angle = np.arctan2(columns - spigot[1], rows - spigot[0])
    waves = [rng.normal() * np.cos(angle * k + rng.uniform(0, 6.3)) / k**0.3 for k in (9, 14, 23, 37, 51)]
    streaks = np.sum(waves, axis=0) * np.clip(reach / 12, 0, 1)
    start = np.quantile(reach[basin], rng.uniform(0.45, 0.7))
    beached = np.where(basin, (reach + 0.8 * streaks - start) / 0.35, NEVER)
    return beached.astype(np.float32), (streaks / (streaks.std() + 1e-6)).astype(np.float32)


def diked_cell(
    rng: np.random.Generator, *, dem: Field, taken: Mask, spot: Point, radius: float, last: float
) -> Impoundment:
    """A polygon of dikes on flat ground, with a dividing dike; filled from one corner."""
    size = dem.shape[0]
    rows, columns = grid(size)
    turn = rng.uniform(0, 2 * np.pi) + np.sort(rng.uniform(-0.25, 0.25, 5)) + np.arange(5) * 2 * np.pi / 5
    sides = [
        (rows - spot[0]) * np.cos(a) + (columns - spot[1]) * np.sin(a) - radius * rng.uniform(0.6, 0.85) for a in turn
    ]
    soft = 2.0
    rim = soft * np.log(np.sum(np.exp(np.clip(np.array(sides) / soft, -40, 40)), axis=0))
    rim += 0.5 * fractal(rng, size, slope=1.6, longest=25)
    split = np.abs(sides[0] + radius * 0.75 + 0.1 * sides[1]) < 1.3
    basin = (rim < 0) & ~taken
    dike = (np.abs(rim - 1.2) < 1.9) & ~taken
    raised = np.where(dike | (split & basin), -NEVER, NEVER).astype(np.float32)
    outer = (rim >= 2.0) & (rim < 4.5) & ~taken
    raised = np.where(outer, (rim - 2.5) * last * 0.4, raised)
    flooded = np.where(basin, -NEVER, NEVER).astype(np.float32)
    corner = np.argwhere(basin)[int(np.argmin(sides[0][basin]))] if basin.any() else np.array(spot)
    beached, fan = _beach(rng, basin, (float(corner[0]), float(corner[1])), last) if basin.any() else (flooded, rim * 0)
    crest = (np.abs(rim - 1.2) < 0.8) & dike
    access = place_on(dike, spot)
    return Impoundment(flooded, beached, raised.astype(np.float32), crest, (rim < 4.5) & ~taken, fan, access)


def place_on(mask: Mask, spot: Point) -> Point:
    """Return the first pixel of `mask`, or `spot` where it is empty."""
    cells = np.argwhere(mask)
    return (float(cells[0][0]), float(cells[0][1])) if len(cells) else spot
