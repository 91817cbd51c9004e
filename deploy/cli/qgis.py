"""`minecam qgis`: a QGIS project of mines, segments, changes and alerts, in the colours of the classes."""

from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree as Xml  # written here; what is read comes from our own database

import typer
from psycopg.conninfo import conninfo_to_dict

import sql
from deploy.features import COLLECTIONS
from tasks.errors import WrongUse
from tasks.settings import settings

LAYERS = {
    "open_alert": True,
    "mine_status": True,
    "zone": True,
    "current_change": False,
    "latest_segment": True,
    "current_segment": False,
}
"""What the project shows, from the top, and whether it is drawn at first."""


def qgis(
    out: Annotated[Path, typer.Argument(help="Project file to write (.qgs).")] = Path("minecam.qgs"),
) -> None:
    """Write a QGIS project that shows mines, segments, changes and alerts straight from the database.

    Example: minecam qgis minecam.qgs
    """
    if out.suffix != ".qgs":
        raise WrongUse(f"{out} must end in .qgs")
    address = settings().database_address
    with sql.connect(address, role="read") as connection:
        styles = {row["layer"]: row["style"] for row in sql.run(connection, "styles")}
    out.write_bytes(project(address, styles))
    typer.echo(f"{out}: open it in QGIS")


def project(address: str, styles: dict[str, str]) -> bytes:
    """Return the project over the database at `address`, with `styles` (QML by layer); it holds no password."""
    root = Xml.Element("qgis", projectname="MineCam", version="3.22")
    Xml.SubElement(root, "title").text = "MineCam"
    _crs(Xml.SubElement(root, "projectCrs"))
    reference = Xml.SubElement(Xml.SubElement(root, "properties"), "SpatialRefSys")
    Xml.SubElement(reference, "ProjectionsEnabled", type="int").text = "1"
    tree, layers = Xml.SubElement(root, "layer-tree-group"), Xml.SubElement(root, "projectlayers")
    for view, drawn in LAYERS.items():
        title = COLLECTIONS[view]["title"]
        source = _source(address, view, COLLECTIONS[view]["pk"])
        name = f"minecam_layer_{view}"  # QGIS loses layers whose id is shorter than 13 characters
        about = {"id": name, "name": title, "providerKey": "postgres", "source": source}
        Xml.SubElement(tree, "layer-tree-layer", about, checked="Qt::Checked" if drawn else "Qt::Unchecked")
        layer = Xml.SubElement(layers, "maplayer", type="vector", geometry="Polygon", labelsEnabled="0")
        for tag, text in (("id", name), ("datasource", source), ("layername", title), ("provider", "postgres")):
            Xml.SubElement(layer, tag).text = text
        _crs(Xml.SubElement(layer, "srs"))
        if view in styles:
            layer.extend(Xml.fromstring(styles[view]))
    Xml.indent(root)
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True)


def _crs(parent: Xml.Element) -> None:
    system = Xml.SubElement(parent, "spatialrefsys")
    Xml.SubElement(system, "srsid").text = "3452"  # what QGIS calls EPSG:4326 in its own table
    Xml.SubElement(system, "authid").text = "EPSG:4326"


def _source(address: str, view: str, key: str) -> str:
    of = conninfo_to_dict(address)
    embedded = str(of.get("host", "")).startswith("/")  # a socket of our own, which asks for no password
    words = {"dbname": of["dbname"], "host": of.get("host"), "port": of.get("port")}
    words |= {"user": "minecam_read" if embedded else None, "key": key, "checkPrimaryKeyUnicity": "0"}
    said = " ".join(f"{name}='{value}'" for name, value in words.items() if value is not None)
    return f'{said} srid=4326 type=MultiPolygon table="minecam"."{view}" (geom)'
