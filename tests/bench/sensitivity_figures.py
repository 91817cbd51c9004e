"""The figures and the table of `sensitivity.py`: medians over the mines, and the middle half of them."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

CONDITIONS = {
    "cloud": ("Change under cloud", "share of the later looks under cloud"),
    "shift": ("Change where scenes do not lie on each other", "shift of the later looks, pixels of 10 m"),
    "months": ("Change between seasons", "months of season between the looks"),
    "hectares": ("Change of different size", "hectares of new mine ground"),
}
MEASURES = {
    "iou": "IoU of the change that is visible",
    "bias": "hectares found, per true hectare",
    "looks": "looks until half of it is found",
}
LINES = {True: "shift undone, as MineCam does", False: "shift left in"}
COLOURS = {True: "tab:blue", False: "tab:orange"}


def draw(frame: pd.DataFrame, condition: str, path: Path) -> None:
    """Write the figure of one condition to `path` (PNG): a panel for each measure."""
    title, label = CONDITIONS[condition]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = dict(zip(MEASURES, figure.subplots(1, 3), strict=True))
    for measure, axes in panels.items():
        for undone, rows in frame.assign(bias=frame["found"] / frame["visible"]).groupby("undone"):
            spread = rows.groupby(condition)[measure].quantile([0.25, 0.5, 0.75]).unstack()
            colour = COLOURS[bool(undone)]
            axes.plot(spread.index, spread[0.5], "o-", color=colour, markersize=4, label=LINES[bool(undone)])
            axes.fill_between(spread.index, spread[0.25], spread[0.75], color=colour, alpha=0.2, linewidth=0)
        if condition == "hectares":
            axes.set_xscale("log", base=2)
            axes.set_xticks(sorted(frame["hectares"].unique()))
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(MEASURES[measure], fontsize=10)
        axes.set_ylim(bottom=0)
        axes.grid(color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    panels["iou"].set_ylim(0, 1)
    panels["bias"].axhline(1, color="#888888", linewidth=1, linestyle="--")
    panels["looks"].set_yticks(range(1, 7), ["1", "2", "3", "4", "5", ">5"])
    panels["looks"].set_ylim(0.8, 6.2)
    if condition == "shift":
        panels["iou"].legend(fontsize=8, loc="lower left")
    figure.suptitle(title, fontsize=11)
    words = f"{label}\nline: median of {frame['mine'].nunique()} simulated mines; band: the middle half of them"
    figure.supxlabel(words, fontsize=9)
    figure.savefig(path, dpi=90)


def table(frame: pd.DataFrame) -> str:
    """Return every case as a row of a Markdown table: medians, with quartiles of the IoU."""
    lines = [
        "| condition | level | IoU | found per true hectare | false hectares | looks until half | not in five |",
        "|---|---|---|---|---|---|---|",
    ]
    for condition in frame["varied"].unique():
        shown = frame[frame["varied"] == condition]
        for (undone, level), rows in shown.groupby(["undone", condition], sort=True):
            low, middle, high = rows["iou"].quantile([0.25, 0.5, 0.75])
            name = condition if undone else f"{condition} left in"
            lines.append(
                f"| {name} | {level:g} | {middle:.2f} ({low:.2f}-{high:.2f}) | "
                f"{(rows['found'] / rows['visible']).median():.2f} | {rows['false'].median():.1f} | "
                f"{rows['looks'].median():g} | {(rows['looks'] > 5).sum()} of {len(rows)} |"
            )
    return "\n".join(lines) + "\n"
