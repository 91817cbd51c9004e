"""The training flow: from labelled chips to a model file with its card, followed in the Prefect UI."""

from enum import StrEnum
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

from flows.monitor import SensorSetName
from models.network import NETWORKS
from tasks.settings import settings

NetworkName = StrEnum("NetworkName", {name: name for name in NETWORKS})  # type: ignore[misc]
"""The networks, as a list to choose from in the run form."""


@flow(name="train", flow_run_name="{name}")
def model(
    name: str,
    chips: str,
    pairs: str | None = None,
    sensor_set: SensorSetName = SensorSetName("s2-rgb"),  # noqa: B008  (a constant: the form shows it)
    network: NetworkName = NetworkName("unet"),  # noqa: B008
    encoder: str = "lite0",
    imagenet: bool = True,
    steps: int = 1500,
    seed: int = 1,
) -> None:
    """Train a model; a run that was killed goes on from its checkpoint when it is started again.

    Args:
        name: Name of the model; its file goes to the folder `models` of the home folder.
        chips: Folder of chips: images/, labels/, sites.csv with train and val.
        pairs: Folder of labelled pairs, to learn what is no mine.
        sensor_set: Bands that the model sees.
        network: The network.
        encoder: lite0, lite2, or any encoder of segmentation-models-pytorch.
        imagenet: Start from ImageNet weights.
        steps: Training steps at most.
        seed: Seed of weights and windows.
    """
    from models import training, zoo
    from models.recipe import Recipe

    recipe = Recipe(sensor_set=sensor_set, network=network, encoder=encoder, imagenet=imagenet, steps=steps, seed=seed)
    out = settings().home / "models" / f"{name}.safetensors"
    say = get_run_logger().info
    card = training.train(Path(chips), recipe=recipe, out=out, pairs=Path(pairs) if pairs else None, say=say)
    create_markdown_artifact(zoo.describe(card), key="model-card", description=str(out))
    say("trained %s", out)
