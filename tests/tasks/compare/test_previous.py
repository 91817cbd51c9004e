"""The previous observation: pure, and through a real database however far back the last look lies."""

from dataclasses import replace

import numpy as np
import pytest

from models.prediction import Prediction
from tasks.compare import previous
from tasks.compare.compare import compare
from tasks.compare.previous import previous_observation
from tasks.errors import EpochsLost, RasterError, RasterLost
from tasks.rasters.cog import read_raster, write_cog
from tasks.segment.predictions import read_prediction
from tests.tasks.segment.test_epochs import acquire, mine, stored

__all__ = ["mine"]

EVERYWHERE = np.ones((20, 24), bool)


def test_the_previous_observation_is_the_latest_valid_one_of_each_pixel():
    latest, older = np.zeros((20, 24), np.uint8), np.zeros((20, 24), np.uint8)
    older[4:10, 5:11] = 1
    latest[:, :8] = 255
    read = []

    def earlier():
        for name, classes in (("latest", latest), ("older", older), ("oldest", latest)):
            read.append(name)
            yield Prediction(classes, np.full_like(classes, 80), np.full_like(classes, 90))

    before = previous_observation(earlier=earlier(), needed=EVERYWHERE)
    assert read == ["latest", "older"]  # every pixel is filled: the oldest is never read
    assert (before.source[:, :8] == 1).all() and (before.source[:, 8:] == 0).all()
    assert (before.classes[4:10, 5:8] == 1).all() and (before.classes[:, 8:] == 0).all()
    assert (before.confidence == 80).all() and (before.footprint == 90).all()


def test_what_is_not_needed_is_known_as_far_as_was_read():
    latest, older = np.zeros((20, 24), np.uint8), np.ones((20, 24), np.uint8)
    latest[:, :8] = 255
    looks = [Prediction(classes, np.full_like(classes, 80), np.full_like(classes, 90)) for classes in (latest, older)]
    right, nothing = np.zeros_like(EVERYWHERE), np.zeros_like(EVERYWHERE)
    right[:, 12:] = True
    before = previous_observation(earlier=looks, needed=right)
    assert (before.classes[:, 8:] == 0).all() and (before.classes[:, :8] == 255).all()
    assert (previous_observation(earlier=looks, needed=nothing).classes == 255).all()


def test_without_anything_before_nothing_is_known():
    before = previous_observation(earlier=[], needed=EVERYWHERE)
    assert (before.classes == 255).all() and (before.source == -1).all()


def test_the_only_valid_look_may_lie_twenty_epochs_back(database, home, mine, monkeypatch):
    first = stored(database, mine, acquire(database, mine, home, 1, side=10))
    for day in range(2, 22):
        stored(database, mine, acquire(database, mine, home, day, side=0, cloud=mine.grid.width - 1))
    last = stored(database, mine, acquire(database, mine, home, 22, side=20))
    monkeypatch.setattr(previous, "PAGE", 8)
    found = compare(database, last, mine)
    assert found.previous_epochs[-1] == first.epoch_id
    assert found.valid_hectares == pytest.approx(last.aoi_hectares)
    assert found.changed_hectares == pytest.approx(3.0)


def test_history_is_read_no_further_than_needed(database, home, mine, monkeypatch):
    epochs = [stored(database, mine, acquire(database, mine, home, day, side=10)) for day in range(1, 5)]
    (home / epochs[0].class_raster.removeprefix(f"file://{home}/")).unlink()
    monkeypatch.setattr(previous, "PAGE", 1)
    assert compare(database, epochs[3], mine).previous_epochs == [epochs[2].epoch_id]


def test_all_lost_epochs_on_the_way_are_named(database, home, mine):
    epochs = [stored(database, mine, acquire(database, mine, home, day, side=10)) for day in range(1, 5)]
    for epoch, kind in zip(epochs[1:3], ("class_raster", "confidence_raster"), strict=True):
        path = home / getattr(epoch, kind).removeprefix(f"file://{home}/")
        path.unlink() if kind == "class_raster" else path.write_bytes(b"damaged")
    with pytest.raises(EpochsLost) as lost:
        compare(database, epochs[3], mine)
    assert set(lost.value.reasons) == {epochs[1].epoch_id, epochs[2].epoch_id}
    assert "-classes.tif: it is missing" in str(lost.value) and "not what its checksum says" in str(lost.value)
    assert database.execute("select count(*) as n from comparison").fetchone()["n"] == 0


def test_an_epoch_of_the_days_before_the_footprint_was_kept_is_used_as_it_is(database, home, mine):
    epochs = [stored(database, mine, acquire(database, mine, home, day, side=side)) for day, side in ((1, 10), (2, 20))]
    whole = read_raster(epochs[0].confidence_raster)
    checksum = write_cog(
        epochs[0].confidence_raster, whole.array[0], whole.grid, descriptions=["confidence"], nodata=255
    )
    database.execute("update epoch set confidence_checksum = %s where epoch_id = %s", (checksum, epochs[0].epoch_id))
    look, _ = read_prediction(replace(epochs[0], confidence_checksum=checksum))
    assert (look.footprint[look.classes == 1] == 90).all() and (look.footprint[look.classes == 0] == 10).all()
    assert compare(database, epochs[1], mine).changed_hectares == pytest.approx(3.0)


def test_a_store_that_does_not_answer_loses_nothing(database, home, mine, monkeypatch):
    epoch = stored(database, mine, acquire(database, mine, home, 1, side=10))
    with pytest.raises(RasterError) as refused:
        read_prediction(replace(epoch, class_raster=f"file://{home}"))  # a folder: not missing, and no file either
    assert not isinstance(refused.value, EpochsLost | RasterLost)
