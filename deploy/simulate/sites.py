"""Sites: which mines are simulated, where they stand and how they develop.

The demo's are described in `sites.json`; any number is drawn from a seed (training chips, larger fleets).
"""

import json
from dataclasses import dataclass, field, replace
from importlib.resources import files

import numpy as np


@dataclass(frozen=True)
class Biome:
    """Natural setting of a site: shares of cover, relief, colours, and its year."""

    name: str
    forest: float  # share of forest
    fields: float  # share of fields in the open ground
    bare: float  # share of bare ground in the open ground
    relief: float  # metres between valley and ridge
    trees: str
    bare_trees: str  # the trees' other season
    soil: str
    rock: str
    peak: int  # day of the year of greatest green
    dryness: tuple[float, float]  # share of dry grass at the peak and half a year later
    snow: tuple[int, int] | None = None  # days of the year between which snow may lie
    town: bool = True


@dataclass(frozen=True)
class Palette:
    """Materials of the mine itself."""

    ore: str
    host: str
    waste: str
    fines: str
    tailings: str
    wet_tailings: str
    pond: str
    pit_lake: str


@dataclass(frozen=True)
class Site:
    """A simulated mine: place, setting, layout and pace."""

    slug: str
    name: str
    commodity: str
    mine_type: str
    longitude: float
    latitude: float
    biome: Biome
    palette: Palette
    operator: str = "Simulated Mining"
    strip: bool = False  # strip mine: the pit moves across the ground and is backfilled
    pit_radius: float = 34.0  # pixels at the start
    pace: float = 20.0  # pixels that the front advances in a year
    licence: str = "ample"  # or "exceeded"
    cells: bool = False  # tailings in diked cells rather than behind a valley dam
    seasonal_water: float = 1.0
    weather: tuple[str, ...] = field(default=())


_TABLES = json.loads(files("deploy.simulate").joinpath("sites.json").read_text())

BIOMES = {row["name"]: Biome(**row) for row in _TABLES["biomes"]}
"""Natural settings by name."""

PALETTES = {name: Palette(**row) for name, row in _TABLES["palettes"].items()}
"""Materials of mines by commodity."""


def _described(row: dict) -> Site:
    return Site(**{**row, "biome": BIOMES[row["biome"]], "palette": PALETTES[row["palette"]]})


DEMO = tuple(_described(row) for row in _TABLES["demo"])
"""The demo's mines: one exceeds its licence, one stands still, two grow."""

_SETTINGS = {
    "iron": ("forest", "savanna", "arid"),
    "gold": ("forest", "savanna", "arid"),
    "coal": ("temperate", "savanna", "temperate"),
    "copper": ("arid", "temperate", "savanna"),
    "phosphate": ("savanna", "temperate", "arid"),
    "bauxite": ("forest", "forest", "savanna"),
}
_LATITUDES = {"forest": (-12, 4), "savanna": (-20, -8), "temperate": (44, 55), "arid": (-32, -20)}


def drawn_site(rng: np.random.Generator, number: int) -> Site:
    """Return a site drawn at random; `number` makes its slug unique."""
    commodity = str(rng.choice(list(PALETTES)))
    biome = BIOMES[str(rng.choice(_SETTINGS[commodity]))]
    strip = bool(rng.random() < (0.7 if commodity in ("coal", "bauxite") else 0.05))
    latitude = float(rng.uniform(*_LATITUDES[biome.name]))
    return Site(
        slug=f"sim-{commodity}-{number:03d}",
        name=f"{commodity.capitalize()} {number} (simulated)",
        commodity=commodity,
        mine_type="strip mine" if strip else "open pit",
        longitude=float(rng.uniform(-75, 35)),
        latitude=latitude,
        biome=varied_biome(rng, biome),
        palette=varied_palette(rng, PALETTES[commodity]),
        strip=strip,
        pit_radius=float(rng.uniform(18, 46)) * (1.5 if strip else 1.0),
        pace=float(rng.uniform(10, 50)),
        cells=bool(strip or biome.relief < 80 or rng.random() < 0.25),
    )


def varied_biome(rng: np.random.Generator, biome: Biome) -> Biome:
    """Return `biome` with other shares of cover and relief."""
    return replace(
        biome,
        forest=float(np.clip(biome.forest * rng.uniform(0.5, 1.25), 0.0, 0.95)),
        fields=float(np.clip(biome.fields * rng.uniform(0.5, 1.2), 0.0, 0.95)),
        relief=biome.relief * float(rng.uniform(0.6, 1.5)),
        town=bool(rng.random() < 0.6),
    )


def varied_palette(rng: np.random.Generator, palette: Palette) -> Palette:
    """Return `palette` with some materials exchanged for others of their kind."""
    other = PALETTES[str(rng.choice(list(PALETTES)))]
    waters = ("turquoise_water", "green_water", "brown_water", "red_water", "clear_water")
    return replace(
        palette,
        waste=other.waste if rng.random() < 0.3 else palette.waste,
        tailings=other.tailings if rng.random() < 0.25 else palette.tailings,
        pond=str(rng.choice(waters)) if rng.random() < 0.5 else palette.pond,
        pit_lake=str(rng.choice(waters)) if rng.random() < 0.5 else palette.pit_lake,
    )
