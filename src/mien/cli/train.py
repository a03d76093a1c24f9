"""`mien train`: from a recipe, or from options alone, and faces to a model file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _faces, _options, _recipe
from mien.cli._streams import writing
from mien.errors import UsageError
from mien.progress import say

if TYPE_CHECKING:
    from mien.training.material import DataSource
    from mien.training.settings import Recipe

GROUPS = {"subject": "by-subject", "none": "random-images"}


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            help="The settings: a TOML file, or the name of one that ships.  [default: none; the"
            " options say it all]",
        ),
    ] = None,
    data: _recipe.Root = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for checkpoints, logs and the model.  [default: runs/RECIPE]",
        ),
    ] = None,
    dataset: _recipe.Dataset = None,
    table: _faces.Table = None,
    option: _options.Settings = None,
    points: _recipe.Points = None,
    splits: _faces.Splits = None,
    fold: _recipe.Fold = None,
    network: _recipe.Network = None,
    pretrained: _recipe.Pretrained = None,
    augment: _recipe.Augment = None,
    epochs: _recipe.Epochs = None,
    batch_size: _recipe.BatchSize = None,
    learning_rate: _recipe.LearningRate = None,
    momentum: _recipe.Momentum = None,
    seed: _recipe.Seed = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Start from the weights of this checkpoint."),
    ] = None,
    set: _recipe.Set = None,
    folds: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Train K networks, each tested once.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="subject|none",
            help="Whether a subject's faces stay in one fold.  [default: subject]",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train each N times over.")
    ] = None,
    device: _recipe.Device = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run; do not start one.")
    ] = False,
    save_predictions: Annotated[
        bool,
        typer.Option("--save-predictions", help="Write the answers to the test faces as CSV."),
    ] = False,
    preview: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train nothing: draw training faces as the network gets them (.png), and tell the"
            " expressions of the first batches.",
        ),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write events for TensorBoard, too.")
    ] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log to MLflow, too.")] = False,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Train a network and export it as a model file.

    Needs the extra `train`. A run that was stopped goes on with the same command, on a CPU to the
    same weights. `--folds` and `--seeds` train many networks as one such job.
    """
    _recipe.training()
    from mien.training.distributed import device_named, is_first
    from mien.training.jobs import PLAN, train_all
    from mien.training.recipe import lost_restart
    from mien.training.resuming import LAST
    from mien.training.run import run
    from mien.training.shipped import names, recipe_path

    flags = {
        "dataset": dataset,
        "network": network,
        "pretrained": pretrained,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "momentum": momentum,
        "seed": seed,
        "start": start,
        "protocol": _grouped(group, folds),
    }
    texts = [*(set or ()), *([f"data.folds={folds}"] if folds else [])]
    made = _recipe.made(recipe, flags, texts, augment, name=out.name if out else "")
    _check_job(made.untested, fold, folds, seeds)
    if save_predictions and made.untested:
        raise UsageError(
            f"{made.untested} of {made.name} tests no faces; leave --save-predictions out"
        )
    where = _recipe.source(made, data, table, option, points_file=points, splits=splits, fold=fold)
    folder = out or Path("runs") / (str(recipe) if recipe in names() else made.name)
    job = folds is not None or seeds is not None
    if preview is not None:
        if job:
            raise UsageError("--preview shows one run; leave --folds and --seeds out")
        _preview(made, where, preview, quiet)
        return
    if resume and not (folder / (PLAN if job else LAST)).is_file():
        raise UsageError(f"there is no run in {folder} to resume; leave --resume out to start one")
    if recipe is not None and is_first() and (told := lost_restart(recipe_path(recipe), made)):
        say(told, quiet=quiet)
    how: dict[str, Any] = {
        "device": device_named(device),
        "quiet": quiet,
        "save_predictions": save_predictions,
        "trackers": [name for name, on in (("tensorboard", tensorboard), ("mlflow", mlflow)) if on],
    }
    try:
        if not job:
            done = run(made, where, folder, **how)
        else:
            done = train_all(made, where, folder, folds=folds, seeds=seeds or 1, **how)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{folder} keeps what is done; the same command goes on from there"
        ) from None
    if is_first():
        print(done)


def _preview(recipe: "Recipe", source: "DataSource", path: Path, quiet: bool) -> None:
    from mien.training.preview import preview
    from mien.training.run import prepare

    task = prepare(recipe, source, quiet=quiet).task
    with writing("standard output"):
        print(*preview(task, recipe, path), sep="\n")


def _check_job(untested: str, fold: str | None, folds: int | None, seeds: int | None) -> None:
    """Refuse a job that cannot be summed up, and a fold where all are trained."""
    if untested and (folds or seeds):
        raise UsageError(
            f"{untested} has no folds and no test part to sum up; leave --folds and --seeds"
            " out: use --seed and one --out folder each"
        )
    if folds and fold is not None:
        raise UsageError(f"--folds {folds} trains every fold; leave --fold {fold} out")


def _grouped(group: str | None, folds: int | None) -> str | None:
    """Name the protocol that deals the folds."""
    if group is None:
        return None
    if group not in GROUPS or not folds:
        raise UsageError(f"expected --group subject or none, with --folds K; got {group!r}")
    return GROUPS[group]
