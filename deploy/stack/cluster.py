"""A private PostGIS cluster: made by initdb, reached through a unix socket only, started as root or not.

Postgres refuses to run as root, so root runs it as the user `postgres`.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from tasks.errors import StackError

OWNER = "minecam"
SOCKET_PATH_LIMIT = 90  # 107 bytes for the whole socket address, its file name included


@dataclass(frozen=True)
class Cluster:
    """A cluster in `folder` (made on first start); its socket folder is derived from it."""

    folder: Path
    durable: bool = True

    @property
    def socket_folder(self) -> Path:
        """Folder of the unix socket: in the cluster, or a short one where the path would be too long."""
        inside = self.folder / "socket"
        if len(str(inside)) < SOCKET_PATH_LIMIT:
            return inside
        return Path("/tmp") / f"minecam-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"

    def url(self, database: str = "minecam", *, user: str = OWNER) -> str:
        """The libpq address of `database` for `user`."""
        return f"postgresql:///{database}?host={quote(str(self.socket_folder), safe='')}&user={user}"

    def prefect_url(self) -> str:
        """The SQLAlchemy address of the Prefect server's own database (asyncpg over the socket)."""
        return f"postgresql+asyncpg://{OWNER}@/prefect?host={quote(str(self.socket_folder), safe='/')}"

    @property
    def running(self) -> bool:
        """Whether the server answers."""
        return _postgres("pg_ctl", "status", "-D", str(self._pgdata), check=False).returncode == 0

    @property
    def _pgdata(self) -> Path:
        return self.folder / "pgdata"

    def start(self) -> None:
        """Make the cluster if there is none, start it if it is down, create its databases. Idempotent."""
        self._make_folders()
        if not (self._pgdata / "PG_VERSION").exists():
            # Into a temporary name first: a killed initdb must not look like a cluster.
            fresh = self.folder / "pgdata.new"
            shutil.rmtree(fresh, ignore_errors=True)
            _postgres(
                "initdb",
                "-D",
                str(fresh),
                "-U",
                OWNER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            )
            fresh.rename(self._pgdata)
        if not self.running:
            _postgres("pg_ctl", "start", "-w", "-t", "60", "-D", str(self._pgdata),
                      "-l", str(self.folder / "postgres.log"), "-o", self._options())  # fmt: skip
        for database in ("minecam", "prefect"):
            self.create_database(database)

    def stop(self) -> None:
        """Stop the server if it runs; what is committed stays."""
        if self.running:
            _postgres("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self._pgdata))

    def create_database(self, name: str) -> None:
        """Create a database unless it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))

    def _options(self) -> str:
        speed = "" if self.durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        return (
            f"-c listen_addresses='' -c unix_socket_directories='{self.socket_folder}' "
            f"-c max_connections=200 -c shared_buffers=256MB -c log_min_messages=warning{speed}"
        )

    def _make_folders(self) -> None:
        for folder in (self.folder, self.socket_folder):
            folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                owner = _postgres_user()
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        if os.geteuid() == 0 and not _may_enter(self.folder):
            raise StackError(
                f"the user postgres cannot enter {self.folder}: set MINECAM_HOME to a folder "
                "whose parents everybody may traverse, such as /var/lib/minecam"
            )


def _postgres_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError as error:
        raise StackError("there is no user postgres: install PostGIS with `make setup`") from error


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        raise StackError(f"{name} is not installed: run `make setup`, or set MINECAM_DATABASE_URL to a PostGIS server")
    return path


def _as_postgres(*command: str) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


def _may_enter(folder: Path) -> bool:
    return subprocess.run(_as_postgres("test", "-w", str(folder)), cwd="/", check=False).returncode == 0


def _postgres(program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = _as_postgres(_binary(program), *arguments)
    # The server inherits these handles: a pipe would never close, so the output goes to a file of pg_ctl's.
    keep_output = program != "pg_ctl" or arguments[0] != "start"
    result = subprocess.run(
        command,
        cwd="/",
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if keep_output else subprocess.DEVNULL,
    )
    if check and result.returncode != 0:
        lines = (result.stdout or "").strip().splitlines()
        raise StackError(f"{program} failed{': ' + lines[-1] if lines else ', see postgres.log in its folder'}")
    return result
