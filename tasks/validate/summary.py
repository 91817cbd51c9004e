"""What a run found on validating a mine, as one Markdown artifact: figures, what failed, pictures of what was refused.

Beside the flow of data: `monitor` shows it once a run has judged all that came.
"""

import logging
from collections.abc import Mapping, Sequence

import sql
from tasks.errors import RasterError
from tasks.mines import Mine
from tasks.rasters import address, colours, read_raster, thumbnail
from tasks.suites import PREVIEW, SEGMENTS

log = logging.getLogger(__name__)

SHARES = ("aoi_coverage", "valid_share", "cloud_share")
MOST_PICTURES = 30
"""Thumbnails in one artifact; a backfill refuses hundreds, and Prefect sends an artifact whole."""


def summarise(connection: sql.Connection, mine: Mine, *, flow_run_id: str | None) -> str | None:
    """Show what the flow run validated of `mine` as the artifact `validation-<slug>` and return its text.

    None where nothing was validated. A Prefect that does not take it stops no run.
    """
    rows = sql.run(connection, "validation_of_run", flow_run_id=flow_run_id, mine_id=mine.mine_id)
    if not rows:
        return None
    refused = [row for row in rows if not row["passed"]]
    text = markdown(mine.slug, rows, {row["validation_id"]: _picture(row) for row in refused[:MOST_PICTURES]})
    from prefect.artifacts import create_markdown_artifact

    try:
        create_markdown_artifact(text, key=f"validation-{mine.slug}", description=_summary(mine.slug, rows))
    except Exception as error:  # whatever the client raises: what was found stands in the database
        log.warning("what was validated of %s cannot be shown in Prefect: %s", mine.slug, type(error).__name__)
    return text


def markdown(slug: str, rows: Sequence[sql.Row], pictures: Mapping[int, str]) -> str:
    """Return the text of `rows` of validation_of_run; `pictures` by validation_id, each an address or words."""
    lines = [f"# {_summary(slug, rows)}", "", "| Sensed (UTC) | Judged | Covered | Valid | Cloud | Failed |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        shares = " | ".join(
            _percent(row["figures"].get(f"{name}")) for name in ("aoi_coverage", "valid_share", "cloud_share")
        )
        lines.append(f"| {_time(row)} | {_judged(row)} | {shares} | {'; '.join(row['reasons'])} |")
    refused = [row for row in rows if not row["passed"]]
    for row in refused:
        lines += ["", f"## {_time(row)}, {_judged(row)}: acquisition {row['acquisition_id']} is {row['state']}", ""]
        lines += [f"- {reason}" for reason in row["reasons"]]
        if row["validation_id"] in pictures:
            lines += ["", pictures[row["validation_id"]]]
    if len(refused) > len(pictures):
        lines += ["", f"Without pictures: {len(refused) - len(pictures)} more; `minecam quarantine show` draws any."]
    if refused:
        lines += ["", f"`minecam quarantine list --mine {slug}` shows what waits; release, reject, or judge it again."]
    return "\n".join(lines)


def _summary(slug: str, rows: Sequence[sql.Row]) -> str:
    acquisitions = {row["acquisition_id"] for row in rows}
    refused = {row["acquisition_id"] for row in rows if not row["passed"]}
    of = "acquisition" if len(acquisitions) == 1 else "acquisitions"
    return f"{slug}: {len(acquisitions)} {of} validated, {len(refused)} refused"


def _judged(row: sql.Row) -> str:
    return {PREVIEW: "preview at 60 m", SEGMENTS: "polygons"}.get(row["suite"], f"acquisition ({row['suite']})")


def _time(row: sql.Row) -> str:
    return f"{row['sensing_time']:%Y-%m-%d %H:%M}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _picture(row: sql.Row) -> str:
    """Return the acquisition in true colour, as Markdown; words where there is none."""
    if row["raster"] is None:
        return "Never downloaded: there is no picture."
    try:
        png = thumbnail(colours(read_raster(row["raster"], row["checksum"])))
    except RasterError as error:
        return f"No picture: {error}"
    return f"![{_time(row)} in true colour]({address(png)})"
