"""The Process API of the local archive: a request's body in, the bytes of its answer out.

Understand, find the scenes, run the evalscript over them, charge, encode.
"""

import io
import json
import tarfile
import threading
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from deploy.archive.charging import processing_units
from deploy.archive.evalscript import Evalscript, Input
from deploy.archive.failures import Refused, bad
from deploy.archive.folder import Scene
from deploy.archive.mosaic import footprint, layers
from deploy.archive.process_request import ProcessRequest, Source, parsed

DRIVERS = {"image/tiff": "GTiff", "image/png": "PNG", "image/jpeg": "JPEG"}
SUFFIXES = {"image/tiff": "tif", "image/png": "png", "image/jpeg": "jpg", "application/json": "json"}
TAR = "application/x-tar"
_ONE_SCRIPT = threading.Lock()
"""mini-racer crashes the process where V8 contexts are made, run or freed in several threads at once."""


@dataclass(frozen=True)
class Answer:
    """What goes over the wire; `units` are the processing units it cost."""

    content: bytes
    media_type: str
    units: float


def process(body: Any, accept: str, scenes: Callable[[str], list[Scene]]) -> Answer:
    """Return the answer to a Process request; `scenes` gives those of a collection, newest first."""
    asked = parsed(body)
    area = footprint(asked.frame)
    groups = []
    with _ONE_SCRIPT, closing(Evalscript(asked.evalscript)) as script:
        for one in script.inputs:
            source = _source_of(one, asked)
            found = [scene for scene in source.usable(scenes(source.collection.name)) if scene.outline.intersects(area)]
            groups.append(layers(one, source, found, asked.frame, script.mosaicking))
        arrays, metadata = script.run(groups, shape=(asked.frame.height, asked.frame.width))
        units = processing_units(asked, script, max(len(group) for group in groups))
    return Answer(*_encode(asked, accept, arrays, metadata), units)


def _source_of(one: Input, asked: ProcessRequest) -> Source:
    if len(asked.sources) == 1:
        return asked.sources[0]
    for source in asked.sources:
        if one.datasource is not None and one.datasource == source.identifier:
            return source
    raise bad(f"the evalscript's datasource '{one.datasource}' is no id of the request's data sources")


def _encode(
    asked: ProcessRequest, accept: str, arrays: dict[str, np.ndarray], metadata: dict[str, Any]
) -> tuple[bytes, str]:
    """Return content and media type; `Accept` of one image type overrides the format of the body."""
    files = {}
    override = accept.split(",")[0].split(";")[0].strip()
    for identifier, kind in asked.responses.items():
        if kind == "application/json":
            files[identifier] = (kind, json.dumps(metadata.get("userData", {})).encode())
        elif identifier in arrays:
            kind = override if override in DRIVERS and len(asked.responses) == 1 else kind
            files[identifier] = (kind, _image(arrays[identifier], kind, asked))
        else:
            raise bad(f"the evalscript has no output '{identifier}'", parameter="output->responses->identifier")
    if override == TAR:
        return _tar(files), TAR
    if len(files) > 1:
        raise Refused(406, f"Several responses need 'Accept: {TAR}'", "COMMON_NOT_ACCEPTABLE")
    ((kind, content),) = files.values()
    return content, kind


def _image(planes: np.ndarray, kind: str, asked: ProcessRequest) -> bytes:
    frame = asked.frame
    if kind != "image/tiff" and (planes.dtype not in (np.uint8, np.uint16) or len(planes) not in (1, 3, 4)):
        raise bad(f"{kind} needs 1, 3 or 4 bands of 8 or 16 bits", parameter="output->responses->format")
    profile: dict[str, Any] = {
        "driver": DRIVERS[kind], "count": len(planes), "height": frame.height, "width": frame.width,
        "dtype": planes.dtype.name, "crs": f"EPSG:{frame.epsg}", "transform": frame.transform,
    }  # fmt: skip
    if kind == "image/tiff":
        profile |= {"compress": "deflate", "zlevel": 1}
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # PNG has no place for it
        with memory.open(**profile) as dataset:
            dataset.write(planes)
        return memory.read()


def _tar(files: dict[str, tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for identifier, (kind, content) in files.items():
            member = tarfile.TarInfo(f"{identifier}.{SUFFIXES[kind]}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
