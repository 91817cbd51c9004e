"""How often the radiometric checks refuse what is sound, and whether they see what is not, on real scenes.

    python tests/bench/radiometry.py ../shared/data

Every date of `series` that saw enough is measured as `validate` does, against the one before and the first; then again
with a fault in one band. The chips, which have no history, and the pairs, years apart, are measured for stripes and
ranges as they are.
"""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio

from tasks.rasters.validity import valid_mask
from tasks.settings import settings
from tasks.suites.expectations import Check, suite
from tasks.validate.figures import figures

NEW = ("high", "gain", "stripes", "saturated_share", "offset_left")
Scene = tuple[dict[str, np.ndarray], np.ndarray]


def read(path: Path) -> Scene:
    """Return reflectance by band and the valid pixels."""
    with rasterio.open(path) as dataset:
        bands = dict(zip(dataset.descriptions, dataset.read(), strict=True))
    scl = bands.pop("SCL", None)
    planes = {name: plane.astype(np.float32) / 1e4 for name, plane in bands.items()}
    return planes, valid_mask(scl=scl, data_mask=np.stack(list(planes.values())).any(axis=0), margin_px=2)


def refused(scene: Scene, history: list[Scene], checks: list[Check]) -> set[str]:
    """Return which of the radiometric figures of a scene lie outside their limits."""
    bands, valid = scene
    names = [name for name in bands if all(name in planes for planes, _ in history)]
    measured = figures(
        bands=np.stack([bands[name] for name in names]),
        names=names, valid=valid, scl=None, data_mask=valid, aoi=valid | True, tags={"harmonised": "true"},
        history=[(lambda at, planes=planes: planes[names[at]], seen) for planes, seen in history], shift=None,
    )  # fmt: skip
    values = {check: measured.get(check.figure) for check in checks}
    return {
        check.figure.split("_B")[0]
        for check, value in values.items()
        if value is not None and not (check.least or 0) <= value <= (np.inf if check.most is None else check.most)
    } & set(NEW)


def dates(folder: Path) -> Iterator[list[Scene]]:
    """Yield every date of the series that saw at least 30 % of its mine, with the date before and the first one."""
    with (folder / "series.csv").open() as file:
        rows = list(csv.DictReader(file))
    for mine in sorted({row["mine"] for row in rows}):
        seen: list[Scene] = []
        for row in rows:
            if row["mine"] != mine or float(row["observed"]) * float(row["clear"]) == 0:
                continue
            scene = read(folder / mine / f"{row['date']}.tif")
            if scene[1].mean() < 0.3 * float(row["observed"]):
                continue
            yield [scene, *seen[-1:], *seen[:1]]
            seen.append(scene)


def with_fault(fault: Callable[[np.ndarray], np.ndarray], only: str | None) -> Callable[[Scene], Scene]:
    """Return what puts `fault` into the band `only`, or into all."""
    return lambda scene: (
        {name: fault(plane) if only in (None, name) else plane for name, plane in scene[0].items()},
        scene[1],
    )


def line(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return what multiplies the middle row of a band."""

    def fault(plane: np.ndarray) -> np.ndarray:
        struck = plane.copy()
        struck[len(plane) // 2] *= factor
        return struck

    return fault


FAULTS = {
    "as it came": with_fault(lambda plane: plane, None),
    "all ×10": with_fault(lambda plane: plane * 10, None),
    "all ÷10": with_fault(lambda plane: plane / 10, None),
    "all +0.1": with_fault(lambda plane: np.where(plane > 0, plane + np.float32(0.1), 0), None),
    **{f"{band} ×{by:g}": with_fault(lambda plane, by=by: plane * by, band)
       for band in ("B02", "B04", "B08", "B11") for by in (3, 2, 0.5, 0.33)},
    **{f"B04 a row ×{by:g}": with_fault(line(by), "B04") for by in (0, 0.5, 0.8, 1.3)},
}  # fmt: skip


def main(data: Path) -> None:
    checks = suite("s2-10", settings())
    series = list(dates(data / "series"))
    print(f"series: {len(series)} dates, share of them that a check refuses")
    print(f"{'':16}" + "".join(f"{name:>16}" for name in ("any", *NEW)))
    for name, put in FAULTS.items():
        found = Counter(figure for scene, *history in series for figure in (
            lambda hit: hit | ({"any"} if hit else set()))(refused(put(scene), history, checks)))  # fmt: skip
        print(f"{name:16}" + "".join(f"{found[figure] / len(series):16.3f}" for figure in ("any", *NEW)))
    chips = [refused(read(path), [], checks) for path in sorted((data / "chips" / "images").glob("*.tif"))]
    print(f"chips: {len(chips)}, refused {sum(map(bool, chips))}")
    some = np.random.default_rng(0)
    of_mine = {
        shape: [scene for scene, *_ in series if scene[1].shape == shape] for shape in {s[0][1].shape for s in series}
    }
    apart = [
        refused(scenes[now], [scenes[before], scenes[first]], checks)
        for scenes in of_mine.values()
        for now, before, first in some.integers(0, len(scenes), (400, 3))
    ]
    by_chance = dict(Counter(figure for hit in apart for figure in hit))
    print(f"a date against two others of its mine by chance: {len(apart)}, refused {by_chance}")
    befores = sorted((data / "pairs" / "images").glob("*_t0.tif"))
    pairs = [(read(path), read(path.with_name(path.name.replace("_t0", "_t1")))) for path in befores]
    hits = [refused(after, [before], checks) for before, after in pairs if before[1].any() and after[1].any()]
    print(f"pairs: {len(hits)}, refused {dict(Counter(figure for hit in hits for figure in hit))}")
    alone = [refused(after, [before, before], checks) for before, after in pairs if before[1].any() and after[1].any()]
    print(f"if one date were enough to compare with: {dict(Counter(figure for hit in alone for figure in hit))}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
