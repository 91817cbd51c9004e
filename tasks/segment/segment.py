"""Segments accepted acquisitions: a class raster and a confidence raster of each, on its mine's grid.

Stands between `validate` and `vectorise`; only valid pixels inside the AOI get a class.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.labels import LABELS, NODATA
from models.prediction import Prediction
from tasks.mines import Mine
from tasks.rasters import Grid, Raster, near_invalid, read_raster, write_cog
from tasks.records import Acquisition
from tasks.segment.sieve import sieved
from tasks.settings import settings
from tasks.validate import aligned, cloud_source, reflectance, undone, validity

if TYPE_CHECKING:  # torch takes seconds to import, and nothing here needs it
    from models.zoo import SegmentationModel


KEPT = 4 / 7
"""Of what is more than even in a chance beside clouds, which mislead the network: what it calls 85 % counts as 70 %."""


@dataclass(frozen=True)
class Segmented:
    """What a model saw: uint8 (H, W) arrays, 255 nodata, and where they were written.

    `classes` 0 background, 1-10; `confidence` per cent; `addresses` and `checksums` (SHA-256) of the class raster and
    of the confidence raster, whose second band is that of the footprint.
    """

    classes: np.ndarray
    confidence: np.ndarray
    addresses: tuple[str, str]
    checksums: tuple[str, str]
    grid: Grid


def address_of(root: str, acquisition: Acquisition, mine: Mine, model: "SegmentationModel", kind: str) -> str:
    """Return the address of the `kind` raster: another model, weights, pixels or AOI never overwrite it."""
    checksum = acquisition.checksum or ""
    drawn = "" if mine.aoi_since is None else f"-aoi-{mine.aoi_since:%Y%m%d%H%M%S}"
    origin = f"{acquisition.acquisition_id}-{checksum[:8]}"
    folder = f"{root}/{mine.slug}/{acquisition.sensor_set}/{acquisition.sensing_date}-{origin}"
    return f"{folder}/{model.name}-{model.checksum[:8]}{drawn}-{kind}.tif"


def model_for(mine: Mine, sensor_set: str | None = None) -> "SegmentationModel":
    """Return the model that watches `mine`, or the shipped one of `sensor_set`; raises ModelError for an unknown one.

    A mine that names no model has the default one (MINECAM_MODEL).
    """
    given = settings()
    return _loaded(_name_of(mine, given.model, sensor_set), given.device)


def model_name(model: str) -> str:
    """Return the name that epochs by `model`, a name or a file, carry; raises ModelError when there is no such file."""
    if not Path(model).suffix:
        return model
    from models import zoo

    return zoo.card(model).name


def _name_of(mine: Mine, default: str, sensor_set: str | None) -> str:
    from models import zoo

    own = mine.model or default
    if sensor_set is None or zoo.card(own).sensor_set == sensor_set:
        return own
    return zoo.for_sensor_set(sensor_set)


@cache
def _loaded(name: str, device: str) -> "SegmentationModel":
    from models import zoo

    return zoo.load(name, device=device)


def doubted(chance: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """Return `chance`, uint8 (H, W) per cent, nearer to even where `doubt`, bool (H, W), says so."""
    even = 50 + (chance.astype(np.float32) - 50) * KEPT
    return np.where(doubt, np.round(even), chance).astype(np.uint8)


@dataclass(frozen=True)
class _Scene:
    """What of an acquisition the network sees: its raster, and bool (H, W) `observed`, and `valid`: inside the AOI."""

    raster: Raster
    observed: np.ndarray
    valid: np.ndarray


def _scene(raster: Raster, inside: np.ndarray) -> _Scene:
    observed = validity(raster, settings().cloud_margin_px)
    return _Scene(raster, observed, observed & inside)


def _read(acquisition: Acquisition, mine: Mine) -> _Scene:
    """Read the raster of `acquisition`, laid on the others of its mine."""
    raster, shift = read_raster(*acquisition.image), undone(acquisition, settings().min_shift_px)
    raster = raster if shift is None else aligned(raster, shift)
    return _scene(raster, raster.grid.mask(mine.aoi))


def _believed(scene: _Scene, seen: Prediction) -> Prediction:
    """Return what the network has seen as an epoch keeps it: without specks, and doubted beside clouds."""
    given = settings()
    classes = sieved(np.where(scene.valid, seen.classes, NODATA).astype(np.uint8), given.min_segment_hectares)
    doubt = near_invalid(scene.observed, given.cloud_reach_px)
    confidence = np.minimum(seen.confidence, doubted(seen.confidence, doubt))
    chance = doubted(seen.footprint, doubt)
    return Prediction(classes, *(np.where(scene.valid, of, NODATA).astype(np.uint8) for of in (confidence, chance)))


def _predictions(scenes: Iterable[_Scene], model: "SegmentationModel") -> Iterator[Prediction]:
    from models.predict import predict_each

    given, bands = settings(), model.sensor_set.bands
    shown = ((reflectance(scene.raster, bands), scene.valid) for scene in scenes)
    return predict_each(shown, model=model, runtime=given.runtime, memory_mb=given.predict_memory_mb)


def predicted(raster: Raster, model: "SegmentationModel", inside: np.ndarray) -> Prediction:
    """Return what `model` says of `raster`.

    Only what was truly observed `inside`, bool (H, W), has a class. Raises ModelError when the bands do not fit.
    """
    scene = _scene(raster, inside)
    [seen] = _predictions([scene], model)
    return _believed(scene, seen)


def portions(due: Sequence[tuple[Acquisition, Mine]]) -> Iterator[list[tuple[Acquisition, Mine]]]:
    """Yield `due` in runs whose results stay in memory together: of at most MINECAM_TOGETHER_MPX, or of one."""
    portion: list[tuple[Acquisition, Mine]] = []
    room = 0.0
    for one in due:
        pixels = one[1].grid.width * one[1].grid.height / 1e6
        if portion and pixels > room:
            yield portion
            portion = []
        room = (room if portion else settings().together_mpx) - pixels
        portion.append(one)
    if portion:
        yield portion


def segment(due: Sequence[tuple[Acquisition, Mine]], model: "SegmentationModel") -> list[Segmented | Exception]:
    """Segment the rasters of acquisitions, which go through the network together, and write both rasters of each.

    A shift that `validate` measured is undone before, so that epochs lie on each other; the raster stays as it came.
    Regions below the smallest segment are given to their neighbours, so that raster and polygons agree. Running it
    again writes the same. Returns for each what was seen, or what stopped it alone: a RasterError when a raster cannot
    be read or written. Raises ModelError when the bands do not fit.
    """
    found: dict[int, Segmented | Exception] = {}
    waiting: deque[tuple[int, _Scene]] = deque()

    def readable() -> Iterator[_Scene]:
        for number, (acquisition, mine) in enumerate(due):
            try:
                scene = _read(acquisition, mine)
            except Exception as error:
                found[number] = error
                continue
            waiting.append((number, scene))
            yield scene

    for seen in _predictions(readable(), model):
        number, scene = waiting.popleft()
        try:
            found[number] = _written(*due[number], model, scene.raster, _believed(scene, seen))
        except Exception as error:
            found[number] = error
    return [found[number] for number in range(len(due))]


def _written(
    acquisition: Acquisition, mine: Mine, model: "SegmentationModel", raster: Raster, seen: Prediction
) -> Segmented:
    given = settings()
    tags = _tags(acquisition, model, raster.tags)
    tags |= {"cloud_mask": cloud_source(raster), "cloud_margin_px": str(given.cloud_margin_px)}
    addresses = [address_of(given.raster_root, acquisition, mine, model, kind) for kind in ("classes", "confidence")]
    checksums = (
        write_cog(
            addresses[0], seen.classes, raster.grid, descriptions=["class"], nodata=NODATA,
            tags={**tags, **{f"class_{label.id}": label.name for label in LABELS}},
            colormap={label.id: label.rgb for label in LABELS},
        ),
        write_cog(
            addresses[1], np.stack([seen.confidence, seen.footprint]), raster.grid,
            descriptions=["confidence", "footprint"], nodata=NODATA, tags=tags,
        ),
    )  # fmt: skip
    return Segmented(seen.classes, seen.confidence, (addresses[0], addresses[1]), checksums, raster.grid)


def _tags(acquisition: Acquisition, model: "SegmentationModel", origin: dict[str, str]) -> dict[str, str]:
    return {
        "model": model.name,
        "model_version": str(model.version),
        "model_checksum": model.checksum,
        "acquisition_checksum": acquisition.checksum or "",
        **{name: origin[name] for name in ("product_ids", "sensing_time", "attribution") if name in origin},
    }
