"""Layers without rows."""

from tipg.model import Extent

from deploy.features.layer import Layer


def test_a_layer_without_rows_has_no_extent_and_can_be_drawn_all_the_same() -> None:
    about = {"type": "Table", "id": "minecam.zone", "table": "zone", "schema": "minecam"}
    empty = Layer(**about)
    assert empty.extent is None and empty.dt_bounds is None and empty.bounds == [-180, -90, 180, 90]
    some = Layer(**about, ground=Extent(spatial={"bbox": [[1, 2, 3, 4]]}))
    assert some.bounds == [1, 2, 3, 4]
