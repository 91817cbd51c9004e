"""Experiments: which trials a grid is, and what becomes of them."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from deploy.simulate import make_chips
from models.chart import draw
from models.chips import sites
from models.comparing import ALL, Score, commodities, try_out, write_table
from models.errors import ModelError
from models.experiment import SHIPPED, Experiment, Trial, read_experiment
from models.recipe import Recipe

TINY = Recipe(imagenet=False, steps=2, batch=2, side=32)


def a_score(*, trained_on: str = ALL, scored_on: str = ALL, network: str = "unet") -> Score:
    iou: dict[str, float | None] = {"excavation": 0.5, "road": None}
    return Score(
        "s2-rgb", network, "lite0", 1, 2, "", trained_on, scored_on, 3, 0.3, 0.2, 0.4, 0.7, 0.6, 0.8, iou, "m", "c"
    )


def test_a_grid_is_every_combination_and_all_else_is_shared() -> None:
    grid = Experiment(
        question="?", sensor_sets=("s1", "s2-10"), networks=("unet", "fpn"), seeds=(1, 2), per_commodity=True,
        recipe=TINY,
    )  # fmt: skip
    trials = grid.trials(["gold", "iron"])
    assert len({trial.name for trial in trials}) == len(trials) == 2 * 2 * 2 * 3
    assert {trial.recipe.steps for trial in trials} == {2}
    assert len(grid.model_copy(update={"per_commodity": False}).trials(["gold"])) == 8


def test_changes_are_trials_of_their_own_beside_the_unchanged_one() -> None:
    grid = Experiment(question="?", changes=({"weather": 0.0}, {"rarity": 0, "steps": 3}), recipe=TINY)
    plain, still, alike = grid.trials([])
    assert plain.recipe == TINY and plain.change == ""
    assert still.recipe == TINY.model_copy(update={"weather": 0.0}) and still.change == "weather=0.0"
    assert alike.recipe.steps == 3 and alike.change == "rarity=0, steps=3"
    assert len({trial.name for trial in (plain, still, alike)}) == 3


@pytest.mark.parametrize("name", [entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir()])
def test_shipped_experiments_can_be_read(name: str) -> None:
    known, grid = read_experiment(name)
    assert known == name and grid.question.endswith("?") and len(grid.trials(["gold"])) >= 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("question = ", "is no TOML"),
        ("", "question: Field required"),
        ('question = "?"\nsensors = ["s1"]', "sensors: Extra inputs are not permitted"),
        ('question = "?"\nseeds = [-1]', "seed: Input should be greater than or equal to 0"),
        ('question = "?"\n[recipe]\nsteps = 0', "recipe.steps: Input should be greater than"),
        ('question = "?"\nsensor_sets = ["s9"]', "there is no 's9': choose of s2-rgb"),
        ('question = "?"\nnetworks = ["v-net"]', "there is no 'v-net': choose of unet"),
        ('question = "?"\nchanges = [{sun = 1}]', "sun: Extra inputs are not permitted"),
    ],
)
def test_a_faulty_experiment_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(ModelError, match=words):
        read_experiment(str(tmp_path / "grid.toml"))
    with pytest.raises(ModelError, match="choose one of ablations, commodities, networks, sensors"):
        read_experiment("none")


@pytest.mark.slow
def test_a_trial_is_trained_once_and_scored_by_commodity(tmp_path: Path) -> None:
    chips, out, said = tmp_path / "chips", tmp_path / "out", list[str]()
    make_chips(chips, chips=20, size=64, seed=3)
    [known] = {(row["commodity_guess"], row["mine_type"]) for row in sites(chips) if row["split"] == "val"}
    scores = try_out(Trial(TINY), chips=chips, pairs=None, out=out, say=said.append)
    assert [score.scored_on for score in scores] == [ALL, *known]
    assert scores[0].sites == 1 and scores[0].mean_iou_low is None and 0 <= (scores[0].footprint_iou or 0) <= 1
    assert any("step 2" in words for words in said)
    said.clear()
    assert try_out(Trial(TINY), chips=chips, pairs=None, out=out, say=said.append) == scores and not said
    try_out(Trial(TINY.model_copy(update={"steps": 3})), chips=chips, pairs=None, out=out, say=said.append)
    assert any("step 3" in words for words in said)


def test_commodities_with_too_few_sites_have_no_model_of_their_own(tmp_path: Path) -> None:
    rows = [("a", "1", "train", "gold"), ("b", "2", "train", "gold"), ("c", "3", "val", "gold")]
    rows += [("d", "4", "train", "tin"), ("e", "4", "train", "tin"), ("f", "5", "val", "tin")]
    rows += [("g", "6", "train", ""), ("h", "7", "train", ""), ("i", "8", "val", "")]
    text = "chip,site,split,commodity_guess\n" + "\n".join(",".join(row) for row in rows)
    (tmp_path / "sites.csv").write_text(text)
    assert commodities(tmp_path) == ["gold"]


def test_the_table_has_a_column_for_each_component_and_the_figure_can_be_opened(tmp_path: Path) -> None:
    scores = [a_score(), a_score(scored_on="gold"), a_score(trained_on="gold", scored_on="gold")]
    write_table(scores, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["excavation"] for row in rows] == ["0.5"] * 3 and rows[0]["road"] == ""
    draw(scores, tmp_path / "t.png", question="?")
    small = Image.open(tmp_path / "t.png").height
    draw([*scores, *(a_score(network=name) for name in ("fpn", "unet++"))], tmp_path / "t.png", question="?")
    assert Image.open(tmp_path / "t.png").height > small
