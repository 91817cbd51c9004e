"""The mine at one moment: surfaces, relief and moisture, from its layout and its progress."""

from dataclasses import dataclass

import numpy as np

from deploy.simulate.landcover import Ground
from deploy.simulate.layout import NEVER, Layout
from deploy.simulate.noise import Field, Mask, distance
from deploy.simulate.surfaces import LABEL_OF, Surface

BENCH = 3.0
"""Width of a bench or terrace in pixels."""


@dataclass
class State:
    """A site at one moment; all arrays (size, size)."""

    surface: np.ndarray  # uint8 of Surface
    dem: Field  # metres, with pits, dumps and ponds
    moisture: Field  # 0-1, share of the wet (second) material of tailings and ponds
    edges: Field  # bench and terrace edges: negative dark faces, positive bright berms

    @property
    def truth(self) -> np.ndarray:
        """The class raster (size, size) uint8: components 1-10, background 0."""
        return LABEL_OF[self.surface]


def state(*, ground: Ground, plan: Layout, progress: float, wet: float, stock: float) -> State:
    """Return the site at `progress`; `wet` -1..1 moves water levels, `stock` 0-1 fills the piles."""
    surface = ground.surface.copy()
    dug = (plan.opened <= progress) & (plan.closed > progress)
    heaped = (plan.dumped <= progress) & ~dug
    surface[(plan.cleared <= progress) & ~_water(surface)] = Surface.CLEARED
    surface[heaped] = Surface.DUMP
    surface[heaped & (plan.greened <= progress)] = Surface.RECLAIMED
    _installations(surface, plan, progress, stock)
    depth, deepest = _depth(dug, plan)
    _impound(surface, plan, progress, wet)
    _dig(surface, ground, plan, dug=dug, depth=depth, deepest=deepest, wet=wet)
    height = np.where(surface == Surface.DUMP, distance(~heaped), 0) if heaped.any() else np.zeros_like(depth)
    height = np.where(heaped, distance(~heaped), height)
    rise, edges = _terraces(depth, np.minimum(height, 12.0), plan, progress, dug=dug, heaped=heaped)
    return State(surface, _relief(ground, plan, surface, rise, progress), _moisture(ground, plan, progress), edges)


def _water(surface: np.ndarray) -> Mask:
    return (surface == Surface.RIVER) | (surface == Surface.LAKE)


def _installations(surface: np.ndarray, plan: Layout, progress: float, stock: float) -> None:
    surface[plan.roads & (surface != Surface.RECLAIMED)] = Surface.HAUL_ROAD
    surface[plan.plant.yard] = Surface.YARD
    piled = (plan.plant.piles < stock) & plan.plant.yard
    surface[piled] = np.where(plan.plant.fines, Surface.FINES, Surface.STOCKPILE)[piled]
    surface[plan.plant.shed] = Surface.SHED
    surface[plan.plant.ponds] = Surface.PROCESS_POND


def _impound(surface: np.ndarray, plan: Layout, progress: float, wet: float) -> None:
    facility = plan.tailings
    flooded = facility.flooded <= progress + 3.0 * wet
    surface[flooded] = Surface.POND
    surface[flooded & (facility.beached <= progress - 6.0 * wet)] = Surface.TAILINGS
    dammed = facility.raised <= progress
    surface[dammed] = Surface.DAM
    surface[dammed & facility.crest] = Surface.CREST


def _depth(dug: Mask, plan: Layout) -> tuple[Field, float]:
    """Return the distance from the rim in pixels, cut off at the floor, and the distance of the floor."""
    inward = distance(~dug) * dug
    deepest = max(float(inward.max()) * 0.72, 2.0)
    return inward, deepest


def _dig(
    surface: np.ndarray, ground: Ground, plan: Layout, *, dug: Mask, depth: Field, deepest: float, wet: float
) -> None:
    uneven = depth + 0.7 * ground.texture
    surface[dug] = Surface.PIT
    surface[dug & (uneven > deepest * 0.86)] = Surface.PIT_FLOOR
    if plan.width:
        ramp = (np.abs(plan.ramp - 0.12) < 0.7 / plan.extent) & dug
        lake = dug & (uneven > deepest * (1.1 - 0.08 * wet)) & (plan.ramp > 0.27)
    else:
        ramp = dug & (np.abs(depth / deepest - 0.95 * plan.ramp) * deepest < 1.25) & (plan.ramp > 0.03)
        aslant = 1.0 + 0.10 * np.cos(2 * np.pi * (plan.ramp - 0.3))
        lake = dug & (uneven * aslant > deepest * (1.10 - 0.06 * wet))
    if deepest > 6:
        surface[ramp] = Surface.HAUL_ROAD
    surface[lake & ~ramp] = Surface.PIT_LAKE


def _terraces(
    depth: Field, height: Field, plan: Layout, progress: float, *, dug: Mask, heaped: Mask
) -> tuple[Field, Field]:
    """Return the change of elevation in metres, and bench edges (-1 face, +1 berm)."""
    depth = np.minimum(depth, max(float(depth.max()) * 0.72, 2.0))
    steps, share = np.divmod(depth / BENCH, 1.0)
    face = np.clip(share * 1.6, 0, 1)
    lowered = (steps + face) * BENCH * 6.5
    wall = dug & (depth < depth.max() - 0.1)
    edges = np.where(wall, np.where(share < 0.55, -1.0, 0.8), 0.0)
    lift, portion = np.divmod(height / (BENCH + 1), 1.0)
    raised = (lift + np.clip(portion * 1.8, 0, 1)) * (BENCH + 1) * 3.2
    flank = heaped & (height < 11.9) & (height > 0)
    edges = np.where(flank, np.where(portion < 0.5, -0.5, 0.6), edges)
    if plan.width:
        ridges = 4.0 * np.sin(2 * np.pi * plan.opened / 4.5) * (plan.greened > progress)
        raised = np.where(heaped & (plan.closed < NEVER), ridges, raised)
        edges = np.where(heaped & (plan.closed < NEVER), 0.0, edges)
    rise = np.where(dug, -lowered, np.where(heaped, raised, 0.0))
    return rise.astype(np.float32), edges.astype(np.float32)


def _relief(ground: Ground, plan: Layout, surface: np.ndarray, rise: Field, progress: float) -> Field:
    """Level what is level: ponds, beaches, yards; heap the piles and the dam."""
    dem = ground.dem + rise
    for flat in (Surface.POND, Surface.TAILINGS, Surface.PIT_LAKE, Surface.PROCESS_POND, Surface.YARD):
        where = surface == flat
        if where.any():
            dem[where] = np.median(dem[where])
    piled = (surface == Surface.STOCKPILE) | (surface == Surface.FINES)
    dem[piled] += 9.0 * np.clip(1.0 - plan.plant.piles[piled], 0, 1)
    dam = surface == Surface.DAM
    dem[dam] += np.clip(progress - plan.tailings.raised[dam], 0, 60) * 0.12
    return dem.astype(np.float32)


def _moisture(ground: Ground, plan: Layout, progress: float) -> Field:
    """Beaches are wet near the water and along their streaks; water is turbid near the beach."""
    behind = np.clip((progress - plan.tailings.beached) / 40.0, -4, 4)
    beach = np.clip(0.85 - 0.45 * behind + 0.10 * plan.tailings.fan + 0.06 * ground.texture, 0, 1)
    plume = np.clip(0.35 + 0.30 * behind, 0, 0.5)
    return np.where(behind > 0, beach, plume).astype(np.float32)
