"""Faults stop no more than they concern: a day, or what cannot be compared yet."""

from pathlib import Path

import pytest

import sql
from flows.progress import Progress
from models.errors import ModelError
from tasks.errors import RasterError, RunError, ServiceDown
from tasks.records import advance, current
from tests.tasks.segment.test_epochs import acquire, mine

__all__ = ["mine"]


def test_a_lost_raster_is_fetched_anew_by_the_next_run(database, home: Path, mine) -> None:
    acquisition = acquire(database, mine, home, 1, side=20)
    progress = Progress(database, [acquisition])
    with progress.fails_alone(acquisition):
        raise RasterError("it is gone")
    (now,) = progress.of(mine)
    assert now == current(database, acquisition)
    assert (now.state, now.reasons, now.tries) == ("failed", ["it is gone"], 1)
    assert progress.outcome(acquisition, mine) == "pit 2023-01-01 failed: it is gone"
    with pytest.raises(RunError, match="1 of 1 acquisitions of pit failed, the next run tries again: it is gone"):
        progress.raise_failures(mine)


def test_a_defect_fails_its_day_alone_and_what_concerns_all_passes(database, home: Path, mine, caplog) -> None:
    acquisition = acquire(database, mine, home, 1, side=20)
    progress = Progress(database, [acquisition])
    with progress.fails_alone(acquisition):
        raise ValueError("nobody expects\nit")
    (now,) = progress.of(mine)
    assert now.state == "failed" and now.reasons == [
        r"unexpected, see the log of the run: ValueError('nobody expects\nit')"
    ]
    assert "Traceback" in caplog.text
    with pytest.raises(ModelError), progress.fails_alone(acquisition):
        raise ModelError("there is no such model")
    assert current(database, acquisition).tries == 1
    assert advance(database, acquisition, "acquisition_segmented").tries == 0


def test_of_a_service_that_is_down_the_step_says_what_became_of_the_day(database, home: Path, mine) -> None:
    acquisition = acquire(database, mine, home, 1, side=20)
    progress = Progress(database, [acquisition])
    with pytest.raises(ServiceDown), progress.fails_alone(acquisition):
        sql.run(database, "acquisition_failed", acquisition_id=acquisition.acquisition_id, reason="nobody answers")
        raise ServiceDown("nobody answers")
    assert progress.outcome(acquisition, mine) == "pit 2023-01-01 failed: nobody answers"
