"""Data Docs of great-expectations: all that was measured of the acquisitions, held against the suites of today.

A folder of pages for people, built on demand from the figures in the database. Beside the flow of data.
"""

import re
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

import sql
from tasks.errors import WrongUse
from tasks.settings import settings
from tasks.suites import context, expectations, suite, table

ACQUISITION = "acquisition"
"""Column that says of which acquisition a row is: its number and day."""

REMOTE = re.compile(
    r"""<script\b.*?</script>|<link\b[^>]*>|<footer\b.*?</footer>|url\('https?:[^)]*\)|<img\b[^>]*src="https?:[^>]*>""",
    re.DOTALL,
)
"""What pages fetch from the network: scripts, style sheets, logos, a newsletter."""


def build(connection: sql.Connection, folder: Path, mine: str | None = None) -> Path:
    """Write the Data Docs of one mine (slug), or of all, into `folder`, a new or empty one; return the page to open.

    A page for each mine and suite, with the latest figures of every acquisition. They need no network. Raises WrongUse
    when there is nothing to show, or the folder holds something or cannot be written.
    """
    rows = sql.run(connection, "validation_latest", mine=mine)
    if not rows:
        raise WrongUse("nothing was validated yet: `minecam run`")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WrongUse(f"{folder} is not empty: name a new folder")
        _write(rows, folder)
        for page in folder.rglob("*.html"):
            page.write_text(_offline(page.read_text()))
        rmtree(folder / "static")
        (folder / "index.html").write_text(_index(rows, folder))
    except OSError as error:
        raise WrongUse(f"{folder} cannot be written: {error.strerror}") from error
    return folder / "index.html"


def _write(rows: list[sql.Row], folder: Path) -> None:
    import great_expectations as gx

    kept = context()
    for site in kept.get_site_names():
        kept.delete_data_docs_site(site)
    kept.add_data_docs_site(
        site_name="minecam",
        site_config={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
        },
    )
    suites = {
        kind: kept.suites.add(gx.ExpectationSuite(name=kind, expectations=expectations(suite(kind, settings()))))
        for kind in sorted({row["kind"] for row in rows})
    }
    source = kept.data_sources.add_pandas("mines")
    for (mine, kind), group in groupby(rows, key=lambda row: (row["mine"], row["kind"])):
        name = f"{mine} {kind}"
        asset = source.add_dataframe_asset(name)
        definition = kept.validation_definitions.add(
            gx.ValidationDefinition(
                name=name, data=asset.add_batch_definition_whole_dataframe("all"), suite=suites[kind]
            )
        )
        checkpoint = gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [ACQUISITION]},
        )
        kept.checkpoints.add(checkpoint).run(
            batch_parameters={"dataframe": _table(list(group), kind)}, run_id=gx.RunIdentifier(run_name=mine)
        )
    kept.build_data_docs()


def _table(rows: list[sql.Row], kind: str) -> Any:
    frame = table([row["figures"] for row in rows], suite(kind, settings()))
    frame.insert(0, ACQUISITION, [f"{row['acquisition_id']} of {row['sensing_time']:%Y-%m-%d}" for row in rows])
    return frame


def _index(rows: list[sql.Row], folder: Path) -> str:
    """Return the page that leads to the others; that of great-expectations is empty without scripts."""
    lines = []
    for page in sorted((folder / "validations").rglob("*.html")):
        kind, mine = page.relative_to(folder / "validations").parts[:2]
        passed = [row["passed"] for row in rows if (row["mine"], row["kind"]) == (mine, kind)]
        where = quote(page.relative_to(folder).as_posix())
        lines.append(
            f'<tr><td><a href="{where}">{mine}</a></td><td><a href="expectations/{kind}.html">{kind}</a></td>'
            f"<td>{len(passed)}</td><td>{passed.count(False)}</td></tr>"
        )
    return (
        f'<!DOCTYPE html><html><head><meta charset="UTF-8"><title>Validation</title><style>{_style()}</style></head>'
        '<body><div class="container"><h1>Validation</h1><p>The latest figures of every acquisition, held against the '
        "suites and settings of today. What was refused was so by those of its time.</p><table><thead><tr><th>Mine</th>"
        "<th>Suite</th><th>Acquisitions</th><th>Refused</th></tr></thead>"
        + "".join(lines)
        + "</table></div></body></html>"
    )


def _offline(page: str) -> str:
    """Return a page without what it would fetch from the network, and with a style sheet of its own."""
    return REMOTE.sub("", page).replace("</head>", f"<style>{_style()}</style></head>", 1)


def _style() -> str:
    return files("tasks.validate").joinpath("datadocs.css").read_text()
