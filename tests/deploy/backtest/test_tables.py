import io

import numpy as np
import pytest
from rich.console import Console

from deploy.backtest import tables
from deploy.backtest.persistence import confirmation
from deploy.backtest.score import score
from deploy.backtest.truth import figures, tally
from deploy.cli.backtest import backtest
from tasks.errors import WrongUse
from tests.deploy.backtest.test_persistence import patch
from tests.deploy.backtest.test_score import outcome
from tests.deploy.backtest.test_truth import blank, case


def printed(table):
    console = Console(file=io.StringIO(), width=140)
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines()[1:]]


def test_pairs_have_their_intervals_beside_them():
    drawn = printed(tables.of_score(score([outcome(1, 5.0, True), outcome(1, 0.0), outcome(0, 0.0), outcome(0, 0.0)])))
    assert drawn[1][3:] == ["4", "0.750", "(0.50–1.00)", "1.000", "(1.00–1.00)", "0.500", "(0.00–1.00)", "1.000",
                            "(1.00–1.00)"]  # fmt: skip


def test_kinds_and_guards_have_a_line_each_and_nothing_is_broken():
    truth = blank()
    truth[0:4, 0:4] = 1
    cases = {"growth": [tally(case(truth, truth, 1)), tally(case(truth, np.eye(10), 1))],
             "none": [tally(case(blank(), np.eye(10), 1))] * 2}  # fmt: skip
    kinds = {kind: {**figures(of), "alerted": 1} for kind, of in cases.items()}
    drawn = printed(tables.of_kinds(kinds))
    assert [line[0] for line in drawn[1:] if line] == ["growth", "none"]
    assert drawn[2] == ["none", "2", "-", "-", "-", "-", "-", "-", "0.1", "0.1", "1"]
    drawn = printed(tables.of_guards({"all guards": kinds, "no guard": kinds}))
    assert drawn[-1][:2] == ["no", "guard"] and drawn[-1][-5:] == ["0.1", "0.1", "-", "-", "0.0"]


def test_a_series_without_an_alert_still_may_have_some_in_a_year():
    alerts = {"raised": 0, "provisional": 0, "confirmed": 0, "expired": 0}
    mine = {"years": 2.0, "acquisitions": 9, "accepted": 3, "refused": {"cloud": 6}, "alerts": alerts,
            "footprint_hectares": 4.0, "changed_hectares": 1.0, "undone_hectares": 0.5}  # fmt: skip
    ways = [confirmation([patch(1, 1)], n=n, m=m, expire_days=180, years=2.0) for n, m in ((0, 0), (2, 3))]
    watched = {"mines": {"pit": mine}, "years": 2.0, "per_year": dict.fromkeys(alerts, 0.0),
               "interval": {name: [0.0, 1.84] for name in alerts}, "confirmation": {"all guards": ways}}  # fmt: skip
    assert printed(tables.of_series(watched))[-1][-2:] == ["0.00", "(0.00–1.84)"]
    assert printed(tables.of_refusals(watched))[1:] == [["cloud", "6"]]
    assert printed(tables.of_confirmation(watched)[0])[-1] == [
        "2",
        "of",
        "3",
        "1",
        "0.5",
        "(0.0–2.8)",
        "0",
        "0",
        "1",
        "20",
    ]


@pytest.mark.parametrize(
    ("table", "asked", "reason"),
    [("pairs.csv", {"ablation": True}, "needs cases.csv or series.csv"), ("series.csv", {"split": "val"}, "splits"),
     ("notes.csv", {}, "holds no pairs.csv"), ("cases.csv", {}, "has no folder truth")],
)  # fmt: skip
def test_what_cannot_be_asked_of_a_folder_is_said_before_anything_starts(tmp_path, table, asked, reason):
    (tmp_path / table).write_text("id\n")
    with pytest.raises(WrongUse, match=reason):
        backtest(tmp_path, home=tmp_path / "home", **asked)
    assert not (tmp_path / "home").exists()
