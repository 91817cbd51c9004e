"""`minecam model`: trains, evaluates and lists models."""

import typer

app = typer.Typer(help="Train, evaluate and list models.", no_args_is_help=True)
