"""The archive folder as the server sees it: STAC items and the scenes they point at.

Items are read when their file changes, so an import shows at once in a running server.
"""

import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from deploy.archive.failures import MALFORMED

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scene:
    """One product of the archive."""

    name: str
    collection: str
    when: datetime
    created: str
    outline: BaseGeometry
    cloud_cover: float | None
    path: Path
    item: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """Properties of the STAC item."""
        return self.item["properties"]


def parse_time(text: str) -> datetime:
    """Return an ISO time as an aware UTC datetime; raises ValueError."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def read_item(file: Path, root: Path) -> Scene:
    """Return the scene that the STAC item `file` describes; raises ValueError or KeyError when it is none."""
    item = json.loads(file.read_text())
    properties: dict[str, Any] = dict(item["properties"])
    outline = shape(item["geometry"])
    if not outline.is_valid or outline.is_empty:
        raise ValueError("its geometry is no outline")
    if not isinstance(item["id"], str) or not item["id"].isprintable():
        raise ValueError("its id is none")
    path = Path(os.path.normpath(root / item["assets"]["data"]["href"]))
    if not path.is_relative_to(os.path.normpath(root)):
        raise ValueError("its scene lies outside of the archive")
    shapely.prepare(outline)
    cloud = properties.get("eo:cloud_cover")
    return Scene(
        name=str(item["id"]),
        collection=str(item.get("collection") or file.parent.name),
        when=parse_time(properties["datetime"]),
        created=str(properties.get("created") or ""),
        outline=outline,
        cloud_cover=None if cloud is None else float(cloud),
        path=path,
        item=item,
    )


class Folder:
    """The items of an archive folder, kept up to date with what lies on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, tuple[tuple[int, int], Scene | None]] = {}
        self._lock = threading.Lock()

    def scenes(self, collection: str) -> list[Scene]:
        """Return the scenes of `collection`, the newest sensing first; a broken item is left out and logged."""
        with self._lock:
            found = [scene for scene in self._refresh(self.root / "items" / collection) if scene is not None]
        return sorted(found, key=lambda scene: (scene.when, scene.created, scene.name), reverse=True)

    def _refresh(self, folder: Path) -> Iterator[Scene | None]:
        present = {file: (stat.st_mtime_ns, stat.st_size) for file, stat in _stats(folder)}
        for gone in [file for file in self._known if file.parent == folder and file not in present]:
            del self._known[gone]
        for file, stamp in present.items():
            if self._known.get(file, (None, None))[0] != stamp:
                self._known[file] = (stamp, self._read(file))
            yield self._known[file][1]

    def _read(self, file: Path) -> Scene | None:
        try:
            return read_item(file, self.root)
        except (*MALFORMED, OSError) as error:
            log.warning("%s is left out: it is no item of an archive (%r)", file, error)
            return None


def _stats(folder: Path) -> Iterator[tuple[Path, Any]]:
    for file in folder.glob("*.json"):
        try:
            yield file, file.stat()
        except FileNotFoundError:  # replaced or removed while we look
            continue
