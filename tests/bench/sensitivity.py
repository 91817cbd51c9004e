"""How right change is, and how soon it is found, under cloud, shifts, in other seasons and as it gets smaller.

`python tests/bench/sensitivity.py OUT [--mines 8]`: simulated mines grow by so many hectares between a clear look and
five later ones, one condition at a time. Each look goes through what the product does from a downloaded raster to a
comparison, with the model that ships for simulated scenes. Writes a figure a condition, and all results as CSV.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import ndimage
from sensitivity_figures import draw, table

from deploy.simulate.atmosphere import COVERS
from deploy.simulate.mine import State
from deploy.simulate.scenes import digital_numbers
from deploy.simulate.sites import drawn_site
from deploy.simulate.surfaces import S2_BANDS
from deploy.simulate.world import World, world
from models import zoo
from models.labels import NODATA
from models.prediction import Prediction
from models.zoo import SegmentationModel
from tasks.compare.change import above_mapping_unit, changed, kinds, mined
from tasks.compare.previous import previous_observation
from tasks.rasters.cog import Raster
from tasks.rasters.grid import HECTARES_PER_PIXEL, Grid
from tasks.segment.segment import predicted
from tasks.settings import settings
from tasks.validate.alignment import aligned
from tasks.validate.validate import shift_of, validity

SIZE, SEED, LOOKS = 256, 90210, 5
GRID = Grid(32633, 500_000.0, 5_000_000.0, SIZE, SIZE)
EVERYWHERE = np.ones((SIZE, SIZE), bool)


class Case(NamedTuple):
    """What is varied: share of cloud, pixels of shift and whether it is undone, months between seasons, hectares."""

    cloud: float = 0.0
    shift: float = 0.0
    undone: bool = True
    months: float = 0.0
    hectares: float = 20.0


CASES = {
    "cloud": [Case(cloud=share) for share in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)],
    "shift": [Case(shift=by, undone=undone) for undone in (True, False) for by in (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)],
    "months": [Case(months=months) for months in range(7)],
    "hectares": [Case(hectares=area) for area in (1, 2, 4, 8, 16, 32, 64)],
}


def grown(here: World, before: State, *, day: int, hectares: float) -> State:
    """Return `here` when it has `hectares` more of mine than `before`, by halving the time in between."""
    early, late = 0.0, 3.0
    for _ in range(9):
        middle = (early + late) / 2
        now = here.state(years=middle, day=day)
        more = (mined(now.truth) > mined(before.truth)).sum() * HECTARES_PER_PIXEL
        early, late = (middle, late) if more < hectares else (early, middle)
    return now


def acquired(here: World, now: State, moment: datetime, *, cloud: float, by: np.ndarray) -> Raster:
    """Return the acquisition raster of a look, with a share of `cloud`, shifted `by` (rows, columns) pixels."""
    COVERS["asked"] = (cloud, cloud)
    planes = digital_numbers(here.optical(now, moment=moment, weather="asked"))
    lies = [ndimage.shift(plane.astype(np.float32), by, order=5, mode="nearest") for plane in planes[:-1]]
    scl = ndimage.shift(planes[-1], by, order=0, mode="nearest")
    array = np.stack([*np.clip(np.round(lies), 1, 16000), scl, EVERYWHERE]).astype(np.uint16)
    return Raster(array, (*S2_BANDS, "SCL", "dataMask"), GRID, {})


def seen(raster: Raster, first: Raster | None, model: SegmentationModel) -> Prediction | None:
    """Return what the product sees in `raster`, laid on `first` where that is given; None: it is quarantined."""
    given = settings()
    shift = shift_of(raster, EVERYWHERE, [(first, (0.0, 0.0))]) if first else None
    if shift and np.hypot(*shift) > given.min_shift_px:
        raster = aligned(raster, shift)
    if validity(raster, given.cloud_margin_px).mean() < given.min_valid:
        return None
    return predicted(raster, model, EVERYWHERE)


def found_between(earlier: list[Prediction], now: Prediction) -> np.ndarray:
    """Return bool (H, W): where a comparison finds that mine appeared or vanished."""
    given = settings()
    before = previous_observation(earlier=reversed(earlier), needed=now.classes != NODATA)
    mask = changed(before=before, now=now, border_px=given.border_px, min_confidence=given.min_confidence)
    code = above_mapping_unit(
        before=before.classes, after=now.classes, mask=mask,
        min_hectares=given.min_change_hectares, sieve_hectares=given.min_segment_hectares,
    )  # fmt: skip
    return (code > 0) & (kinds(before.classes, now.classes) % 255 == 1)  # 1 appeared, 256 vanished


def tried(here: World, case: Case, model: SegmentationModel, rng: np.random.Generator) -> dict[str, float]:
    """Return what came of `case` at one mine: hectares and IoU at the first later look, and looks until half is found.

    Counted is ground that became mine or ceased to be; looks are 6 where five do not find half of it.
    """
    day = here.site.biome.peak
    moment = datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(days=day)
    later = moment + timedelta(days=round(30.4 * case.months) + 1)
    before = here.state(years=0.0, day=day)
    after = grown(here, before, day=later.timetuple().tm_yday, hectares=case.hectares)
    true = mined(before.truth) != mined(after.truth)
    first = acquired(here, before, moment, cloud=0, by=np.zeros(2))
    looks, so_far = [seen(first, None, model)], np.zeros_like(true)
    results = {"true": true.sum() * HECTARES_PER_PIXEL, "looks": LOOKS + 1}
    for number in range(1, LOOKS + 1):
        angle = rng.uniform(0, 2 * np.pi)
        by = case.shift * np.array([np.sin(angle), np.cos(angle)])
        raster = acquired(here, after, later + timedelta(days=5 * number), cloud=case.cloud, by=by)
        now = seen(raster, first if case.undone else None, model)
        if now is None:
            continue
        found = found_between(looks, now)
        if number == 1:
            there = true & (now.classes != NODATA)
            results |= {
                "iou": (found & there).sum() / (found | there).sum() if there.any() else np.nan,
                "visible": there.sum() * HECTARES_PER_PIXEL,
                "found": found.sum() * HECTARES_PER_PIXEL,
                "false": (found & ~there).sum() * HECTARES_PER_PIXEL,
            }
        looks.append(now)
        so_far |= found
        if (so_far & true).sum() >= true.sum() / 2:
            return {**results, "looks": number}
    return results


def results(number: int, only: list[str], model: SegmentationModel) -> Iterator[dict[str, object]]:
    """Yield a row per case of a mine; its site and ground have taken no part in training (another seed)."""
    site = drawn_site(np.random.default_rng([SEED, number]), number)
    here = world(site, size=SIZE, seed=SEED + number, years=3.0)
    for varied in only:
        for case in CASES[varied]:
            rng = np.random.default_rng([SEED, number, 1])
            yield {"mine": site.slug, "varied": varied, **case._asdict(), **tried(here, case, model, rng)}


def main() -> None:
    """Run what the command line asks for; what is written grows mine by mine."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("--mines", type=int, default=8)
    words.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    given = words.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    model, rows = zoo.load("s2-10-simulated", device="cpu"), []
    for number in range(given.mines):
        rows += results(number, given.only, model)
        frame = pd.DataFrame(rows)
        frame.to_csv(given.out / "sensitivity.csv", index=False, float_format="%.4g")
        (given.out / "sensitivity.md").write_text(table(frame))
        for varied in given.only:
            draw(frame[frame["varied"] == varied], varied, given.out / f"change-{varied}.png")
        print(f"{number + 1} of {given.mines} mines", flush=True)


if __name__ == "__main__":
    main()
