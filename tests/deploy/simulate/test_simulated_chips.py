"""Training chips: layout of the labelled chips, whole sites in one split."""

import csv
import json

import numpy as np
import rasterio

from deploy.simulate import make_chips
from deploy.simulate.surfaces import S2_BANDS


def test_chips_have_images_radar_labels_and_splits_by_site(tmp_path):
    make_chips(tmp_path, chips=18, size=96, seed=3)
    with (tmp_path / "sites.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18 and {row["split"] for row in rows} == {"train", "val"}
    assert len({(row["site"], row["split"]) for row in rows}) == len({row["site"] for row in rows})
    classes = set()
    for row in rows:
        with rasterio.open(tmp_path / "images" / f"{row['chip']}.tif") as image:
            assert image.descriptions == S2_BANDS and image.dtypes[0] == "uint16" and image.read().min() > 0
            bounds = image.bounds
        with rasterio.open(tmp_path / "radar" / f"{row['chip']}.tif") as radar:
            assert radar.descriptions == ("VV", "VH") and radar.bounds == bounds
        with rasterio.open(tmp_path / "labels" / f"{row['chip']}.tif") as label:
            assert label.bounds == bounds
            classes |= set(np.unique(label.read(1)))
    assert classes == set(range(11))
    assert [row["id"] for row in json.loads((tmp_path / "classes.json").read_text())] == list(range(11))
