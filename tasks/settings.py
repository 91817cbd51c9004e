"""Every setting of MineCam: typed, described, read from the environment.

A value comes from the environment, else from `stack.env` in the home folder (written by `minecam up`
with the addresses of the embedded stack), else from the default here.
"""

import logging
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks import stackfile
from tasks.errors import StackError, WrongUse
from tasks.text import one_line

log = logging.getLogger(__name__)

RENAMED = {"MINECAM_LOOK_TILE_CLOUD": "MINECAM_PREVIEW_TILE_CLOUD"}
"""Variables as earlier versions called them: they still work, and say so."""


def default_home() -> Path:
    """`/var/lib/minecam` for root (a service's place), the user's data folder for everybody else."""
    if os.geteuid() == 0:
        return Path("/var/lib/minecam")
    return platformdirs.user_data_path("minecam")


def home() -> Path:
    """The home folder, needed before the other settings can be read."""
    return Path(os.environ.get("MINECAM_HOME") or default_home()).expanduser().absolute()


class Settings(BaseSettings):
    """The settings; each field is the environment variable MINECAM_<FIELD> unless it says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix="MINECAM_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=default_home, description="Folder of the embedded stack: database, rasters, logs"
    )
    database_url: str | None = Field(None, repr=False, description="PostGIS to use; without it the embedded cluster")
    rasters: str | None = Field(
        None,
        description="Where rasters go: file:// or s3:// address; without it, the folder `rasters` of the home. "
        "An object store is reached by the standard variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
        "AWS_DEFAULT_REGION, and AWS_ENDPOINT_URL where it is not Amazon's",
    )

    dask_address: str | None = Field(
        None,
        description="Dask scheduler whose workers do the fleet's work, such as tcp://dask-scheduler:8786; without it, "
        "this machine does",
    )

    sh_client_id: str | None = Field(
        None,
        validation_alias=AliasChoices("SH_CLIENT_ID"),
        description="Copernicus Data Space client id (SH_CLIENT_ID)",
    )
    sh_client_secret: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SH_CLIENT_SECRET"), description="Its secret (SH_CLIENT_SECRET)"
    )
    sh_base_url: str = Field(
        "https://sh.dataspace.copernicus.eu",
        description="Server that speaks the Sentinel Hub API; http on loopback only",
    )
    sh_token_url: str = Field(
        "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token",
        description="Where the client fetches its token",
    )
    sh_attempts: int = Field(4, ge=1, description="How often a request is tried when the service fails")
    sh_retry_seconds: float = Field(5.0, ge=0, description="Pause before the second try; each further one is 3x longer")
    sh_timeout_seconds: float = Field(120.0, gt=0, description="How long one request may take")

    pu_month: float | None = Field(
        10_000, gt=0, description="Processing units that a calendar month may cost; the free tier has 10,000"
    )
    requests_month: int | None = Field(10_000, ge=1, description="Requests that a calendar month may have")
    pu_minute: float | None = Field(300, gt=0, description="Processing units that a minute may cost")
    requests_minute: int | None = Field(300, ge=1, description="Requests that a minute may have")
    sh_concurrency: int = Field(4, ge=1, description="Requests to the service at once, of all workers together")
    reserve: float = Field(
        0.2, ge=0, lt=0.5, description="Share of the month's budget that is kept for mines of each higher priority"
    )
    preview_tile_cloud: float = Field(
        0.1, ge=0, le=1,
        validation_alias=AliasChoices("MINECAM_PREVIEW_TILE_CLOUD", "MINECAM_LOOK_TILE_CLOUD"),
        description="Tiles cloudier than this share are previewed in 60 m before they are downloaded",
    )  # fmt: skip

    collection: str = Field("sentinel-2-l2a", description="Sentinel-2 collection; L2A carries the SCL band")
    lookback_days: int = Field(30, ge=1, description="How far back a scheduled run searches a mine not seen before")
    max_tries: int = Field(5, ge=1, description="How often an acquisition is tried before it is left as failed")
    overlap_days: int = Field(10, ge=0, description="How far a scheduled search reaches back before the latest sensing")
    max_aoi_km2: float = Field(10_000, gt=0, description="Largest AOI that is accepted")
    max_tile_cloud: float = Field(1.0, ge=0, le=1, description="Tiles cloudier than this share are not even discovered")

    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Least share of the AOI inside the swath: half of a mine is worth an epoch"
    )
    min_valid: float = Field(
        0.3, ge=0, le=1,
        description="Least share of the AOI that must be truly observed: below it few segments are seen whole",
    )  # fmt: skip
    max_cloud: float = Field(
        0.6, ge=0, le=1,
        description="Largest share of the AOI under cloud, shadow or cirrus: between so many clouds much is haze",
    )  # fmt: skip
    max_saturated: float = Field(
        0.2, ge=0, le=1,
        description="Largest share of valid pixels with a reflectance of 1 or more: roofs and glint are far less",
    )  # fmt: skip
    max_gain: float = Field(
        2.0, ge=1,
        description="Factor by which a band may differ from all before in nearly every pixel: seasons reach 1.6",
    )  # fmt: skip
    max_stripes: int = Field(
        0,
        ge=0,
        description="Stripes that bands may have: a line of pixels that stands out and never did before is a fault",
    )
    min_shift_px: float = Field(
        0.5, ge=0, description="Shift in pixels above which it is undone: below, moving pixels blurs more than it mends"
    )
    max_shift_px: float = Field(
        3.0, ge=0, description="Largest shift in pixels that is undone: geolocation is never off by so much"
    )
    cloud_mask: Literal["scl", "csmask"] = Field(
        "scl",
        description="What tells clouds and shadows: scl, of L2A only, or csmask, a network (pip install "
        "'minecam[csmask]') where an acquisition has B02, B03, B04, B08, B11 and B12; elsewhere scl all the same",
    )
    cloud_margin_px: int = Field(2, ge=0, description="Pixels around clouds and shadows that are not valid either")

    cloud_reach_px: int = Field(
        30, ge=0, description="Pixels around what is not valid within which the network counts as less sure"
    )

    model: str = Field("s2-rgb-mines", description="Model that watches mines which name none")
    device: str = Field("auto", description="auto, cpu or cuda")
    runtime: Literal["auto", "torch", "openvino"] = Field(
        "auto", description="What runs the network: auto is OpenVINO on a CPU where it is installed, else torch"
    )
    predict_memory_mb: int = Field(2048, ge=512, description="What the network may take for the tiles it has before it")
    together_mpx: float = Field(
        16.0, gt=0, description="Million pixels of acquisitions that go through the network together"
    )

    rasters_mb: int = Field(256, ge=0, description="Memory of a worker for the rasters that it read last")

    workers: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 1) // 4),
        ge=1, description="Processes that watch the fleet on this machine; 1: the run itself",
    )  # fmt: skip

    border_px: int = Field(1, ge=0, description="Border tolerance: rim of a segment that never counts as change")
    min_confidence: float = Field(
        0.7, ge=0, le=1, description="Needed before and after a change: in mine or none, or in the component"
    )
    min_change_hectares: float = Field(
        0.2, gt=0, description="Minimum mapping unit of changed ground, of any component"
    )
    min_segment_hectares: float = Field(
        0.04, ge=0, description="Specks smaller than this join their neighbour, in a change too"
    )

    notification_block: str = Field(
        "minecam-alerts", description="Prefect notification block that is told of alerts while there are no routes"
    )
    notify_attempts: int = Field(2, ge=1, description="How often a notification is tried in one run")
    notify_retry_seconds: float = Field(
        1.0, ge=0, description="Pause before the second try; the n-th is n times longer"
    )
    schedule: str = Field("0 6 * * *", description="Cron expression (UTC) of the scheduled run over all mines")
    prefect_days: int = Field(
        30, ge=1,
        description="Days that the embedded Prefect server keeps runs that have ended, with their logs and artifacts, "
        "and events at most 7; what was found stays in PostGIS",
    )  # fmt: skip
    prefect_port: int = Field(4200, description="Port of the embedded Prefect server (the next free one if taken)")
    archive_port: int = Field(4280, description="Port of the local archive (the next free one if taken)")
    archive: Path | None = Field(None, description="Folder of the local archive; without it, `archive` in the home")

    @field_validator("rasters", "sh_base_url", "sh_token_url")
    @classmethod
    def _without_password(cls, address: str | None) -> str | None:
        if address is not None and "@" in address:  # it stands in rows, logs and messages
            raise ValueError("user and password do not belong into this address, which is shown: leave them out")
        return address

    @field_validator("schedule")
    @classmethod
    def _of_five_fields(cls, cron: str) -> str:
        if len(cron.split()) != 5 and not cron.startswith("@"):  # Prefect would take a sixth, at the end, for seconds
            raise ValueError(
                "a cron expression has five fields: minute, hour, day of the month, month, day of the week, such as "
                "0 6 * * * for every day at 06:00 UTC"
            )
        return cron

    @field_validator("cloud_mask")
    @classmethod
    def _installed(cls, value: str) -> str:
        if value == "csmask" and not find_spec("ukis_csmask"):
            raise ValueError("it is not installed: pip install 'minecam[csmask]', or set MINECAM_CLOUD_MASK=scl")
        return value

    @property
    def database_address(self) -> str:
        """Address of the PostGIS database; raises StackError while there is none."""
        if self.database_url is None:
            raise StackError("there is no database: run `minecam up`, or set MINECAM_DATABASE_URL")
        return self.database_url

    @property
    def archive_folder(self) -> Path:
        """Folder of the local archive."""
        return self.archive or self.home / "archive"

    @property
    def raster_root(self) -> str:
        """Address below which rasters are written, without a slash at the end."""
        return (self.rasters or (self.home / "rasters").as_uri()).rstrip("/")


def chosen() -> dict[str, str]:
    """Return the environment variables that set a setting, or lead to an object store (AWS_*), with their values; no
    others, however they are called."""
    names = variables()
    return {name: value for name, value in os.environ.items() if name in names or name.startswith("AWS_")}


def variables() -> dict[str, str]:
    """Return by environment variable what `Settings` takes its value as."""
    found: dict[str, str] = {}
    for field_name, field in Settings.model_fields.items():
        if isinstance(field.validation_alias, AliasChoices):
            found |= {str(name): str(name) for name in field.validation_alias.choices}
        else:
            found[f"MINECAM_{field_name.upper()}"] = field_name
    return found


def settings() -> Settings:
    """Return the settings as environment and `stack.env` say now; raises WrongUse for a value that is none."""
    file = home() / "stack.env"
    try:
        written = file.stat().st_mtime_ns
    except OSError:
        written = 0  # there is none
    return _read(frozenset(os.environ.items()), file, written)


@lru_cache(maxsize=4)
def _read(environment: frozenset[tuple[str, str]], file: Path, written: int) -> Settings:
    """Read the settings, which takes milliseconds: once for an environment, and a file as it was written then."""
    for old, new in RENAMED.items():
        if old in dict(environment):
            log.warning("%s is called %s now: the old name goes with version 0.3", old, new)
    try:
        set_already = {name.upper() for name, value in environment if value}
        there = {name: value for name, value in stackfile.read(file).items() if value and name not in set_already}
        known = variables()
        filed = {known[name]: value for name, value in there.items() if name in known}
        return Settings(**{**filed, "home": file.parent})  # type: ignore[arg-type]
    except ValidationError as error:
        raise WrongUse(in_words(error)) from None  # pydantic repeats what was given, which may hold a password


def in_words(error: ValidationError) -> str:
    """Return in one line which variables hold what is no value of their setting."""
    wrong = [(str(one["loc"][0]), one["input"], one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    names = (field if field.isupper() else f"MINECAM_{field.upper()}" for field, _, _ in wrong)
    return "; ".join(
        f"{name}={one_line(given)}: {reason}" for name, (_, given, reason) in zip(names, wrong, strict=True)
    )
