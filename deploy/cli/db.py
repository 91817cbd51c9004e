"""`minecam db`: the database itself."""

import os
import shutil
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import sql
from tasks.errors import StackError
from tasks.mines import registry
from tasks.settings import settings

app = typer.Typer(help="Migrate the database, or open it in psql.", no_args_is_help=True)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this MineCam; `minecam up` does so by itself.

    Example: minecam db migrate
    """
    with sql.connect(settings().database_address) as connection:
        applied = sql.migrate(connection)
        registry.publish_labels(connection)
    typer.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


@app.command()
def psql(
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this and end.")] = None,
    role: Annotated[sql.Role, typer.Option(help="Who to be: read, ingest (what flows do), or admin.")] = "read",
) -> None:
    """Open the database in psql, to read; the tables and views are in the schema `minecam`.

    Example: minecam db psql -c "select * from mine_history limit 5"
    """
    program = shutil.which("psql")
    if program is None:
        raise StackError("psql is not installed: run `make setup`")
    os.environ["PGOPTIONS"] = f"-c search_path=minecam,public -c role=minecam_{role}"
    arguments = ["-c", command] if command else []
    of = conninfo_to_dict(settings().database_address)
    if password := of.pop("password", None):
        os.environ["PGPASSWORD"] = str(password)  # everybody can read the arguments of a process
    os.execv(program, [program, make_conninfo(**{name: str(value) for name, value in of.items()}), *arguments])
