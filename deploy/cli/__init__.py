"""The `minecam` command: every command group in one place, and the one place where errors become words.

Exit status: 0 fine, 1 failed, 2 wrong use.
"""

import os
import sys

import typer
from pydantic import ValidationError

from deploy.cli import (
    alerts,
    archive,
    backtest,
    cost,
    db,
    demo,
    export,
    mine,
    mine_edit,
    model,
    qgis,
    quarantine,
    report,
    route,
    rule,
    run,
    serve,
    stack,
    zone,
)
from deploy.stack.stack import QUIET, environment
from tasks.errors import EXPLAINED, WrongUse
from tasks.settings import Settings, in_words

app = typer.Typer(
    name="minecam",
    help="Watch surface mines from space: see README.md for the first steps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo.demo, stack.up, stack.down, stack.status, stack.doctor, run.run, run.backfill, report.report, cost.cost,
    export.export, serve.serve, qgis.qgis, backtest.backtest,
):  # fmt: skip
    app.command()(command)
for edit in (mine_edit.edit, mine_edit.retire, mine_edit.resume):
    mine.app.command()(edit)
app.add_typer(mine.app, name="mine")
app.add_typer(zone.app, name="zone")
app.add_typer(archive.app, name="archive")
app.add_typer(model.app, name="model")
app.add_typer(alerts.app, name="alerts")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(rule.app, name="rule")
app.add_typer(route.app, name="route")
app.add_typer(db.app, name="db")


def main() -> None:
    """Run the command; errors that explain themselves become one line on stderr."""
    try:
        leading = {name: value for name, value in environment().items() if name.startswith("PREFECT_")}
        os.environ.update({**QUIET, **leading, **os.environ})  # what the caller has set stands
        app()
    except EXPLAINED as error:
        typer.echo(f"minecam: {error}", err=True)
        sys.exit(2 if isinstance(error, WrongUse) else 1)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        typer.echo(f"minecam: {in_words(error)}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
