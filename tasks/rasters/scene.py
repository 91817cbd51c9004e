"""A scene of one's own: any GeoTIFF whose band descriptions name its bands, and the class raster made of it."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from models.labels import LABELS, NODATA
from tasks.errors import WrongUse
from tasks.rasters.validity import valid_mask
from tasks.settings import settings


def read_scene(path: Path, bands: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return reflectance float32 (B, H, W), valid bool (H, W), and the profile: crs, transform, width, height.

    Scale and offset of the file are heeded; integers without either are reflectance × 10000. There is no data where
    all bands are 0, or one is nodata or no number; SCL and dataMask are heeded where present. Raises WrongUse.
    """
    try:
        with rasterio.open(path, num_threads="all_cpus") as dataset:
            names = list(dataset.descriptions)
            missing = [band for band in bands if band not in names]
            if missing:
                raise WrongUse(f"{path} lacks {', '.join(missing)}: name its bands in their descriptions")
            at = [names.index(band) for band in bands]
            scales, offsets = (np.array(of, np.float32)[at, None, None] for of in (dataset.scales, dataset.offsets))
            if (scales == 1).all() and np.issubdtype(np.dtype(dataset.dtypes[at[0]]), np.integer):
                scales[:] = 1e-4
            stored = dataset.read([i + 1 for i in at])
            there = (stored != 0).any(axis=0)
            if np.issubdtype(stored.dtype, np.floating):
                there &= np.isfinite(stored).all(axis=0)
            for i, plane in zip(at, stored, strict=True):
                if dataset.nodatavals[i] is not None:
                    there &= plane != dataset.nodatavals[i]
            # In place: temporaries as large as the scene took longer than all the rest of reading.
            planes = np.multiply(stored, scales, dtype=np.float32, casting="unsafe")
            if offsets.any():
                planes += offsets
            np.copyto(planes, 0, where=~there)
            masks = {name: dataset.read(names.index(name) + 1) for name in ("SCL", "dataMask") if name in names}
            profile = {name: dataset.profile[name] for name in ("crs", "transform", "width", "height")}
    except RasterioError as error:
        raise WrongUse(f"{path} cannot be read as a raster: {error}") from error
    seen = there.astype(np.uint8) * masks.get("dataMask", np.uint8(1))
    return planes, valid_mask(scl=masks.get("SCL"), data_mask=seen, margin_px=settings().cloud_margin_px), profile


def write_classes(path: Path, classes: np.ndarray, profile: dict[str, Any]) -> None:
    """Write `classes` uint8 (H, W), 255 where there is no data, with colours and names; whole or not at all."""
    form = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": NODATA, "compress": "deflate", "tiled": True}
    form |= {"num_threads": "all_cpus"}
    unfinished = path.with_name(f".{path.name}.part")
    with rasterio.open(unfinished, "w", **form, **profile) as dataset:
        dataset.write(classes, 1)
        dataset.set_band_description(1, "class")
        dataset.write_colormap(1, {label.id: (*label.rgb, 255) for label in LABELS})
        dataset.update_tags(**{f"class_{label.id}": label.name for label in LABELS})
    unfinished.replace(path)
