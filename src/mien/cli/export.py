"""`mien export`: a model file from the checkpoint of a run."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _faces, _options, _recipe


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a run, or one of its checkpoints.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the model (.onnx).")],
    data: _recipe.Root = None,
    table: _faces.Table = None,
    option: _options.Settings = None,
    points: _recipe.Points = None,
    splits: _faces.Splits = None,
    fold: _recipe.Fold = None,
    denoise: Annotated[
        bool | None,
        typer.Option(
            "--denoise/--no-denoise",
            help="Let the file take the grain off each face it looks at.  [default: as its run]",
        ),
    ] = None,
    quantize: Annotated[
        bool,
        typer.Option(
            "--quantize",
            help="Let the file compute in 8-bit integers, where that is 1.5 times as fast and loses"
            " under 0.3 points.",
        ),
    ] = False,
    quantize_always: Annotated[
        bool,
        typer.Option(
            "--quantize-always",
            help="Do so whatever it gains or loses, unless under nine answers in ten stay the"
            " same.",
        ),
    ] = False,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Export a trained network as a model file that describes itself.

    A run does this at its end. The file is compared with PyTorch on 1,000 faces and calibrated on
    those that chose the epoch, so the data of the run are needed again.
    """
    _recipe.training()
    from mien.training.exporting import checkpoint_of, export_again, recipe_of

    path = checkpoint_of(run)
    recipe = recipe_of(path)
    where = _recipe.source(
        recipe, data, table, option, points_file=points, splits=splits, fold=fold
    )
    how = {"quantize": quantize, "always": quantize_always, "quiet": quiet}
    print(export_again(path, recipe, where, out, denoise=denoise, **how))
