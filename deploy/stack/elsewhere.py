"""What a fleet needs on other machines, examined for `minecam doctor`: Dask, the pool's workers, the object store."""

import uuid
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import httpx

from tasks.errors import StackError
from tasks.text import one_line

PATIENCE = 10
"""Seconds that each has to answer."""
TAGS = {"download": "download=4", "segment": "segment=1"}
"""Resources of Dask workers that steps ask for, and how a worker is given them."""


def dask(address: str) -> str:
    """Return how many workers Dask has at `address`; raises StackError where it cannot do the fleet's work."""
    from distributed import Client  # a second, and seldom needed

    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StackError(
            f"nobody answers at MINECAM_DASK_ADDRESS={address} ({one_line(str(error))}): start `dask scheduler` there, "
            "correct the address, or leave it out: then this machine does all the work"
        ) from error
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise StackError(f"Dask at {address} has no workers: start `dask worker {address} "
                             f"--resources \"{' '.join(TAGS.values())}\"`")  # fmt: skip
        return _fit(workers, client.run(version, "minecam", on_error="return"), version("minecam"))


def _fit(workers: Mapping[str, Any], versions: Mapping[str, Any], ours: str) -> str:
    """Return in words what the workers of Dask can do; raises StackError where some cannot, or none can."""
    others = {name: "none" if isinstance(told, Exception) else told for name, told in versions.items() if told != ours}
    if others:
        name, told = next(iter(others.items()))
        raise StackError(f"{len(others)} of {len(workers)} Dask workers have another MineCam than {ours} (that at "
                         f"{name}: {told}): install the same one everywhere, then start them anew")  # fmt: skip
    able = {tag: sum(tag in one["resources"] for one in workers.values()) for tag in TAGS}
    lacking = [tag for tag, count in able.items() if not count]
    if lacking:
        resources = " ".join(TAGS[tag] for tag in lacking)
        raise StackError(f"no Dask worker has the tag {' or '.join(lacking)}, and what needs it waits for ever: "
                         f"start one with --resources \"{resources}\"")  # fmt: skip
    return f"{len(workers)} Dask workers, of which {able['download']} download and {able['segment']} segment"


def pool() -> str:
    """Say that the pool has a worker; raises StackError where it has none, is paused, or is not there."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import WorkPoolStatus
    from prefect.exceptions import ObjectNotFound

    from deploy.stack.worker import POOL  # reads the address of the Prefect server when it is imported

    try:
        with get_client(sync_client=True) as client:
            found = client.read_work_pool(POOL)
    except ObjectNotFound as error:
        raise StackError(f"there is no work pool '{POOL}': run `python -m deploy.deployments`") from error
    except httpx.HTTPError as error:
        raise StackError(f"the Prefect server at PREFECT_API_URL does not answer ({error})") from error
    if found.is_paused:
        raise StackError(f"the work pool '{POOL}' is paused: resume it in the Prefect UI, or no run begins")
    if found.status != WorkPoolStatus.READY:
        raise StackError(f"no worker of the work pool '{POOL}' is online, and no run begins: start "
                         f"`prefect worker start --pool {POOL}`")  # fmt: skip
    return f"a worker of the pool '{POOL}' is online"


def store(root: str) -> str:
    """Write, read and remove a few bytes below `root`, an s3:// address; raises StackError where that fails."""
    import s3fs
    from botocore.exceptions import BotoCoreError

    limits = {"connect_timeout": PATIENCE, "read_timeout": PATIENCE, "retries": {"max_attempts": 1}}
    path = f"{root}/doctor-{uuid.uuid4()}"
    try:
        files = s3fs.S3FileSystem(config_kwargs=limits, skip_instance_cache=True, use_listings_cache=False)
        files.retries = 1
        files.pipe_file(path, b"well")
        fine = files.cat_file(path) == b"well"
        files.rm_file(path)
    except (OSError, BotoCoreError) as error:
        raise StackError(
            f"{root} cannot be written ({one_line(str(error))}): see that the store runs and has the bucket, and that "
            "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are those of a key that may write there"
        ) from error
    if not fine:
        raise StackError(f"{root} gives other bytes than were written: see what the store does with objects")
    return f"{root} takes and gives"
