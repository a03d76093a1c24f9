"""`mien export`: a model file from the checkpoint of a run, or of several."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _faces, _options, _recipe
from mien.errors import UsageError


def export(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folder of a run, or one of its checkpoints; several become one model, an"
            " ensemble that averages their answers.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the model (.onnx).")],
    data: _recipe.Root = None,
    table: _faces.Table = None,
    option: _options.Settings = None,
    points: _recipe.Points = None,
    splits: _faces.Splits = None,
    fold: _recipe.Fold = None,
    turned: Annotated[
        bool,
        typer.Option(
            "--turned",
            help="Let every second network of an ensemble look at the mirror image, and the file"
            " at each face once: two networks for the time of one that looks at both.",
        ),
    ] = False,
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

    if turned and len(runs) == 1:
        raise UsageError("--turned is of ensembles: name several runs, or leave it out")
    paths = [checkpoint_of(run) for run in runs]
    where = _recipe.source(
        recipe_of(paths[0]), data, table, option, points_file=points, splits=splits, fold=fold
    )
    how = {"turned": turned, "quantize": quantize, "always": quantize_always, "quiet": quiet}
    print(export_again(paths, where, out, denoise=denoise, **how))
