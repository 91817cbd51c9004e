"""The training flow: from labelled chips to a model file with its card, followed in the Prefect UI."""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.door import explained
from models.recipe import Recipe
from tasks.settings import settings

DEFAULT = Recipe()


@flow(name="train", flow_run_name="{name}", validate_parameters=False)
@explained
def model(
    name: str,
    chips: str,
    pairs: str | None = None,
    start: str | None = None,
    recipe: Recipe = DEFAULT,
    version: str = "0.1.0",
    limits: str = "",
) -> None:
    """Train a model; a run that was killed goes on from its checkpoint when it is started again.

    Args:
        name: Name of the model; its file goes to the folder `models` of the home folder.
        chips: Folder of chips: images/, labels/, sites.csv with train and val.
        pairs: Folder of labelled pairs, to learn what is no mine.
        start: A model whose weights it goes on from, with the sensor set, network and encoder of the recipe.
        recipe: How it is trained.
        version: Version of the model, for its card.
        limits: What it is not good for, for its card.
    """
    from models import training, zoo  # torch takes seconds, and registering the flow needs none of it

    out = settings().home / "models" / f"{name}.safetensors"
    say = get_run_logger().info
    card = training.train(
        Path(chips), recipe=recipe, out=out, pairs=Path(pairs) if pairs else None, start=start,
        version=version, limits=limits, say=say,
    )  # fmt: skip
    create_markdown_artifact(zoo.describe(card), key="model-card", description=str(out))
    say("trained %s", out)
