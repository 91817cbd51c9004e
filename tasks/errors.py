"""The errors of MineCam: each message says what happened, to what, and what to do."""

from models.errors import ModelError
from sql.errors import DatabaseError


class MineCamError(Exception):
    """Something failed that the message explains; nothing was left half-written."""


class WrongUse(MineCamError):  # noqa: N818  (the word of the command line for exit status 2)
    """The caller asked for something that cannot be: an unknown mine, an outline without area."""


class Busy(MineCamError):  # noqa: N818  (a state of things, not a fault)
    """Another run is at work on the same mine."""


class RunError(MineCamError):
    """A run ended, but not everything that it had to do could be done."""


class ServiceError(MineCamError):
    """The Sentinel Hub service refused, failed, or sent something unusable."""


class ServiceDown(ServiceError):  # noqa: N818  (a state of things, not a fault)
    """The service serves nobody for now: it cannot be reached, limits us, or refuses our credentials."""


class UnitsSpent(ServiceDown):
    """The account has no processing units left this month."""


class BudgetLacks(ServiceError):  # noqa: N818
    """This month's budget lacks what a request costs, which is not made."""


class RasterError(MineCamError):
    """A raster is missing, truncated, or not what its checksum says; or it cannot be read or written for now."""


class RasterLost(RasterError):  # noqa: N818  (a state of things, not a fault)
    """A raster is missing or damaged for good: it has to be made again."""


class EpochsLost(RasterError):  # noqa: N818  (a state of things, not a fault)
    """Rasters of epochs are missing or damaged: `reasons` by epoch id. The epochs have to be made again."""

    def __init__(self, reasons: dict[int, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


class StackError(MineCamError):
    """A part of the embedded stack does not start or does not answer."""


EXPLAINED = (MineCamError, ModelError, DatabaseError)
"""Errors whose message is for the user; everything else is a defect and keeps its traceback."""
