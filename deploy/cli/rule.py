"""`minecam rule`: what raises alerts, and what a rule would have raised in the past."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

import sql
from deploy.cli.console import draw
from models.labels import LABELS
from tasks.alert import MINED, NOT_MINED, OF_CALENDAR, OF_CHANGE, rules, unit
from tasks.errors import WrongUse
from tasks.settings import settings

app = typer.Typer(help="Rules that raise alerts: list, add, try out.", no_args_is_help=True)

SAID = ("name", "description", "measure", "from_names", "to_names", "place", "threshold", "window_days",
        "severity_steps", "confirm_n", "confirm_m", "expire_days", "cooldown_days", "mine", "country", "commodity",
        "enabled")  # fmt: skip
"""Fields of a rule that `list --json` prints."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Threshold = Annotated[float | None, typer.Option(min=0.01, help="From which it fires: hectares, per cent or days.")]
Confirm = Annotated[str | None, typer.Option(help="Observations that must agree, of so many: 2/3.")]


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the rules.

    Example: minecam rule list
    """
    with sql.connect(settings().database_address, role="read") as connection:
        rows = rules.listed(connection)
    if as_json:
        typer.echo(json.dumps([{field: row[field] for field in SAID} for row in rows]))
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Rule", "Fires on", "Where", "From", "Severer", "Confirmed by", "For", "On"):
        drawn.add_column(heading, justify="right" if heading == "From" else "left")
    for row in rows:
        scope = ", ".join(row[name] for name in ("mine", "country", "commodity") if row[name]) or "all mines"
        drawn.add_row(
            row["name"], _fires_on(row), row["place"].replace("_", " "), f"{row['threshold']:g} {unit(row['measure'])}",
            ", ".join(f"{step:g}x" for step in row["severity_steps"]),
            "-" if row["measure"] in OF_CALENDAR else f"{row['confirm_n']} of {row['confirm_m']}", scope,
            "yes" if row["enabled"] else "no",
        )  # fmt: skip
    draw(drawn, width=130)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and hyphens.")],
    threshold: Annotated[float, typer.Option(min=0.01, help="From which it fires: hectares, per cent or days.")],
    description: Annotated[str, typer.Option(help="What a notification says of it.")],
    measure: Annotated[str, typer.Option(help=f"What is measured: {', '.join(rules.MEASURES)}.")] = "transition",
    from_: Annotated[
        str, typer.Option("--from", help="Labels that the ground had; otherwise background, reclaimed.")
    ] = "",
    to: Annotated[str, typer.Option(help="Labels that it has now; otherwise any component but reclaimed.")] = "",
    place: Annotated[str, typer.Option(help=f"Where: {', '.join(rules.PLACES)}.")] = "anywhere",
    window_days: Annotated[
        int | None, typer.Option("--window", min=1, help="Days over which growth is measured.")
    ] = None,
    severity_steps: Annotated[
        str, typer.Option("--steps", help="Multiples of the threshold for more severity.")
    ] = "2,5",
    confirm: Confirm = "2/3",
    expire_days: Annotated[int, typer.Option(min=1, help="Days after which it expires unconfirmed.")] = 180,
    cooldown_days: Annotated[
        int,
        typer.Option("--cooldown", min=0, help="Days after a closed alert in which a new one is told when confirmed."),
    ] = 30,
    mine: Annotated[str | None, typer.Option(help="Only for this mine.")] = None,
    country: Annotated[str | None, typer.Option(help="Only for mines of this country.")] = None,
    commodity: Annotated[str | None, typer.Option(help="Only for mines of this commodity.")] = None,
) -> None:
    """Add a rule; from the next epoch on it raises alerts.

    Measures: transition (ground that became another class), hectares (of the classes, all together), patch (of ground
    that lies together: a pond), growth and growth_percent (within --window days), unseen (days without a valid look),
    silent (days in which nothing came of any mine, beyond the longest gap in 60 days), given_up (acquisitions that
    failed as often as they are tried).

    Example: minecam rule add fast-pit --measure growth --window 90 --to excavation --threshold 5 --description Fast
    """
    rule = rules.rule_of(
        name=name, description=description, measure=measure, place=place, threshold=threshold, window_days=window_days,
        from_classes=rules.classes(from_) if from_ else NOT_MINED if measure == OF_CHANGE else (),
        to_classes=rules.classes(to) if to else () if measure in OF_CALENDAR else MINED,
        severity_steps=_steps(severity_steps), expire_days=expire_days, cooldown_days=cooldown_days, mine=mine,
        country=country, commodity=commodity, **_confirmation(confirm),
    )  # fmt: skip
    with sql.connect(settings().database_address, role="admin") as connection:
        count = rules.mines_of(connection, rules.add(connection, rule))
    typer.echo(f"rule '{name}' added, for {count} mines; `minecam rule test {name}` says what it would have raised")


@app.command()
def enable(name: str) -> None:
    """Let a rule raise alerts again.

    Example: minecam rule enable new-water
    """
    _switch(name, enabled=True)


@app.command()
def disable(name: str) -> None:
    """Let a rule raise no new alerts; those that stand are carried on.

    Example: minecam rule disable new-water
    """
    _switch(name, enabled=False)


@app.command()
def test(
    name: Annotated[str, typer.Argument(help="The rule.")],
    threshold: Threshold = None,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Replay history: what the rule, or the rule with other figures, would have raised. Writes nothing.

    Example: minecam rule test new-digging --threshold 5 --confirm 1/1
    """
    changed: dict[str, Any] = {"threshold": threshold, **(_confirmation(confirm) if confirm else {})}
    with sql.connect(settings().database_address, role="admin") as connection:
        (row,) = rules.listed(connection, name)
        rehearsed = rules.of_row(row, **changed)
        events = rules.rehearse(connection, rehearsed)
    said = [
        {"mine": one["slug"], "date": f"{one['on']:%Y-%m-%d}", "alert": one["alert_id"], "state": one["to_state"],
         "measured": round(one["measured"], 2), "unit": unit(one["measure"]), "severity": one["severity"],
         "why": one["why"].replace(rehearsed.name, name)}
        for one in events
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(said))
        return
    drawn = Table(box=None, pad_edge=False)
    for heading in ("Mine", "Date", "State", "Measured", "Why"):
        drawn.add_column(heading, justify="right" if heading == "Measured" else "left")
    for one in said:
        amount = f"{one['measured']:,.2f} {one['unit']}"
        drawn.add_row(one["mine"] or "(the fleet)", one["date"], one["state"], amount, one["why"])
    if said:
        draw(drawn, width=130)
    raised = sum(one["from_state"] is None for one in events)
    confirmed = sum(one["to_state"] == "confirmed" != one["from_state"] for one in events)
    typer.echo(f"{raised} alerts raised, {confirmed} confirmed")


def _switch(name: str, *, enabled: bool) -> None:
    with sql.connect(settings().database_address, role="admin") as connection:
        rules.enable(connection, name, enabled=enabled)
    typer.echo(f"rule '{name}' is {'on' if enabled else 'off'}")


def _fires_on(row: sql.Row) -> str:
    """Return what a rule measures, in a few words."""
    to = _labels(row["to_names"])
    return {
        "transition": f"{_labels(row['from_names'])} → {to}",
        "hectares": f"hectares of {to}",
        "patch": f"a patch of {to}",
        "growth": f"growth of {to} in {row['window_days']} days",
        "growth_percent": f"growth of {to} in {row['window_days']} days",
        "unseen": "days since a mine was seen",
        "silent": "days since anything came",
        "given_up": "acquisitions given up",
    }[row["measure"]]


def _labels(names: list[str] | None) -> str:
    """Return the names of labels, those of many in a word."""
    given = set(names or ())
    every = {label.name for label in LABELS if label.id in MINED}
    if given == {label.name for label in LABELS if label.id in NOT_MINED}:
        return "no mine"
    if len(given) > 5:
        return "mine" if given >= every else f"mine but {', '.join(sorted(every - given))}"
    return ", ".join(names or ()).replace("_", " ")


def _steps(words: str) -> tuple[float, ...]:
    try:
        return tuple(float(step) for step in words.split(",") if step.strip())
    except ValueError:
        raise WrongUse(f"'{words}' are no severity steps: give multiples of the threshold, such as 2,5") from None


def _confirmation(words: str | None) -> dict[str, int]:
    n, _, m = (words or "").partition("/")
    if not (n.isdecimal() and m.isdecimal()):
        raise WrongUse(f"'{words}' is no confirmation: give n/m, such as 2/3")
    return {"confirm_n": int(n), "confirm_m": int(m)}
