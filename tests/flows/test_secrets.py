"""Secrets stay where they belong: runs that succeed and runs that fail in every way, and a search of all they leave."""

import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

import sql
from deploy import cli
from deploy.stack import health, stack
from deploy.stack.cluster import Cluster
from flows import monitor
from tasks import stackfile
from tasks.acquire.client import forget_tokens
from tests.flows.test_monitor import scenes, watch
from tests.tasks.conftest import sentinel_hub
from tests.tasks.segment.test_epochs import mine
from tests.tasks.store import Store, forget, s3, s3_server

__all__ = ["mine", "s3", "s3_server", "scenes", "sentinel_hub", "watch"]

CLIENT, TOKEN, PASSWORD, HOOK = "Sh7client9xQ", "Tok3bearer8zW", "Pg5w/ord@4:kJ", "T0K3N-hook-6mV"
DAYS = {"start": date(2023, 1, 1), "end": date(2023, 1, 31)}


class Output:
    """All that was said and kept, to be searched."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}

    def add(self, name: str, text: str) -> None:
        self.parts[name] = self.parts.get(name, "") + text

    def leaks(self, secrets: dict[str, str]) -> list[str]:
        """Return where which secret stands, with what stands before it."""
        return [
            f"{name}: {secret} in {text[max(text.index(form) - 120, 0) : text.index(form) + 20]!r}"
            for name, text in self.parts.items()
            for secret, value in secrets.items()
            for form in {value, quote(value, safe=""), json.dumps(value)[1:-1]}
            if form in text
        ]


@pytest.fixture
def hook() -> Iterator[Any]:
    """A receiver of notifications whose address is its password; `status` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        status, received = 200, 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            Handler.received += 1
            Handler.asked = self.path  # type: ignore[attr-defined]
            self.send_response(Handler.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/services/{HOOK}"  # type: ignore[attr-defined]
    yield Handler
    server.shutdown()
    server.server_close()


def everything(database: str) -> str:
    """Return every row of every table of a database as text."""
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        return "\n".join(
            f"{table} {row}"
            for (table,) in tables
            for row in connection.execute(f"select t::text from {table} t").fetchall()  # type: ignore[call-overload]
        )


def with_password(address: str, user: str = "minecam", password: str = PASSWORD) -> str:
    """Return the address of a test database with a user and a password in it."""
    name, _, rest = address.removeprefix("postgresql:///").partition("?")
    host = dict(part.split("=") for part in rest.split("&"))["host"]
    return f"postgresql://{user}:{quote(password, safe='')}@/{name}?host={host}"


@pytest.fixture
def asks_for_passwords(cluster: Cluster, database: sql.Connection) -> Iterator[str]:
    """A user of whom the cluster wants a password, which is not PASSWORD."""
    file = cluster.folder / "pgdata" / "pg_hba.conf"
    before = file.read_text()
    database.execute("drop role if exists guarded")
    database.execute("create role guarded login password 'another'")
    file.write_text(f"local all guarded scram-sha-256\n{before}")
    database.execute("select pg_reload_conf()")
    yield "guarded"
    file.write_text(before)
    database.execute("select pg_reload_conf()")
    database.execute("drop role guarded")


def test_secrets_stand_nowhere(
    database_url: str, database: sql.Connection, home: Path, cluster: Cluster, watch: Any, scenes: Any, hook: Any,
    sentinel_hub: Any, s3: Store, asks_for_passwords: str, monkeypatch: Any, capfd: Any, caplog: Any,
) -> None:  # fmt: skip
    secrets = {
        "client secret": CLIENT, "access token": TOKEN, "database password": PASSWORD, "S3 secret": s3.secret,
        "webhook": HOOK,
    }  # fmt: skip
    said = Output()
    caplog.set_level(logging.DEBUG, logger="tasks")
    caplog.set_level(logging.DEBUG, logger="prefect")

    def token(form: str) -> tuple[int, dict[str, str], bytes]:
        """Give a token; to others repeat what they sent, as careless servers do."""
        if CLIENT not in form or sentinel_hub.truncate:
            return 401, {}, json.dumps({"error": "invalid_client", "error_description": form}).encode()
        return 200, {}, json.dumps({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}).encode()

    monkeypatch.setattr(sentinel_hub, "token", token)
    monkeypatch.setenv("SH_CLIENT_SECRET", CLIENT)
    monkeypatch.setenv("MINECAM_DATABASE_URL", with_password(database_url))
    monkeypatch.setenv("MINECAM_SH_ATTEMPTS", "1")
    monkeypatch.setenv("MINECAM_NOTIFY_ATTEMPTS", "1")
    scenes.days = {1: (["A_N0509_"], 10, 0), 5: (["B_N0509_"], 20, 0)}

    def run() -> bool:
        """Run the flow as an operator would; whether it ended well."""
        forget_tokens()
        forget()
        try:
            monitor.mine("pit", **DAYS)
        except Exception as error:
            chain: BaseException | None = error
            while chain is not None:
                said.add("errors", f"{chain!r}\n")
                chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
            return False
        return True

    def command(*words: str) -> None:
        """Give a command of `minecam`."""
        monkeypatch.setattr(sys, "argv", ["minecam", *words])
        with pytest.raises(SystemExit), monkeypatch.context() as own:
            own.setattr(cli.os, "environ", dict(cli.os.environ))
            cli.main()

    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        # Prefect shows a block's fields as they are; what is secret of an address belongs into `secrets`.
        CustomWebhookNotificationBlock(
            name="minecam-alerts", url=hook.url.replace(HOOK, "{{key}}"), secrets={"key": HOOK},
            json_data={"text": "{{body}}"},
        ).save("minecam-alerts", overwrite=True)  # fmt: skip
        hook.status = 500
        assert run()
        hook.status = 200
        assert run() and hook.received >= 2 and HOOK in hook.asked
        assert database.execute("select count(*) as n from delivery where delivered_at is not null").fetchone()["n"] > 0
        assert s3.objects()

        scenes.days[9] = (["C_N0509_"], 20, 0)
        with monkeypatch.context() as wrong:
            wrong.setattr(sentinel_hub, "truncate", True)  # every token is refused, with what was sent
            assert not run()
        with monkeypatch.context() as wrong:
            wrong.setattr(sentinel_hub, "reply", lambda *_: (500, {}, b"<html>no</html>"))
            assert not run()
        for name, value in (
            ("MINECAM_SH_BASE_URL", "http://127.0.0.1:9"),
            ("MINECAM_SH_TOKEN_URL", "http://127.0.0.1:9/token"),
            ("MINECAM_SH_BASE_URL", f"https://us:{CLIENT}@example.invalid"),
            ("MINECAM_RASTERS", f"s3://{s3.key}:{s3.secret}@rasters/x"),
            ("AWS_SECRET_ACCESS_KEY", f"{s3.secret}x"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("MINECAM_DATABASE_URL", with_password(database_url, user=asks_for_passwords)),
            ("MINECAM_DATABASE_URL", f"postgresql://minecam:{PASSWORD}@/nothing"),
            ("MINECAM_DATABASE_URL", f"postgresq://minecam:{PASSWORD}@localhost/nothing"),
            ("MINECAM_DATABASE_URL", f"postgresql://minecam:{quote(PASSWORD)}@[::1/nothing"),
            ("MINECAM_DATABASE_URL", f"host=/nowhere user=minecam password={PASSWORD}"),
            ("MINECAM_DATABASE_URL", f"host=/nowhere password '{PASSWORD}'"),
        ):
            with monkeypatch.context() as wrong:
                wrong.setenv(name, value)
                if name != "MINECAM_DATABASE_URL" or asks_for_passwords in value:  # all of them fail alike, in time
                    assert not run(), name
                command("mine", "list")
                said.add("doctor", " ".join(finding.words for finding in (
                    health._found("postgis", health._database), health._found("sentinel hub", health._service),
                )))  # fmt: skip
        for words in (("mine", "list", "--json"), ("alerts", "--json"), ("report", "pit", "--json"), ("cost",),
                      ("route", "list"), ("quarantine",), ("qgis", str(home / "minecam.qgs"))):  # fmt: skip
            command(*words)
        APILogHandler().flush()

        with get_client(sync_client=True) as client:
            logs = client.read_logs(limit=200)
            runs = client.read_flow_runs()
        assert len(logs) == 200 and len(runs) > 10
        said.add("states", "\n".join(f"{one.state}" for one in runs))

    printed, complained = capfd.readouterr()
    said.add("stdout", printed)
    said.add("stderr", complained)
    said.add("log", caplog.text)
    said.add("database", everything(database_url))
    said.add("prefect", everything(cluster.url("prefect")))
    for file in [*home.rglob("*"), home / "minecam.qgs"]:
        if file.is_file():
            said.add(str(file), file.read_text("latin-1"))
    for key in s3.objects():
        said.add(key, s3.content(key).decode("latin-1"))
    for name in ("stdout", "stderr", "log", "errors", "database", "prefect", "states", "doctor"):
        assert said.parts[name], f"nothing was found in {name}: the search would find nothing either"
    assert "minecam-alerts" in said.parts["prefect"]
    found = said.leaks(secrets)
    assert not found, "\n".join(found)


def test_the_file_that_holds_secrets_is_the_owners_alone_and_the_addresses_shown_hold_none(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "stack.new").write_text("of a start that was killed")
    stackfile.write(home / "stack.env", {"MINECAM_DATABASE_URL": with_password(database_url), "PREFECT_API_URL": "x"})
    assert (home / "stack.env").stat().st_mode & 0o777 == 0o600
    shown = json.dumps(stack.addresses())
    assert "psql" in shown and not any(form in shown for form in (PASSWORD, quote(PASSWORD, safe="")))


def test_psql_is_given_the_password_where_others_cannot_read_it(
    home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deploy.cli import db

    given: list[list[str]] = []
    monkeypatch.setenv("MINECAM_DATABASE_URL", with_password(database_url))
    monkeypatch.setattr(db.os, "execv", lambda _, arguments: given.append(arguments))
    with monkeypatch.context() as own:
        own.setattr(db.os, "environ", dict(db.os.environ))
        db.psql("select 6 * 7 as answer", "read")
        environment = dict(db.os.environ)
    ((program, *arguments),) = given
    assert not any(PASSWORD in word or quote(PASSWORD, safe="") in word for word in arguments)
    assert environment["PGPASSWORD"] == PASSWORD and shutil.which(program)
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)
    assert "42" in done.stdout
