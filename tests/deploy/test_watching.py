"""Dashboard and alarms ask for figures that `minecam serve` tells, in PromQL that parses; each alarm is explained."""

import json
import re
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest
import yaml

from deploy.metrics import METRICS

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "minecam.json").read_text())
[GROUP] = yaml.safe_load((DEPLOY / "prometheus" / "alarms.yaml").read_text())["groups"]
ALARMS = {rule["alert"]: rule for rule in GROUP["rules"]}
ASKED = {f"{panel['title']} {target['refId']}": target["expr"] for panel in DASHBOARD["panels"]
         for target in panel["targets"]} | {name: rule["expr"] for name, rule in ALARMS.items()}  # fmt: skip


@pytest.mark.parametrize("place", ASKED)
def test_what_is_asked_for_is_told(place: str) -> None:
    promql_parser.parse(ASKED[place])
    for name, chosen in re.findall(r"\b(minecam_\w+|up)\b(?:\{(.*?)\})?", ASKED[place]):
        told = METRICS[name][1] if name != "up" else ("job",)
        assert set(re.findall(r"(\w+)\s*[=!]", chosen)) <= set(told)


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_legend_names_what_a_figure_is_divided_by(panel: dict) -> None:  # type: ignore[type-arg]
    for target in panel["targets"]:
        [*names] = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        metric = re.search(r"minecam_\w+", target["expr"])
        assert metric and set(names) <= set(METRICS[metric[0]][1])


def test_every_figure_is_on_the_dashboard() -> None:
    shown = set(re.findall(r"minecam_\w+", json.dumps(DASHBOARD)))
    assert shown >= set(METRICS)


def test_panels_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(one["x"] + one["w"] <= 24 for one in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_has_words_and_the_runbook_says_what_to_do(name: str) -> None:
    rule = ALARMS[name]
    assert rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"]["summary"]
    assert f"| `{name}` |" in (DEPLOY / "README.md").read_text()
