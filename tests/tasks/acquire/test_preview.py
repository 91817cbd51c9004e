"""The look before paying, through the real client; the service is a stand-in that serves what it is told."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

import sql
from models.sensors import SENSOR_SETS
from tasks import agenda
from tasks.acquire.discover import discover
from tasks.acquire.download import EMPTY, download, refuse_empty
from tasks.acquire.preview import coarse, due, figures, preview
from tasks.errors import ServiceDown, ServiceError, WrongUse
from tasks.rasters.cog import encode_cog
from tasks.rasters.grid import Grid
from tasks.segment.segment import model_for
from tasks.validate import quarantine
from tests.tasks import nouns
from tests.tasks.acquire.test_download import _row, mine, rasters

__all__ = ["mine", "rasters"]


class Sky:
    """What the service has to show: one class of SCL everywhere, but for clear columns on the left."""

    scl, clear, seen = 4, 0, 1

    def tiff(self, body: dict[str, Any]) -> bytes:
        width, height = body["output"]["width"], body["output"]["height"]
        bands = 2 if "const BANDS = []" in body["evalscript"] else 5
        array = np.full((bands, height, width), 1000, np.uint16)
        array[-2], array[-1] = self.scl, self.seen
        array[-2, :, : round(self.clear * width)] = 4
        return encode_cog(
            array, Grid(32644, 0, 0, width, height), descriptions=["B02", "B03", "B04", "SCL", "dataMask"][-bands:],
            nodata=None,
        )  # fmt: skip


@pytest.fixture
def sky(sentinel_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Sky:
    sky, answer = Sky(), sentinel_hub.reply

    def reply(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if not path.endswith("/process") or sentinel_hub.failures:
            return answer(path, body)
        sentinel_hub.requests.append((path, body))
        return 200, {"X-ProcessingUnits-Spent": "0.005"}, sky.tiff(body)

    monkeypatch.setattr(sentinel_hub, "reply", reply)
    return sky


def discovered(database: sql.Connection, mine: Any, service: Any, cloud: float | None) -> sql.Row:
    properties = {"datetime": "2023-01-08T06:12:31Z", "eo:cloud_cover": cloud}
    service.features = [{"id": "S2A_MSIL2A_20230108T060231_N0509_R091_T42RUN", "properties": properties}]
    discover(database, mine, SENSOR_SETS["s2-rgb"], start=date(2023, 1, 1), end=date(2023, 1, 31))
    return _row(database)


def asked(service: Any) -> list[tuple[int, int]]:
    return [(body["output"]["width"], body["output"]["height"])
            for path, body in service.requests if path.endswith("/process")]  # fmt: skip


def test_a_cloudy_day_is_refused_before_it_is_paid(database, mine, sentinel_hub, rasters, sky):
    sky.scl = 9
    acquisition = discovered(database, mine, sentinel_hub, 70)
    assert not preview(database, acquisition, mine)[1]
    row = _row(database)
    assert row.state == "quarantined" and row.raster is None and row.cloud_share == 1
    assert row.reasons[0] == "cloud over 100 % of the AOI (at most 60 %; in a preview at 60 m, not downloaded)"
    assert row.processing_units == 0.005 and asked(sentinel_hub) == [coarse(mine.grid)]
    (validation,) = database.execute("select suite, passed, figures from validation").fetchall()
    assert validation["suite"] == "preview" and not validation["passed"] and validation["figures"]["valid_share"] == 0
    kinds = database.execute("select kind, processing_units from charge order by charge_id").fetchall()
    assert [tuple(kind.values()) for kind in kinds] == [("search", 0.01), ("preview", 0.005)]
    assert preview(database, row, mine)[1] and len(asked(sentinel_hub)) == 1  # nothing is due of it any more


def test_a_clear_day_is_looked_at_once_and_then_downloaded(database, mine, sentinel_hub, rasters, sky):
    acquisition = discovered(database, mine, sentinel_hub, None)
    assert preview(database, acquisition, mine)[1] and preview(database, _row(database), mine)[1]
    assert _row(database).state == "discovered" and len(asked(sentinel_hub)) == 1
    download(database, _row(database), mine)
    row = _row(database)
    assert row.state == "downloaded" and row.processing_units == pytest.approx(0.01)
    assert asked(sentinel_hub) == [coarse(mine.grid), (mine.grid.width, mine.grid.height)]


@pytest.mark.parametrize(
    ("tile", "collection", "state", "is_due"),
    [(70, "sentinel-2-l2a", "discovered", True), (None, "sentinel-2-l2a", "failed", True),
     (5, "sentinel-2-l2a", "discovered", False), (70, "sentinel-2-l1c", "discovered", False),
     (70, "sentinel-2-l2a", "downloaded", False)],
)  # fmt: skip
def test_when_a_look_is_due(database, mine, sentinel_hub, tile, collection, state, is_due):
    acquisition = discovered(database, mine, sentinel_hub, tile)
    assert due(database, replace(acquisition, collection=collection, state=state), mine) is is_due


def test_a_look_at_a_tiny_mine_saves_nothing(database, mine, sentinel_hub):
    import shapely

    tiny = replace(mine, aoi=shapely.multipolygons([shapely.box(81.1, 21.1, 81.102, 21.102)]))
    assert not due(database, discovered(database, mine, sentinel_hub, 70), tiny)


def test_what_a_person_releases_is_downloaded_without_another_look(database, mine, sentinel_hub, rasters, sky):
    sky.scl = 9
    acquisition = discovered(database, mine, sentinel_hub, 70)
    preview(database, acquisition, mine)
    with pytest.raises(WrongUse, match="was never downloaded"):
        quarantine.picture(database, acquisition.acquisition_id)
    quarantine.decide(database, acquisition.acquisition_id, "release", who="ann", why="steam of a plant")
    assert _row(database).state == "discovered"
    assert preview(database, _row(database), mine)[1] and len(asked(sentinel_hub)) == 1
    download(database, _row(database), mine)
    assert _row(database).state == "downloaded"


def test_a_rerun_looks_again(database, mine, sentinel_hub, rasters, sky):
    sky.scl = 9
    preview(database, discovered(database, mine, sentinel_hub, 70), mine)
    agenda.reopen(database, mine, model_for(mine, "s2-rgb"), start=None, end=None)
    assert _row(database).state == "discovered"
    sky.clear = 0.38  # 62 % under cloud: at the limit a look does not decide
    assert preview(database, _row(database), mine)[1]


def test_a_look_that_fails_is_a_try(database, mine, sentinel_hub, rasters, sky):
    acquisition = discovered(database, mine, sentinel_hub, 70)
    sentinel_hub.failures = [(400, {"error": {"message": "no"}})]
    assert not preview(database, acquisition, mine)[1]
    assert (_row(database).state, _row(database).tries) == ("failed", 1)
    sentinel_hub.failures = [(401, {})] * 2
    with pytest.raises(ServiceDown, match="refuses the credentials"):
        preview(database, _row(database), mine)
    assert _row(database).tries == 2
    sky.seen = 0
    assert not preview(database, _row(database), mine)[1] and _row(database).reasons == [EMPTY]
    assert not preview(database, _row(database), mine)[1] and _row(database).state == "quarantined"
    assert _row(database).reasons[0].startswith("the swath covers 0 % of the AOI")


def test_an_answer_without_data_is_believed_the_second_time():
    nothing, something = np.zeros((1, 2, 2)), np.eye(2)[None]
    refuse_empty(something, nouns.acquisition())
    with pytest.raises(ServiceError, match="sent no data"):
        refuse_empty(nothing, nouns.acquisition(reasons=["answered 500"]))
    refuse_empty(nothing, nouns.acquisition(reasons=[EMPTY]))


def test_a_band_without_values_is_believed_the_second_time():
    array = np.ones((3, 8, 8), np.uint16)
    refuse_empty(array, nouns.acquisition(), ["B02", "SCL"])
    array[0, 1:] = 0
    refuse_empty(array, nouns.acquisition(), ["B02", "SCL"])
    array[:2] = 0
    with pytest.raises(ServiceError, match=r"^the service sent no values of B02, SCL$") as refused:
        refuse_empty(array, nouns.acquisition(reasons=[EMPTY]), ["B02", "SCL"])
    refuse_empty(array, nouns.acquisition(reasons=[str(refused.value)]), ["B02", "SCL"])


def test_the_figures_are_shares_of_the_aoi():
    scl, data_mask = np.array([[9, 4], [11, 3]]), np.array([[1, 1], [1, 0]])
    assert figures(scl, data_mask, np.ones((2, 2), bool)) == {
        "aoi_coverage": 0.75, "valid_share": 0.25, "cloud_share": 0.5,
        "hidden": "25 % snow, 25 % outside the swath, 25 % cloud or shadow",
    }  # fmt: skip
    assert figures(scl, data_mask, np.array([[0, 1], [0, 0]], bool))["valid_share"] == 1
