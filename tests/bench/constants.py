"""How large the squares are that hold one value in a band of real ground: what `tasks/rasters/measured.py` rests on.

`python tests/bench/constants.py ../shared/data` reads `series`, `pairs` and `chips` and prints the largest number of
squares of each side in a band of one scene, for zeros and for all other values.
"""

import sys
from pathlib import Path

import numpy as np
import rasterio
from scipy import ndimage

from tasks.rasters.validity import CLEAR

SIDES = (3, 5, 7, 9)


def squares(band: np.ndarray, side: int) -> np.ndarray:
    """Return bool (H, W): middles of the squares of `side` pixels that hold one value and lie within `band` (H, W)."""
    same = ndimage.maximum_filter(band, side) == ndimage.minimum_filter(band, side)
    rim = side // 2
    inner = np.zeros_like(same)
    inner[rim:-rim, rim:-rim] = same[rim:-rim, rim:-rim]
    return inner


def main(data: Path) -> None:
    for kind, pattern in (("series", "*/*.tif"), ("pairs", "images/*.tif"), ("chips", "images/*.tif")):
        most = {(side, of): 0 for side in SIDES for of in ("zero", "other")}
        files = sorted((data / kind).glob(pattern))
        hectares = 0.0
        for file in files:
            with rasterio.open(file) as dataset:
                planes = dict(zip(dataset.descriptions, dataset.read(), strict=True))
            scl = planes.pop("SCL", None)
            ground = np.any([band > 0 for band in planes.values()], axis=0)
            ground &= True if scl is None else np.isin(scl, CLEAR)
            hectares += ground.sum() / 100
            for band in planes.values():
                for side in SIDES:
                    found = squares(band, side) & ground
                    for of, where in (("zero", band == 0), ("other", band != 0)):
                        most[side, of] = max(most[side, of], int((found & where).sum()))
        print(f"{kind}: {len(files)} scenes, {hectares:,.0f} hectares of clear ground")
        for side in SIDES:
            print(f"  {side} x {side}: at most {most[side, 'zero']} of zero, {most[side, 'other']} of other values")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
