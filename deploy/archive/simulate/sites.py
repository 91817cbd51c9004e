"""Sites: which mines are simulated, where they stand and how they develop.

Four described ones for the demo, and any number drawn from a seed (for training chips and larger fleets).
"""

from dataclasses import dataclass, field, replace

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


BIOMES = {
    biome.name: biome
    for biome in (
        Biome("forest", 0.80, 0.15, 0.04, 170, "rainforest", "rainforest", "red_soil", "ochre_rock", 75,
              (0.05, 0.55)),
        Biome("savanna", 0.34, 0.40, 0.10, 70, "woodland", "scrub", "red_soil", "ochre_rock", 45, (0.10, 0.95)),
        Biome("temperate", 0.30, 0.88, 0.01, 60, "broadleaf", "leafless", "clay_soil", "grey_rock", 170,
              (0.05, 0.35), (345, 60)),
        Biome("arid", 0.01, 0.05, 0.80, 240, "scrub", "scrub", "desert_soil", "ochre_rock", 60, (0.75, 1.0),
              town=False),
    )
}  # fmt: skip


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


PALETTES = {
    "iron": Palette("hematite", "laterite", "itabirite", "hematite", "red_tailings", "wet_red_tailings",
                    "red_water", "turquoise_water"),
    "gold": Palette("grey_rock", "saprolite", "pale_rock", "dark_rock", "grey_tailings", "wet_grey_tailings",
                    "green_water", "green_water"),
    "coal": Palette("coal", "overburden", "overburden", "coal", "coal", "wet_grey_tailings",
                    "green_water", "clear_water"),
    "copper": Palette("copper_rock", "pale_rock", "grey_rock", "dark_rock", "grey_tailings", "wet_grey_tailings",
                      "turquoise_water", "turquoise_water"),
    "phosphate": Palette("pale_rock", "laterite", "ochre_rock", "grey_rock", "pale_tailings", "wet_grey_tailings",
                         "turquoise_water", "green_water"),
    "bauxite": Palette("laterite", "ochre_rock", "laterite", "red_soil", "red_tailings", "wet_red_tailings",
                       "brown_water", "red_water"),
}  # fmt: skip


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


DEMO = (
    Site("sim-serra-vermelha", "Serra Vermelha (simulated)", "iron ore", "open pit", -50.214, -6.082,
         BIOMES["forest"], PALETTES["iron"], pace=46.0, licence="exceeded",
         weather=("clear", "clear", "cumulus", "haze", "clear", "overcast", "clear", "partial", "clear", "clear")),
    Site("sim-cerro-quieto", "Cerro Quieto (simulated)", "copper", "open pit, in care and maintenance", -69.412,
         -23.376, BIOMES["arid"], PALETTES["copper"], pit_radius=40.0, pace=0.0, seasonal_water=0.0,
         weather=("clear", "clear", "clear", "clear", "cumulus", "clear", "clear", "clear", "partial", "clear")),
    Site("sim-kanyoma", "Kanyoma (simulated)", "gold", "open pit with tailings dam", 27.636, -12.214,
         BIOMES["savanna"], PALETTES["gold"], pit_radius=28.0, pace=24.0,
         weather=("clear", "cumulus", "clear", "overcast", "clear", "clear", "haze", "clear", "clear", "clear")),
    Site("sim-nordfeld", "Nordfeld (simulated)", "coal", "strip mine", 14.372, 51.552,
         BIOMES["temperate"], PALETTES["coal"], strip=True, pit_radius=60.0, pace=44.0, cells=True,
         weather=("snow", "overcast", "clear", "clear", "cumulus", "clear", "clear", "partial", "haze", "clear")),
)  # fmt: skip

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
