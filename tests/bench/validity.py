"""What the validity mask throws away of ground that was seen, and what it lets through, on real ground.

`python tests/bench/validity.py ../shared/data` reads `series` and `chips` and prints four tables; with `csmask` behind
it, what that network finds is among the rules. There is no truth: a pixel's own history stands for it (`looks.py`).
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from looks import Series, read_series
from scipy import ndimage

from models.labels import LABELS
from tasks.rasters.validity import CLEAR, CLOUD
from tasks.validate.clouds import csmask

MARGIN = 2
NAMES = {2: "dark", 3: "shadow", 4: "vegetation", 5: "bare", 6: "water", 7: "unclassified", 8: "cloud, medium",
         9: "cloud, high", 10: "cirrus"}  # fmt: skip
EIGHT = np.ones((3, 3))
STRICT = "2 and 7 hidden too"

Rule = Callable[[Series, int], np.ndarray]
"""Takes a series and a date, returns what is hidden, bool (H, W)."""


def grown(hidden: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """Return `hidden` with a margin in pixels."""
    return ndimage.distance_transform_edt(~hidden) <= margin if hidden.any() else hidden


def applied(rule: Rule, series: Series) -> np.ndarray:
    """Return what `rule` hides on every date, bool (T, H, W)."""
    return np.stack([rule(series, at) for at in range(len(series.days))])


def without_small(series: Series, at: int, least: int) -> np.ndarray:
    """Patches of fewer than `least` pixels are not believed."""
    patches, _ = ndimage.label(series.called[at], EIGHT)
    return (np.bincount(patches.ravel()) >= least)[patches] & series.called[at]


def shadow_beside_cloud(series: Series, at: int) -> np.ndarray:
    """Shadow is believed only where the scene shows a cloud."""
    called, shadow = series.called[at], series.scl[at] == 3
    return called if (called & ~shadow).any() else called & ~shadow


def shadow_darkens(series: Series, at: int) -> np.ndarray:
    """A patch of shadow whose brightest ground is as bright in NIR (0.75 of it) as that of the clear is none."""
    called, nir = series.called[at], series.bands[at, 2]
    clear = series.aoi & np.isin(series.scl[at], CLEAR)
    patches, count = ndimage.label(series.scl[at] == 3, EIGHT)
    bright = [number for number in range(1, count + 1) if (patches == number).sum() >= 25 and clear.sum() >= 100
              and np.percentile(nir[patches == number], 90) >= 0.75 * np.percentile(nir[clear], 90)]  # fmt: skip
    return called & ~np.isin(patches, bright)


def unlike_before(series: Series, at: int) -> np.ndarray:
    """What looks as on clear dates before is not believed to be cloud or shadow."""
    median, spread = series.history(at, 120, later=False)
    like = (abs(series.bands[at] - median) <= np.maximum(0.03, 3 * spread)).all(axis=0)
    return series.called[at] & ~like


RULES: dict[str, Rule] = {
    "SCL as it is": lambda series, at: series.called[at],
    **{f"margin of {n}": lambda series, at, n=n: grown(series.called[at], n) for n in (1, 2, 3, 5)},
    "patches below 0.1 ha not believed": lambda series, at: grown(without_small(series, at, 10)),
    "patches below 0.5 ha not believed": lambda series, at: grown(without_small(series, at, 50)),
    "shadow believed only where the scene shows cloud": lambda series, at: grown(shadow_beside_cloud(series, at)),
    "shadow not believed where NIR is bright": lambda series, at: grown(shadow_darkens(series, at)),
    "not believed where all is as before": lambda series, at: grown(unlike_before(series, at)),
    "cirrus not believed": lambda series, at: grown(series.called[at] & (series.scl[at] != 10)),
    STRICT: lambda series, at: grown(series.called[at] | np.isin(series.scl[at], (2, 7))),
    "shadow not believed": lambda series, at: grown(series.called[at] & (series.scl[at] != 3)),
}


def add_csmask(all_series: list[Series]) -> None:
    """Put among the rules what csmask finds: two seconds a date."""
    found = {}
    for series in all_series:
        blue, red, nir, swir, longer = series.bands.transpose(1, 0, 2, 3)
        scenes = np.stack([blue, series.green, red, nir, swir, longer], axis=1)
        found[series.name] = np.stack([csmask(scene, series.aoi, "l2a") for scene in scenes])
    RULES["csmask"] = lambda series, at: grown(found[series.name][at] > 0)
    RULES["shadow believed only where csmask finds it"] = lambda series, at: grown(
        series.called[at] & ((series.scl[at] != 3) | (found[series.name][at] == 2))
    )


def classes(series: Series) -> None:
    """Print what becomes of the pixels of every scene class."""
    truth = np.stack(series.truth)
    told = ~np.isnan(series.expected[0][:, 0]) & series.aoi
    print(f"\n{series.name}: {len(series.days)} dates, {series.aoi.sum() / 100:.0f} ha, {told.sum()} pixels")
    print("\n| SCL | pixels | dates | seen, % | brighter, % | darker, % | unsure, % |\n|---|---|---|---|---|---|---|")
    for scene_class, name in NAMES.items():
        of = told & (series.scl == scene_class)
        if of.sum() >= 100:
            shares = 100 * truth[:, of].mean(axis=1)
            cells = [f"{share:.0f}" for share in (*shares, 100 - shares.sum())]
            print(f"| {scene_class} {name} | {of.sum()} | {of.any(axis=(1, 2)).sum()} | {' | '.join(cells)} |")


def ground(series: Series) -> None:
    """Print what today's mask loses of dark, bright and other ground, and of the pixel that it hides most often."""
    seen = series.truth[0]
    hidden, strict = (applied(RULES[name], series) for name in (f"margin of {MARGIN}", STRICT))
    median = np.nan_to_num(series.expected[0])
    dark = (median[:, 2] < 0.13) & (median[:, 3] < 0.15)
    bright = median[:, 0] > np.percentile(median[:, 0][seen], 95)
    print(f"\n{series.name}\n\n| ground | seen | lost, % | called shadow, % | called cloud, % | {STRICT}: lost, % |")
    print("|---|---|---|---|---|---|")
    for name, of in {"dark": dark, "the brightest twentieth": bright, "other": ~dark & ~bright}.items():
        if (mine := seen & of).any():
            scl = series.scl[mine]
            shares = (hidden[mine].mean(), (scl == 3).mean(), (np.isin(scl, CLOUD) & (scl != 3)).mean(),
                      strict[mine].mean())  # fmt: skip
            print(f"| {name} | {mine.sum()} | {' | '.join(f'{100 * one:.1f}' for one in shares)} |")
    often = (seen.sum(axis=0) > 5) & series.aoi
    lost = 100 * (hidden & seen).sum(axis=0)[often] / seen.sum(axis=0)[often]
    median, much, most = np.percentile(lost, (50, 99, 100))
    print(f"\nof a pixel's looks lost: median {median:.1f} %, 99th percentile {much:.0f} %, at most {most:.0f} %")


def rules(all_series: list[Series]) -> None:
    """Print what every rule loses and lets through, mine by mine."""
    print(f"\nmines: {', '.join(series.name for series in all_series)}")
    print("\n| rule | seen, lost, % | brighter, let through, % | darker, let through, % |\n|---|---|---|---|")
    for name, rule in RULES.items():
        cells: list[list[str]] = [[], [], []]
        for series in all_series:
            hidden = applied(rule, series)
            seen, brighter, darker = series.truth
            for cell, share in zip(
                cells, (hidden[seen].mean(), 1 - hidden[brighter].mean(), 1 - hidden[darker].mean()), strict=True
            ):
                cell.append(f"{100 * share:.1f}")
        print(f"| {name} | {' | '.join(', '.join(cell) for cell in cells)} |")


def chips(root: Path) -> None:
    """Print how much of every component, under a clear sky, simple thresholds call cloud or shadow.

    Cloud: the haze-optimised transform B02 - 0.5 B04 > 0.08 of whitish pixels (Zhu and Woodcock 2012), and very bright
    and white ones; shadow: dark in every band.
    """
    counts = np.zeros((11, 4))
    for path in sorted((root / "labels").glob("*.tif")):
        with rasterio.open(path) as dataset:
            labels = dataset.read(1)
        with rasterio.open(root / "images" / path.name) as dataset:
            blue, green, red = dataset.read([dataset.descriptions.index(name) + 1 for name in ("B02", "B03", "B04")])
        planes = np.stack([blue, green, red]) / 10_000
        mean = np.maximum(planes.mean(axis=0), 1e-4)
        unwhite = abs(planes - mean).sum(axis=0) / mean
        haze = (planes[0] - 0.5 * planes[2] > 0.08) & (planes[2] > 0.07) & (unwhite < 0.7)
        white = (planes[0] > 0.22) & (unwhite < 0.3)
        dark = (planes[0] < 0.10) & (planes[1] < 0.08) & (planes[2] < 0.06)
        for label in range(11):
            of = labels == label
            counts[label] += [of.sum(), haze[of].sum(), white[of].sum(), dark[of].sum()]
    print("\n| component | pixels | like haze, % | like cloud, % | like shadow, % |\n|---|---|---|---|---|")
    for label, (pixels, *like) in zip(LABELS, counts, strict=True):
        print(f"| {label.name} | {pixels:.0f} | {' | '.join(f'{100 * one / pixels:.1f}' for one in like)} |")


if __name__ == "__main__":
    shared = Path(sys.argv[1])
    mines = list(read_series(shared / "series"))
    if "csmask" in sys.argv:
        add_csmask(mines)
    for mine in mines:
        classes(mine)
    for mine in mines:
        ground(mine)
    rules(mines)
    chips(shared / "chips")
