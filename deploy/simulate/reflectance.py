"""Reflectance: each surface is a mixture of two materials whose shares follow the season and the texture."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deploy.simulate.landcover import Ground
from deploy.simulate.mine import State
from deploy.simulate.noise import Field
from deploy.simulate.sites import Biome, Site
from deploy.simulate.surfaces import COARSE_BANDS, S2_BANDS, WATER, Surface, spectrum

#            base, texture, grain: share of the second material, and how it varies
_MIXTURES = {
    Surface.FOREST: (0.24, 0.07, 0.13),
    Surface.GRASS: (0.0, 0.20, 0.05),
    Surface.CROP: (0.0, 0.05, 0.03),
    Surface.BARE: (0.30, 0.22, 0.08),
    Surface.ROCK: (0.35, 0.20, 0.14),
    Surface.RIVER: (0.4, 0.05, 0.02),
    Surface.LAKE: (0.3, 0.10, 0.02),
    Surface.ASPHALT: (0.15, 0.05, 0.05),
    Surface.TRACK: (0.20, 0.15, 0.05),
    Surface.ROOF: (0.45, 0.0, 0.35),
    Surface.TILE: (0.35, 0.0, 0.25),
    Surface.GARDEN: (0.35, 0.0, 0.2),
    Surface.PIT: (0.50, 0.10, 0.07),
    Surface.PIT_FLOOR: (0.35, 0.22, 0.07),
    Surface.DUMP: (0.30, 0.16, 0.07),
    Surface.STOCKPILE: (0.15, 0.05, 0.05),
    Surface.FINES: (0.08, 0.04, 0.04),
    Surface.TAILINGS: (0.0, 0.0, 0.02),
    Surface.DAM: (0.50, 0.22, 0.06),
    Surface.CREST: (0.20, 0.05, 0.05),
    Surface.POND: (0.0, 0.05, 0.01),
    Surface.PIT_LAKE: (0.10, 0.05, 0.01),
    Surface.PROCESS_POND: (0.20, 0.08, 0.01),
    Surface.SHED: (0.25, 0.0, 0.22),
    Surface.YARD: (0.40, 0.20, 0.14),
    Surface.HAUL_ROAD: (0.25, 0.12, 0.05),
    Surface.CLEARED: (0.30, 0.25, 0.08),
    Surface.RECLAIMED: (0.30, 0.17, 0.09),
}
_SPREAD = np.array([_MIXTURES[surface] for surface in Surface], np.float32)


@dataclass(frozen=True)
class Season:
    """What the day of the year does to a site: shares 0-1."""

    day: int
    dry: float  # of grass that is dry
    bare: float  # of trees that are in their other season
    wet: float  # -1 dry to 1 wet: water levels, soil moisture


def season(biome: Biome, *, day: int) -> Season:
    """Return the season of `biome` on the day of the year."""
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * (day - biome.peak) / 365.25)
    dry = biome.dryness[0] + swing * (biome.dryness[1] - biome.dryness[0])
    wet = np.cos(2 * np.pi * (day - biome.peak - 20) / 365.25)
    return Season(day=day, dry=float(dry), bare=float(np.clip(2.2 * swing - 0.9, 0, 1)), wet=float(wet))


def endmembers(site: Site, now: Season, rng: np.random.Generator) -> np.ndarray:
    """Return the two materials of each surface, (2, surfaces, bands) reflectance.

    `rng` must be the site's own: it tints every material a little, the same way on all dates.
    """
    biome, mine = site.biome, site.palette
    tint: dict[str, np.ndarray] = {}

    def of(name: str) -> np.ndarray:
        if name not in tint:
            tilt = np.linspace(-1, 1, len(S2_BANDS)) * rng.normal(0, 0.05) + rng.normal(0, 0.07)
            tint[name] = spectrum(name) * np.exp(tilt).astype(np.float32)
        return tint[name]

    def mixed(first: str, second: str, share: float) -> np.ndarray:
        return (1 - share) * of(first) + share * of(second)

    trees = mixed(biome.trees, biome.bare_trees, now.bare)
    grass = mixed("green_grass", "dry_grass", now.dry)
    if biome.name == "temperate":
        grass = (1 - now.bare) * grass + now.bare * of("winter_grass")
    ploughed = mixed("ploughed", biome.soil, 0.5)
    bright = (of(biome.soil) * 1.12, of(mine.waste))
    pairs = {
        Surface.FOREST: (trees, of("canopy_shade")),
        Surface.GRASS: (of("green_grass"), of("dry_grass")),
        Surface.CROP: (of("crop"), ploughed),
        Surface.BARE: (of(biome.soil), of(biome.rock) if biome.name == "arid" else of("dry_grass")),
        Surface.ROCK: (of(biome.rock), of(biome.soil)),
        Surface.RIVER: (of("brown_water"), of("green_water")),
        Surface.LAKE: (of("clear_water"), of("green_water")),
        Surface.ASPHALT: (of("asphalt"), of("concrete")),
        Surface.TRACK: (of(biome.soil), of("dry_grass")),
        Surface.ROOF: (of("white_roof"), of("asphalt")),
        Surface.TILE: (of("tile_roof"), of("concrete")),
        Surface.GARDEN: (grass, of("tile_roof")),
        Surface.PIT: (of(mine.ore), of(mine.host)),
        Surface.PIT_FLOOR: (of(mine.ore) * 0.92, of(mine.host)),
        Surface.DUMP: (of(mine.waste), of(mine.host)),
        Surface.STOCKPILE: (of(mine.ore), of(mine.host)),
        Surface.FINES: (of(mine.fines) * 0.7, of("dark_rock")),
        Surface.TAILINGS: (of(mine.tailings), of(mine.wet_tailings)),
        Surface.DAM: (of(mine.waste), grass),
        Surface.CREST: bright,
        Surface.POND: (of(mine.pond), of(mine.wet_tailings) * 0.8),
        Surface.PIT_LAKE: (of(mine.pit_lake), of("clear_water")),
        Surface.PROCESS_POND: (of(mine.pond), of("green_water")),
        Surface.SHED: (of("white_roof"), of("blue_roof")),
        Surface.YARD: (of("concrete"), of(biome.soil)),
        Surface.HAUL_ROAD: bright,
        Surface.CLEARED: (of(biome.soil), of(mine.host)),
        Surface.RECLAIMED: (grass, of(biome.soil)),
    }
    return np.stack([[pairs[surface][side] for surface in Surface] for side in (0, 1)]).astype(np.float32)


def reflect(*, site: Site, ground: Ground, now: State, on: Season, tint: np.random.Generator, light: Field) -> Field:
    """Return the surface reflectance (bands, size, size) before the atmosphere and the sensor."""
    materials = endmembers(site, on, tint)
    share = _shares(ground, now, on)
    code = now.surface
    image = materials[0].T[:, code] * (1 - share) + materials[1].T[:, code] * share
    brightness = 1 + 0.05 * ground.texture + 0.035 * ground.grain + 0.10 * now.edges
    return (image * np.where(np.isin(code, WATER), 1.0, brightness * light)).astype(np.float32)


def _shares(ground: Ground, now: State, on: Season) -> Field:
    """Return the share of the second material of each pixel."""
    code = now.surface
    base, texture, grain = (_SPREAD[code, k] for k in range(3))
    share = base + texture * ground.texture + grain * ground.grain
    patch = (ground.parcel - 0.5) * 0.35
    share = np.where(code == Surface.GRASS, share + on.dry * (0.85 + 0.15 * on.dry) + patch, share)
    share = np.where(code == Surface.CROP, share + 1.0 - _crop_green(ground.parcel, on), share)
    share = np.where(code == Surface.PIT, share + 0.24 * ground.strata, share)
    share = np.where(code == Surface.DUMP, share + 0.08 * ground.strata, share)
    wet = (code == Surface.TAILINGS) | (code == Surface.POND)
    return np.clip(np.where(wet, share + now.moisture, share), 0.0, 1.0)


def _crop_green(parcel: Field, on: Season) -> Field:
    """Each field has its own calendar: its green share follows a bell around its own day."""
    own = (parcel * 13.7) % 1.0
    peak = 365.25 * (0.28 + 0.44 * own)
    off = (on.day - peak + 182.6) % 365.25 - 182.6
    bell = 0.95 * np.exp(-((off / (40 + 30 * ((parcel * 5.1) % 1.0))) ** 2))
    return bell.astype(np.float32)


def snow_cover(rng_texture: Field, surface: np.ndarray, *, depth: float) -> Field:
    """Return the share of snow: whole on open ground, thin in forest, none on water and worked faces."""
    hold = np.full(len(Surface), 0.9, np.float32)
    hold[[Surface.FOREST, Surface.ROOF, Surface.TILE, Surface.GARDEN]] = (0.28, 0.75, 0.7, 0.8)
    hold[[Surface.ASPHALT, Surface.HAUL_ROAD, Surface.PIT, Surface.PIT_FLOOR, Surface.YARD]] = (
        0.2,
        0.2,
        0.45,
        0.3,
        0.4,
    )
    hold[list(WATER)] = 0.0
    return np.clip(hold[surface] * depth + 0.12 * rng_texture * depth, 0.0, 1.0).astype(np.float32)


def sense(image: Field, rng: np.random.Generator) -> Field:
    """Return what the sensor makes of `image`: blur, 20 m bands, misregistration below a pixel, noise."""
    shift = rng.normal(0, 0.12, 2)
    sensed = np.empty_like(image)
    for index, band in enumerate(S2_BANDS):
        plane = ndimage.gaussian_filter(image[index], 0.48)
        plane = ndimage.shift(plane, shift, order=1, mode="nearest")
        sensed[index] = _coarse(plane) if band in COARSE_BANDS else plane
    sensed *= 1 + rng.normal(0, 0.008, (len(S2_BANDS), 1, 1))
    noise = rng.standard_normal(image.shape, dtype=np.float32) * (0.0012 + 0.008 * np.abs(sensed))
    return (sensed + noise).astype(np.float32)


def _coarse(plane: Field) -> Field:
    """Average 2×2 pixels and repeat them, as a 20 m band is served at 10 m."""
    height, width = (n - n % 2 for n in plane.shape)
    blocks = plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    whole = np.repeat(np.repeat(blocks, 2, axis=0), 2, axis=1)
    padded = np.pad(whole, ((0, plane.shape[0] - height), (0, plane.shape[1] - width)), mode="edge")
    return padded.astype(np.float32)
