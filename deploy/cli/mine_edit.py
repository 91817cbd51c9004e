"""`minecam mine edit | retire | resume`: what people change of a mine that is watched. What was before is kept."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

import sql
from deploy.cli.mine import only
from tasks import agenda
from tasks.errors import WrongUse
from tasks.mines import area_text, edits, imports, read_table, registry, sites
from tasks.settings import settings

Slug = Annotated[str, typer.Argument(help="The mine's slug.")]
Why = Annotated[str, typer.Option(help="The reason, kept with what was before.")]
By = Annotated[str | None, typer.Option(help="Who decides; otherwise the user who is logged in.")]


def _connect() -> sql.Connection:
    return sql.connect(settings().database_address, role="ingest")


def edit(
    slug: Slug,
    why: Why,
    outline: Annotated[Path | None, typer.Option(help="File with the new outline: another AOI.")] = None,
    licence: Annotated[Path | None, typer.Option(help="File with the new outline of the licensed ground.")] = None,
    no_licence: Annotated[bool, typer.Option("--no-licence", help="The licence is not known any more.")] = False,
    name: Annotated[str | None, typer.Option()] = None,
    country: Annotated[str | None, typer.Option()] = None,
    commodity: Annotated[str | None, typer.Option()] = None,
    operator: Annotated[str | None, typer.Option()] = None,
    mine_type: Annotated[str | None, typer.Option("--type", help="surface, underground, ...")] = None,
    model: Annotated[str | None, typer.Option(help="Model that watches it from now on.")] = None,
    notes: Annotated[str | None, typer.Option()] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the file of the outline, where it has several.")] = None,
    by: By = None,
) -> None:
    """Redraw a mine's outline or licence, or change its words; say what is to be made anew.

    Nothing is deleted: the outline before is kept, and so are the epochs of it.

    Example: minecam mine edit east-pit --licence new.geojson --why "extended in May"
    """
    if licence is not None and no_licence:
        raise WrongUse("--licence and --no-licence exclude each other")
    drawn = None
    if outline is not None:
        drawn = only(sites(read_table(outline, layer).frame, stem=outline.stem), outline.name)
    permit, unused = (None, []) if licence is None else imports.licence_of(licence)
    given = {"name": name, "country": country, "commodity": commodity, "operator": operator, "mine_type": mine_type,
             "model": model, "notes": notes}  # fmt: skip
    words = {word: text for word, text in given.items() if text is not None}
    with _connect() as connection, agenda.one_run_at_a_time(connection, registry.find(connection, slug)) as before:
        after = edits.edit(
            connection, before, who=by or getpass.getuser(), why=why, aoi=None if drawn is None else drawn.aoi,
            licence=permit, no_licence=no_licence, words=words,
        )  # fmt: skip
        past = edits.past(connection, after)
    for line in [*_said(before, after, past), *(f"left aside: licence: {what}" for what in unused)]:
        typer.echo(line)


def retire(slug: Slug, why: Why, by: By = None) -> None:
    """Let a mine be watched no more: it is not searched for, and not missed. All that is known of it stays.

    Example: minecam mine retire east-pit --why "closed and restored"
    """
    with _connect() as connection, agenda.one_run_at_a_time(connection, registry.find(connection, slug)) as mine:
        edits.retire(connection, mine, who=by or getpass.getuser(), why=why)
        past = edits.past(connection, mine)
    typer.echo(
        f"retired {slug}: its past ({_epochs(past.epochs)}) stays; `minecam mine resume {slug}` has it watched again"
    )
    if past.alerts:
        typer.echo(f"alerts that stand until you decide: {_listed(past.alerts)} (`minecam alerts resolve`)")


def resume(slug: Slug, why: Why, by: By = None) -> None:
    """Let a retired mine be watched again; what was sensed meanwhile is searched for.

    Example: minecam mine resume east-pit --why "digging goes on"
    """
    with _connect() as connection, agenda.one_run_at_a_time(connection, registry.find(connection, slug)) as mine:
        edits.resume(connection, mine, who=by or getpass.getuser(), why=why)
    typer.echo(f"{slug} is watched again: the next run searches from where the last one ended")


def _said(before: registry.Mine, after: registry.Mine, past: edits.Past) -> list[str]:
    """Return what an edit changed, and what is to be made anew by it."""
    slug, said = after.slug, []
    anew = f"`minecam run {slug} --from {past.first_day} --rerun`"
    changed = [word for word in edits.EDITABLE if getattr(before, word) != getattr(after, word)]
    if changed:
        said.append(f"{slug}: {', '.join(word.replace('_', ' ') for word in changed)} changed")
    if "model" in changed:
        said.append("the next run segments by the new model what is here, and compares it by itself")
    if not after.aoi.equals(before.aoi):
        said.append(f"{slug}: {area_text(before.aoi)} became {area_text(after.aoi)}; the outline before is kept")
        if past.before:
            how = "segments them anew" if after.grid == before.grid else "fetches and segments them anew, which costs"
            verb = "is" if past.before == 1 else "are"
            said.append(
                f"{_epochs(past.before)} {verb} of the outline before, and kept as such: "
                f"on another grid nothing new is compared with them, and growth is measured without them; {anew} {how}"
            )
    if before.licence != after.licence:
        area = "no licence" if after.licence is None else f"a licence of {area_text(after.licence)}"
        said.append(f"{slug}: {area} from the next epoch on; the one before is kept")
        if past.epochs:
            said.append(f"{anew} judges the epochs that are here by it")
        if past.outside_licence:
            said.append(f"alerts outside the licence before, which stand until you decide: "
                        f"{_listed(past.outside_licence)} (`minecam alerts resolve`)")  # fmt: skip
    return said


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"


def _listed(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:20])) + (f" and {len(ids) - 20} more" if len(ids) > 20 else "")
