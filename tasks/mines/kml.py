"""KML and KMZ made ready to be read: what only lies over the map is taken out, for it would be read as outlines."""

import re
import zipfile
from pathlib import Path

from tasks.text import clean

DRAPED = re.compile(rb"<(\w+:)?(GroundOverlay|PhotoOverlay|ScreenOverlay)\b.*?</(\w+:)?\2\s*>", re.DOTALL)
LINK = re.compile(rb"<(\w+:)?NetworkLink\b.*?</(\w+:)?NetworkLink\s*>", re.DOTALL)
NAME = re.compile(rb"<name>(.*?)</name>", re.DOTALL)


def documents(path: Path) -> tuple[list[bytes], list[str]]:
    """Return the KML documents of a KML or KMZ file without pictures and links, and in words what was taken out.

    Raises OSError, or zipfile.BadZipFile where a KMZ is none.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found = [archive.read(name) for name in archive.namelist() if name.lower().endswith(".kml")]
    else:
        found = [path.read_bytes()]
    aside = [
        f"{said}{_name(match[0])}"
        for pattern, said in (
            (DRAPED, "a picture over the map, which is no outline"),
            (LINK, "a link to another file, which is not followed"),
        )
        for document in found
        for match in pattern.finditer(document)
    ]
    return [LINK.sub(b"", DRAPED.sub(b"", document)) for document in found], aside


def _name(element: bytes) -> str:
    name = NAME.search(element)
    return f" ({clean(name[1].decode('utf-8', 'replace'))})" if name else ""
