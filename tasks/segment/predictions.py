"""Reads back what `segment` wrote: the prediction of an epoch, from its class raster and its confidence raster."""

import numpy as np

from models.prediction import Prediction
from tasks.errors import EpochsLost, RasterLost
from tasks.rasters import Grid, read_raster
from tasks.records import Epoch


def read_prediction(epoch: Epoch) -> tuple[Prediction, Grid]:
    """Return what the model said of `epoch`, from its rasters, and their grid.

    Raises EpochsLost when a raster of it is missing or damaged, RasterError when one cannot be read for now.
    """
    try:
        classes = read_raster(epoch.class_raster, epoch.class_checksum)
        chances = read_raster(epoch.confidence_raster, epoch.confidence_checksum)
    except RasterLost as error:
        raise EpochsLost({epoch.epoch_id: str(error)}) from error
    seen, sure = classes.band("class"), chances.band("confidence")
    if "footprint" in chances.descriptions:
        return Prediction(seen, sure, chances.band("footprint")), classes.grid
    # Of the days before it was kept: mine is at least as likely as the component that was chosen.
    return Prediction(seen, sure, np.where(seen == 0, 100 - sure, sure)), classes.grid
