"""The figure of an experiment: mean IoU and footprint IoU of its trials, with their intervals over sites."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from models.comparing import Score, names, telling

MEASURES = {"mean_iou": "mean IoU of the ten labels", "footprint_iou": "footprint IoU"}
COLOURS = matplotlib.color_sequences["tab10"]


def draw(scores: Sequence[Score], path: Path, *, question: str) -> None:
    """Write the figure of `scores` to `path` (PNG): a row each, coloured by network and encoder."""
    shown = telling(scores)
    kinds = list(dict.fromkeys((score.network, score.encoder) for score in shown))
    figure = Figure(figsize=(9, 1.3 + 0.28 * len(shown)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, (measure, words) in zip((left, right), MEASURES.items(), strict=True):
        for row, score in enumerate(shown):
            value, low, high = (getattr(score, f"{measure}{end}") for end in ("", "_low", "_high"))
            if value is None:
                continue
            colour = COLOURS[kinds.index((score.network, score.encoder)) % len(COLOURS)]
            if low is not None:
                axes.plot([low, high], [row, row], color=colour, alpha=0.5, linewidth=2)
            axes.plot([value], [row], "o", color=colour, markersize=5)
        axes.set_xlabel(words)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5)  # labels that do not touch
        axes.grid(axis="x", color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yticks(range(len(shown)), names(shown))
    left.invert_yaxis()
    figure.suptitle(question, fontsize=11)
    figure.supxlabel("dot: validation sites as one; line: 95 % interval over sites", fontsize=8, color="#666666")
    figure.savefig(path, dpi=130)
