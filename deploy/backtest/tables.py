"""The figures of a backtest as tables for people. Pure."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table


def of_score(score: dict[str, Any]) -> Table:
    """Return the table of labelled pairs, of what `score.score` gives."""
    drawn = _table(f"{score['judged']} of {score['places']} places judged", ("Places", "AUC", "Precision", "Recall",
                   "Specificity"))  # fmt: skip
    for name in ("with_mined_before", "without_mined_before"):
        row = score[name]
        figures = (_sure(row, figure) for figure in ("auc", "precision", "recall", "specificity"))
        drawn.add_row(name.replace("_", " "), str(row["places"]), *figures)
        for category, one in row["categories"].items():
            alerted = f"{one['alerted']} alerted"
            drawn.add_row(f"  {category}", str(one["places"]), _number(one["auc"]), alerted)
    return drawn


def of_kinds(by_kind: dict[str, dict[str, Any]]) -> Table:
    """Return the table of cases with truth, of what `cases.replay` gives; false hectares are the median of a case."""
    drawn = _table("Change against the truth of every pixel", ("Cases", "F1", "IoU", "Precision", "Recall", "Bias",
                   "Classes right", "False ha", "at most", "Alerted"))  # fmt: skip
    for kind, row in by_kind.items():
        shares = (_sure(row, name) for name in ("f1", "iou", "precision", "recall"))
        others = (_number(row[name]) for name in ("bias", "right_classes"))
        drawn.add_row(kind, str(row["cases"]), *shares, *others, *_false(row), str(row["alerted"]))
    return drawn


def of_guards(by_guard: dict[str, dict[str, dict[str, Any]]]) -> Table:
    """Return the table of what each guard buys, of what `cases.replay_without` gives.

    F1 of change by kind; false hectares (median and most of a case) where nothing changed and beside clouds; hectares
    found under clouds.
    """
    drawn = _table("Change by the guards that are up", ("F1, growth", "F1, shrink", "F1, cloudy",
                   "False ha, none", "at most", "cloudy", "at most", "Under cloud"))  # fmt: skip
    for guard, kinds in by_guard.items():
        f1 = (_sure(kinds[kind], "f1") if kind in kinds else "-" for kind in ("growth", "shrink", "growth_cloudy"))
        false = [text for kind in ("none", "growth_cloudy") for text in _false(kinds.get(kind))]
        hidden = sum(figures["hidden_hectares"] for figures in kinds.values())
        drawn.add_row(guard, *f1, *false, f"{hidden:.1f}")
    return drawn


def of_series(watched: dict[str, Any]) -> Table:
    """Return the table of a series, of what `series.replay` gives: a row per mine, and all of them in a year."""
    drawn = _table("What was seen and raised, without truth", ("Years", "Acquired", "Accepted", "Alerts raised",
                   "Confirmed", "Expired", "Mine, ha", "Changed, ha", "Undone, ha"))  # fmt: skip
    for slug, row in watched["mines"].items():
        counts = (str(row["alerts"][name]) for name in ("raised", "confirmed", "expired"))
        hectares = (_number(row[name], 1) for name in ("footprint_hectares", "changed_hectares", "undone_hectares"))
        seen = (str(row["acquisitions"]), str(row["accepted"]))
        drawn.add_row(slug, _number(row["years"], 2), *seen, *counts, *hectares)
    rates = (
        f"{watched['per_year'][name]:.2f} {_ends(watched['interval'][name], 2)}" if watched["per_year"] else "-"
        for name in ("raised", "confirmed", "expired")
    )
    drawn.add_row("per mine and year", _number(watched["years"], 2), "", "", *rates)
    return drawn


def of_refusals(watched: dict[str, Any]) -> Table:
    """Return the table of why acquisitions of a series were refused: the first reason of each, how many per mine."""
    drawn = _table("Refused", list(watched["mines"]))
    for reason in sorted({reason for row in watched["mines"].values() for reason in row["refused"]}):
        drawn.add_row(reason, *(str(row["refused"].get(reason, 0)) for row in watched["mines"].values()))
    return drawn


def of_confirmation(watched: dict[str, Any]) -> list[Table]:
    """Return the tables of what each n of m would confirm of the patches of newly mined ground in a series."""
    drawn = []
    for guards, ways in watched["confirmation"].items():
        drawn.append(_table(f"Patches of newly mined ground, each as if an alert: {guards}", ("Pass",
                     "Per mine and year", "Lasted", "Lost", "Not seen later", "Days, median")))  # fmt: skip
        for row in ways:
            name = f"{row['n']} of {row['m']}" if row["m"] else "no confirmation"
            rate = f"{row['per_year']:.1f} {_ends(row['interval'], 1)}"
            fate = (str(row[it]) for it in ("lasted", "lost", "unknown"))
            drawn[-1].add_row(name, str(row["passed"]), rate, *fate, _number(row["days"], 0))
    return drawn


def _table(title: str, headings: Sequence[str]) -> Table:
    drawn = Table(title=title, box=None, pad_edge=False)
    drawn.add_column("", no_wrap=True)
    for heading in headings:
        drawn.add_column(heading, justify="right")
    return drawn


def _false(figures: dict[str, Any] | None) -> tuple[str, str]:
    hectares = figures and figures["false_hectares"]
    return (f"{hectares['median']:.1f}", f"{hectares['most']:.1f}") if hectares else ("-", "-")


def _sure(row: dict[str, Any], name: str) -> str:
    """Return a figure of `row` with its interval."""
    ends = row["interval"][name]
    return f"{_number(row[name])} {_ends(ends, 2)}" if ends else _number(row[name])


def _ends(ends: Sequence[float], digits: int) -> str:
    return f"({ends[0]:.{digits}f}–{ends[1]:.{digits}f})"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
