"""`minecam up | down | status | doctor`: the embedded stack, and whether all is well."""

import json
from typing import Annotated

import typer

from deploy.stack import health, stack

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def up() -> None:
    """Start the embedded stack: PostGIS, Prefect server, worker, and the local archive without credentials.

    Example: minecam up
    """
    stack.up(typer.echo)
    for name, address in stack.addresses().items():
        typer.echo(f"{name:8} {address}")


def down() -> None:
    """Stop what `minecam up` started, and nothing else. All data stays.

    Example: minecam down
    """
    stack.down(typer.echo)


def status(as_json: Json = False) -> None:
    """Say which parts run, when the mines were last watched, and when they will be next.

    Example: minecam status
    """
    parts, runs = stack.status(), health.runs()
    if as_json:
        typer.echo(json.dumps({"parts": parts, "runs": runs}))
    else:
        for name, state in parts.items():
            typer.echo(f"{name:10} {state}")
        for name, words in runs.items():
            typer.echo(f"{name:10} {words or '-'}")
    if "down" in parts.values():
        raise typer.Exit(1)


def doctor(as_json: Json = False) -> None:
    """Check everything that watching needs, and say what to do about what is wrong.

    Example: minecam doctor
    """
    findings = health.examine()
    if as_json:
        typer.echo(json.dumps([vars(finding) for finding in findings]))
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.fine else 'FAIL'} {finding.subject:12} {finding.words}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
