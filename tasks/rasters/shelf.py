"""The rasters that were read last, decoded: an acquisition is read by four steps, and as a reference of later ones.

One is given again only while what lies at its address has not been touched since. Of one process, for all its threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from tasks.settings import settings

if TYPE_CHECKING:
    from tasks.rasters.cog import Raster

_lock = threading.Lock()
_shelf: OrderedDict[Hashable, "Raster"] = OrderedDict()


def label(address: str, checksum: str | None, file: Mapping[str, Any]) -> Hashable:
    """Return what a raster is found by: `file` is what fsspec's `info` says of it, on a disk or in an object store."""
    return address, checksum, file.get("size"), str(file.get("mtime") or file.get("ETag") or file.get("LastModified"))


def taken(of: Hashable) -> "Raster | None":
    """Return the raster with that label, or None."""
    with _lock:
        if of in _shelf:
            _shelf.move_to_end(of)
        return _shelf.get(of)


def put(of: Hashable, raster: "Raster") -> None:
    """Keep a raster, whose array nobody may change from now on, and let go of the oldest beyond MINECAM_RASTERS_MB."""
    raster.array.setflags(write=False)
    with _lock:
        _shelf[of] = raster
        held = sum(one.array.nbytes for one in _shelf.values())
        while held > settings().rasters_mb * 2**20:
            held -= _shelf.popitem(last=False)[1].array.nbytes
