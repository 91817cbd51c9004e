"""Rasters in an object store: as on a disk, and every refusal in words. The server is real HTTP on loopback."""

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tasks.errors import RasterError, RasterLost
from tasks.rasters.cog import read_raster, write_cog
from tasks.rasters.grid import Grid
from tests.tasks.store import Store, forget, s3, s3_server

__all__ = ["s3", "s3_server"]

GRID = Grid(32642, 500000, 3700000, 40, 30)
ADDRESS = "s3://rasters/of/minecam/east-pit/s2-rgb/2023-01-08-1.tif"
PIXELS = (np.arange(1200) % 11).astype(np.uint8).reshape(30, 40)


def write(address: str = ADDRESS) -> str:
    return write_cog(address, PIXELS, GRID, descriptions=["class"], nodata=255, tags={"baseline": "05.09"})


def test_a_raster_comes_back_as_it_went_and_as_it_lies_on_a_disk(s3: Store, tmp_path) -> None:
    checksum = write()
    raster = read_raster(ADDRESS, checksum)
    assert (raster.array[0] == PIXELS).all() and raster.grid == GRID and raster.tags["baseline"] == "05.09"
    assert s3.objects() == [ADDRESS.removeprefix("s3://rasters/")]  # nothing temporary is left
    assert write(f"file://{tmp_path}/a/b.tif") == checksum
    assert (tmp_path / "a" / "b.tif").read_bytes() == s3.content(s3.objects()[0])
    assert write() == checksum and len(s3.objects()) == 1


def test_a_lost_or_damaged_object_has_to_be_made_again(s3: Store) -> None:
    checksum = write()
    (key,) = s3.objects()
    with pytest.raises(RasterLost, match="not what its checksum says"):
        read_raster(ADDRESS, "0" * 64)
    s3.client().put_object(Bucket=s3.bucket, Key=key, Body=s3.content(key)[:300])
    with pytest.raises(RasterLost, match="not what its checksum says"):
        read_raster(ADDRESS, checksum)
    with pytest.raises(RasterLost, match="truncated or no GeoTIFF"):
        read_raster(ADDRESS)
    s3.client().delete_object(Bucket=s3.bucket, Key=key)
    with pytest.raises(RasterLost, match="it is missing"):
        read_raster(ADDRESS, checksum)


@pytest.mark.parametrize(
    ("variable", "value", "address", "why"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", ADDRESS, "signature|Forbidden"),
        ("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN", ADDRESS, "does not exist in our records|Forbidden"),
        ("AWS_ACCESS_KEY_ID", None, ADDRESS, "credentials"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", ADDRESS, "Could not connect|Cannot connect"),
        ("AWS_ENDPOINT_URL", "127.0.0.1", ADDRESS, "Invalid endpoint"),
        ("AWS_DEFAULT_REGION", "eu-central-1", "s3://of-others/x.tif", "Access Denied|Forbidden"),
    ],
)
def test_a_store_that_refuses_says_why_and_nothing_counts_as_lost(
    s3: Store, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None, address: str, why: str
) -> None:
    write()
    before = s3.objects()
    if value is None:
        monkeypatch.delenv(variable)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    else:
        monkeypatch.setenv(variable, value)
    forget()
    with pytest.raises(RasterError, match=why) as refused:
        write(address)
    assert "MINECAM_RASTERS" in str(refused.value) and "\n" not in str(refused.value)
    assert s3.secret not in str(refused.value)
    with pytest.raises(RasterError, match=why) as unread:
        read_raster(address)
    assert not isinstance(unread.value, RasterLost)
    monkeypatch.undo()
    assert s3.objects() == before


def test_a_bucket_that_is_not_there_is_not_made_and_nothing_in_it_counts_as_lost(s3: Store) -> None:
    """A slip in the name of a bucket must neither make one, for which somebody pays, nor fetch all rasters anew."""
    s3.client().delete_bucket(Bucket=s3.bucket)
    with pytest.raises(RasterError, match="bucket does not exist"):
        write()
    with pytest.raises(RasterError, match="bucket does not exist") as unread:
        read_raster(ADDRESS)
    assert not isinstance(unread.value, RasterLost)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.objects()
