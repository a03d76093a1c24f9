"""`mien train`: from a recipe and a data folder to a model file."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli import _options
from mien.errors import MissingExtraError

PACKAGES = ("torch", "safetensors", "onnx", "onnxscript")


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The settings: a TOML file.")],
    data: _options.Data,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for checkpoints, log and model.  [default: runs/RECIPE]"
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Instead of the recipe's number.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's seed.")] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Start from the weights of this checkpoint."),
    ] = None,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Train a network by a recipe and export it as a model file.

    Needs the extra `train`. A run that was stopped goes on with the same command.
    """
    run = _runner()
    folder = out or Path("runs") / recipe.stem
    overrides = {"epochs": epochs, "seed": seed, "start": start}
    try:
        model = run(recipe, data, folder, overrides=overrides, quiet=quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{folder} keeps every finished epoch; the same command goes on from there"
        ) from None
    print(model)


def _runner() -> Callable[..., Any]:
    try:
        from mien.training.run import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError("training", "PyTorch", "train") from error
    return run
