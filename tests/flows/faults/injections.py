"""How the faults of the table are brought about, beyond what the proxy does by itself."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.io import MemoryFile

import sql
from deploy.stack.cluster import Cluster
from tasks.acquire import client
from tasks.mines import registry
from tests.flows.faults.proxy import Answer, Request, changes
from tests.flows.faults.world import DAYS, FIRST, PAGE, QUIET, SECOND, SLUG, World, small_disk

Inject = Callable[[World], None]


# ---- answers of the catalog


def features(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[Answer], Answer]:
    """Return what changes the products of a catalog answer."""

    def changed(answer: Answer) -> Answer:
        body = json.loads(answer.body)
        return replace(answer, body=json.dumps({**body, "features": change(body["features"])}).encode())

    return changed


def without(*path: str) -> Callable[[Answer], Answer]:
    """Leave something out of the product of the second day."""

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (holder,) = (one for one in found if SECOND in one["properties"]["datetime"])
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]
        return found

    return features(change)


def with_property(name: str, value: Any) -> Callable[[Answer], Answer]:
    """Give the product of the second day another value of a property."""
    return of_second(lambda properties: {**properties, name: value})


def of_second(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Answer], Answer]:
    """Return what changes the properties of the product of the second day, which is looked at in any case."""
    return features(
        lambda found: [
            {**one, "properties": change(one["properties"])} if SECOND in one["properties"]["datetime"] else one
            for one in found
        ]
    )


plainer = of_second(lambda properties: {"datetime": properties["datetime"]})


twice = features(lambda found: found + found)
nothing = features(lambda found: [])


def endless_pages(world: World) -> None:
    """Let every page of the catalog lead to another."""

    def on(answer: Answer) -> Answer:
        return replace(answer, body=json.dumps({**json.loads(answer.body), "context": {"next": 1}}).encode())

    patched(world, client, "MOST_REQUESTS", 5)
    world.request("search", changes(on))


# ---- answers with pixels


def pixels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Answer], Answer]:
    """Return what changes the (bands, H, W) array of an answer."""

    def changed(answer: Answer) -> Answer:
        with MemoryFile(answer.body) as memory, memory.open() as dataset:
            array, profile = change(dataset.read()), dataset.profile
        bands, height, width = array.shape
        profile.update(count=bands, height=height, width=width, dtype=array.dtype.name)
        with MemoryFile() as memory:
            with memory.open(**profile) as dataset:
                dataset.write(array)
            return replace(answer, body=bytes(memory.getbuffer()))

    return changed


zeros = pixels(np.zeros_like)
smaller = pixels(lambda array: array[:, 1:, 1:])
floats = pixels(lambda array: array.astype(np.float32))
a_band_less = pixels(lambda array: array[1:])


def priced(units: str) -> Callable[[Answer], Answer]:
    """Say another price."""
    return lambda answer: replace(answer, headers={**without_price(answer).headers, "X-ProcessingUnits-Spent": units})


def without_price(answer: Answer) -> Answer:
    """Do not say what it cost."""
    kept = {name: value for name, value in answer.headers.items() if name.lower() != "x-processingunits-spent"}
    return replace(answer, headers=kept)


# ---- products of the archive


def _item(world: World) -> Path:
    (item,) = world.archive.glob(f"items/sentinel-2-l2a/*_{FIRST.replace('-', '')}T*_N0511_*.json")
    return item


def product_gone(world: World) -> None:
    """Take the product of the first day away once it has been found."""
    item, aside = _item(world), world.home / "aside.json"

    def misdeed(request: Request) -> None:
        if item.exists():
            shutil.move(item, aside)
        request.wire.sendall(request.answer().sent())

    world.request("bands", misdeed, day=FIRST)
    world.undo.append(lambda: shutil.move(aside, item))


def add_newer(world: World) -> None:
    """Publish a newer product of the first day, darker and of another baseline."""
    item = json.loads(_item(world).read_text())
    name = item["id"].replace("_N0511_", "_N0512_")
    scene = world.archive / item["assets"]["data"]["href"]
    newer = scene.with_name(f"{name}.tif")
    shutil.copy(scene, newer)
    item["id"], item["assets"]["data"]["href"] = name, str(newer.relative_to(world.archive))
    item["properties"]["created"] = f"{FIRST}T23:00:00Z"
    file = _item(world).with_name(f"{name}.json")
    file.write_text(json.dumps(item))
    world.end.append(lambda: (file.unlink(), newer.unlink()))


def newer_product(world: World) -> None:
    """Publish it once the catalog has been searched."""
    done: list[bool] = []

    def misdeed(request: Request) -> None:
        if not done:
            done.append(True)
            add_newer(world)
        request.wire.sendall(request.answer().sent())

    world.request("bands", misdeed, day=FIRST)


# ---- network


def patched(world: World, module: Any, name: str, value: Any) -> None:
    """Let a limit be another while the fault lasts."""
    before = getattr(module, name)
    setattr(module, name, value)
    world.undo.append(lambda: setattr(module, name, before))


def short_time(fault: Inject) -> Inject:
    """Let requests take half a second at most."""

    def inject(world: World) -> None:
        world.setting(SH_TIMEOUT_SECONDS=0.5, SH_ATTEMPTS=1)
        fault(world)

    return inject


def too_large(fault: Inject) -> Inject:
    """Let answers have 200 kB at most."""

    def inject(world: World) -> None:
        patched(world, client, "MOST_BYTES", 200_000)
        fault(world)

    return inject


def nobody_listens(world: World) -> None:
    """Close the port."""
    world.proxy.close()


def unknown_name(world: World) -> None:
    """Ask a name that nobody has."""
    world.setting(SH_BASE_URL="https://nowhere.invalid")


def no_tls(world: World) -> None:
    """Ask by https where http is spoken."""
    world.setting(SH_BASE_URL=f"https://127.0.0.1:{world.proxy.port}")


# ---- disk


def full_at_the_second_day(world: World) -> None:
    """A disk that is full but for half an acquisition raster when the second comes."""
    _small(world, 1_000_000)
    filler = world.rasters / "filler"

    def misdeed(request: Request) -> None:
        free = shutil.disk_usage(world.rasters).free
        filler.write_bytes(bytes(free - world.raster(FIRST).stat().st_size // 2))
        request.wire.sendall(request.answer().sent())

    world.request("bands", misdeed, day=SECOND)
    world.undo.append(filler.unlink)


def full_after_the_downloads(world: World) -> None:
    """A disk that has a page left when both days are downloaded."""
    interrupted(world)
    _small(world, PAGE)


def _small(world: World, free: int) -> None:
    disk = small_disk(world.rasters, free)
    disk.__enter__()
    world.undo.append(lambda: disk.__exit__(None, None, None))


def read_only(world: World) -> None:
    """A disk that cannot be written."""
    _small(world, 1_000_000)
    subprocess.run(["mount", "-o", "remount,ro", world.rasters], check=True)


def file_for_folder(world: World) -> None:
    """A file where rasters should go."""
    world.rasters.write_text("not a folder")
    world.undo.append(world.rasters.unlink)


def parts_left(world: World) -> None:
    """Temporary files of a run that was killed while it wrote."""
    world.request("bands", _leaving_parts(world))


def _leaving_parts(world: World) -> Callable[[Request], None]:
    def misdeed(request: Request) -> None:
        (row,) = [row for row in world.acquisitions() if str(row["sensing_date"]) == request.day]
        folder = world.rasters / "sim-serra-vermelha" / "s2-rgb"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{request.day}-{row['acquisition_id']}.tif.0a1b2c3d.part").write_bytes(b"half")
        request.wire.sendall(request.answer().sent())

    return misdeed


def lost(file: Path) -> None:
    """Delete it."""
    file.unlink()


def cut(file: Path) -> None:
    """Leave half of it."""
    os.truncate(file, file.stat().st_size // 2)


def flipped(file: Path) -> None:
    """Flip a bit of it."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def hidden(file: Path) -> Callable[[], None]:
    """Put a folder in its place, for now."""
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    return lambda: (file.rmdir(), file.write_bytes(content))  # type: ignore[return-value]


def interrupted(world: World) -> None:
    """Let a run lose its connection when it has downloaded both days."""
    connection_lost("insert on validation", "new.suite <> 'preview'")(world)
    world.run()
    world.repair()


def downloaded_then(harm: Callable[[Path], Any]) -> Inject:
    """Download both days, and harm the acquisition raster of the first before it is judged."""

    def inject(world: World) -> None:
        interrupted(world)
        harm(world.raster(FIRST))

    return inject


def segmented_then(harm: Callable[[Path], Any], kind: str = "acquisition") -> Inject:
    """Watch the first day, and harm one of its rasters before the second comes."""

    def inject(world: World) -> None:
        world.run(end=DAYS[0])
        if undo := harm(world.raster(FIRST, kind)):
            world.undo.append(undo)

    return inject


# ---- database


def connection_lost(event: str, when: str = "true") -> Inject:
    """End the connection in the middle of a statement."""
    return lambda world: world.statement(event, "perform pg_terminate_backend(pg_backend_pid())", when=when)


def fails(event: str, code: str, when: str = "true") -> Inject:
    """Let a statement fail with that SQLSTATE."""
    return lambda world: world.statement(
        event, f"raise exception 'could not extend file: No space left' using errcode = '{code}'", when=when
    )


def _altered(world: World, change: str, back: str) -> None:
    name = world.database.info.dbname
    above = sql.connect(os.environ["MINECAM_DATABASE_URL"].replace(f"/{name}?", "/postgres?"))
    above.execute(f"alter database {name} {change}")  # type: ignore[call-overload]
    world.undo += [above.close, lambda: above.execute(f"alter database {name} {back}")]  # type: ignore[call-overload]


def read_only_database(world: World) -> None:
    """A server that lets nobody write."""
    _altered(world, "set default_transaction_read_only = on", "reset default_transaction_read_only")


def no_connections(world: World) -> None:
    """A server that lets nobody in."""
    _altered(world, "with allow_connections false", "with allow_connections true")


def held(world: World) -> None:
    """Another run has the mine."""
    other = sql.connect(os.environ["MINECAM_DATABASE_URL"])
    other.execute("select pg_advisory_lock(77, mine_id) from mine")
    world.undo.append(other.close)


def locked(world: World) -> None:
    """Somebody forgot to commit."""
    patched(world, sql.database, "LOCK_SECONDS", 1)
    other = sql.connect(os.environ["MINECAM_DATABASE_URL"])
    other.autocommit = False
    other.execute("lock table acquisition in exclusive mode")
    world.undo.append(other.close)


def restarted(world: World) -> None:
    """A server of its own, which is restarted while the first day is downloaded."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="minecam-")), durable=False)
    cluster.folder.chmod(0o755)
    cluster.start()
    world.end += [lambda: shutil.rmtree(cluster.folder), cluster.stop, lambda: world.database.close()]
    mine = registry.find(world.database, SLUG)
    address = cluster.url("minecam")
    world.move(address)
    sql.migrate(world.database)
    registry.publish_labels(world.database)
    registry.add(world.database, slug=mine.slug, name=mine.name, aoi=mine.aoi)
    world.database.execute(QUIET)

    def misdeed(request: Request) -> None:
        answer = request.answer()
        cluster.stop()
        cluster.start()
        world.move(address)
        request.wire.sendall(answer.sent())

    world.request("bands", misdeed, times=1, day=FIRST)
