"""The labelled folders that an import knows: pairs, chips, change, series. What they hold, as places with sources.

The first step of `archive import`; reads tables and names only, no pixel. Any other folder: `geotiffs.py`.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deploy.archive.products import number
from tasks.errors import WrongUse
from tasks.mines import slugify

Row = dict[str, str]
Refused = list[tuple[str, str]]


@dataclass(frozen=True)
class Source:
    """One source raster of a place: a sensing, or a composite of `period` dated to its middle.

    `truth` names the rasters of what is known of the ground, by the ending of their name in the archive.
    """

    path: Path
    when: date | datetime
    collection: str = "sentinel-2-l2a"
    level: str | None = None
    orbit_state: str | None = None
    period: tuple[date, date] | None = None
    masked: bool = False
    truth: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A mine to be: `words` are what the data knows of it, as properties of its AOI in places.geojson."""

    slug: str
    name: str
    words: dict[str, Any]
    sources: list[Source]


def slug_for(name: str) -> str:
    """Return the slug of a place; one whose name has no ASCII letters gets a number that depends on its name only."""
    return slugify(name) or f"mine-{number(name) % 1_000_000:06d}"


def middle(start: str, end: str) -> tuple[date, tuple[date, date]]:
    """Return the middle of a period of ISO days, and the period."""
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return first + (last - first) // 2, (first, last)


def pairs(folder: Path, split: str | None) -> tuple[list[Place], Refused]:
    """Return the places of a pairs folder, labels taking turns so that the first few hold both."""
    places = [_pair(folder, row, masked=True) for row in in_turn(_chosen(folder / "pairs.csv", split))]
    return places, []


def in_turn(rows: list[Row]) -> list[Row]:
    """Return `rows` so that labels alternate as long as there are rows of each."""
    count: Counter[str] = Counter()
    order = []
    for row in rows:
        order.append((count[row["label"]], row["label"]))
        count[row["label"]] += 1
    return [row for _, row in sorted(zip(order, rows, strict=True), key=lambda pair: pair[0])]


def _pair(folder: Path, row: Row, *, masked: bool, truth: dict[str, Path] | None = None, **words: str) -> Place:
    sources = []
    for epoch in ("t0", "t1"):
        when, period = middle(row[f"{epoch}_start"], row[f"{epoch}_end"])
        known = truth if truth and epoch == "t1" else {}
        path = folder / "images" / f"{row['id']}_{epoch}.tif"
        sources.append(Source(path, when, period=period if masked else None, masked=masked, truth=known))
    label = {"split": row["split"], "label": int(row["label"]), "category": row["category"]}
    dates = {"mined_before": int(row["mined_before"]), "t0": str(sources[0].when), "t1": str(sources[1].when)}
    return Place(slug_for(row["id"]), row["id"], {**words, **label, **dates}, sources)


def change(folder: Path, split: str | None) -> tuple[list[Place], Refused]:
    """Return the cases of a change folder, one of each chip: cases of one chip share their ground.

    `split` may be a kind (`growth`, `none`, `shrink`, `growth_cloudy`), which chooses the case of each chip.
    """
    places: list[Place] = []
    refused: Refused = []
    taken: dict[str, str] = {}
    levels = {row["case"]: row["processing_level"] for row in table(folder / "cases.csv")}
    for row in _chosen(folder / "pairs.csv", split):
        chip = row["id"].rpartition("_")[0]
        first = taken.setdefault(chip, row["id"])
        if first != row["id"]:
            reason = f"it shows the ground of {first} at other dates: import it into another archive, by its category"
            refused.append((row["id"], reason))
            continue
        truth = {f"_{kind}": folder / "truth" / f"{row['id']}_{kind}.tif" for kind in ("change", "flags")}
        there = {ending: path for ending, path in truth.items() if path.exists()}
        place = _pair(folder, row, masked=False, truth=there, country="Brazil")
        leveled = [Source(one.path, one.when, level=levels.get(row["id"]), truth=one.truth) for one in place.sources]
        places.append(Place(place.slug, place.name, place.words, leveled))
    return places, refused


def chips(folder: Path, split: str | None) -> tuple[list[Place], Refused]:
    """Return the chips: one date each, the middle of 2021, with the labels where there are any."""
    places = []
    for row in _chosen(folder / "sites.csv", split):
        when, period = middle("2021-01-01", "2021-12-31")
        labels = folder / "labels" / f"{row['chip']}.tif"
        truth = {"": labels} if labels.exists() else {}
        source = Source(folder / "images" / f"{row['chip']}.tif", when, level="L1C", period=period, masked=True,
                        truth=truth)  # fmt: skip
        commodity, notes = row.get("commodity_guess", ""), row.get("notes", "")
        known = {"country": "Brazil", "commodity": commodity, "notes": notes, "site": row["site"]}
        words = {key: word for key, word in {**known, "split": row["split"]}.items() if word}
        name = f"{row['chip']} ({commodity})" if commodity else row["chip"]
        places.append(Place(slug_for(row["chip"]), name, words, [source]))
    return places, []


def series(folder: Path, split: str | None) -> tuple[list[Place], Refused]:
    """Return the mines of a series folder with all their dates."""
    if split is not None:
        raise WrongUse(f"{folder} is a time series and has no splits: leave --split out")
    rows = table(folder / "series.csv")
    words = {"country": "India", "commodity": "coal", "mine_type": "surface"}
    places = []
    for mine in sorted({row["mine"] for row in rows}):
        days = sorted(row["date"] for row in rows if row["mine"] == mine)
        sources = [Source(folder / mine / f"{day}.tif", date.fromisoformat(day)) for day in days]
        places.append(Place(slug_for(mine), mine, dict(words), sources))
    return places, []


def table(path: Path) -> list[Row]:
    """Return the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _chosen(path: Path, split: str | None) -> list[Row]:
    """Return the rows whose split or category is `split`; raises WrongUse that names what there is."""
    rows = table(path)
    named = [{row.get("split"), row.get("category")} for row in rows]
    if split is None:
        return rows
    if chosen := [row for row, names in zip(rows, named, strict=True) if split in names]:
        return chosen
    there = ", ".join(sorted({name for names in named for name in names if name}))
    raise WrongUse(f"{path} has no split '{split}': choose one of {there}")
