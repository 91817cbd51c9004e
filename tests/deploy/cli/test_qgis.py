"""The QGIS project names layers that are there, by keys that are keys, in the colours of the classes."""

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

import sql
from deploy.cli.qgis import qgis
from models.labels import COMPONENTS
from tasks.errors import WrongUse
from tasks.mines import registry

HISTORY = Path(__file__).parent.parent.parent / "sql" / "history.sql"


def test_every_layer_of_the_project_can_be_opened(home: Path, database: sql.Connection, tmp_path: Path) -> None:
    registry.publish_labels(database)
    registry.publish_labels(database)
    database.execute(HISTORY.read_text())  # type: ignore[call-overload]
    with pytest.raises(WrongUse, match=r"must end in \.qgs"):
        qgis(tmp_path / "minecam.qgz")
    qgis(tmp_path / "minecam.qgs")
    root = Xml.parse(tmp_path / "minecam.qgs").getroot()
    assert len({layer.findtext("id") for layer in root.iter("maplayer")}) == 6
    for layer in root.iter("maplayer"):
        source = layer.findtext("datasource") or ""
        found = re.search(r"user='minecam_read' key='(\w+)' .* table=\"minecam\"\.\"(\w+)\" \(geom\)$", source)
        assert found, source
        key, view = found.groups()
        row = database.execute(
            f"select count(*) as rows, count(distinct {key}) as keys from {view} where geom is not null"
        )  # type: ignore[call-overload]
        assert len(set((row.fetchone() or {}).values())) == 1
        assert layer.find("renderer-v2") is not None
    [latest] = [layer for layer in root.iter("maplayer") if layer.findtext("id") == "minecam_layer_latest_segment"]
    assert [one.get("value") for one in latest.iter("category")] == [label.name for label in COMPONENTS]
    first = next(prop.get("v") for prop in latest.iter("prop") if prop.get("k") == "color")
    assert first == ",".join(map(str, (*COMPONENTS[0].rgb, 255)))
