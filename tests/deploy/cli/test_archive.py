from pathlib import Path

import numpy as np
import pytest
import rasterio
from typer.testing import CliRunner

from deploy.cli.archive import app


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_import_of_nothing_but_refused_scenes_fails(tmp_path: Path) -> None:
    scene = tmp_path / "pit" / "20230101.tif"
    scene.parent.mkdir()
    with rasterio.open(scene, "w", driver="GTiff", count=1, width=4, height=4, dtype="uint16") as dataset:
        dataset.write(np.ones((1, 4, 4), np.uint16))
        dataset.set_band_description(1, "B02")
    result = CliRunner().invoke(app, ["import", str(scene.parent), str(tmp_path / "archive")])
    assert result.exit_code == 1
    assert "0 places, 0 scenes, 1 refused" in result.output and "has no CRS" in result.output
