"""`mien distill`: what models say of the training faces, kept for students to learn from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _faces, _options, _recipe
from mien.errors import DataError
from mien.progress import say

if TYPE_CHECKING:
    from mien.data.table import FaceTable
    from mien.preparation import Preparation

TRAIN = "train"


def distill(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="The teachers: ONNX files or names of models."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to keep their answers (.npz).")],
    data: _recipe.Root = None,
    dataset: _recipe.Dataset = None,
    table: _faces.Table = None,
    rule: _faces.Rule = None,
    option: _options.Settings = None,
    views: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="How often each sees a face: as it is, then moved a little."
        ),
    ] = 8,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, metavar="N", help="Of the small moves.")
    ] = 0,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Average what models say of the training faces, of their mirror images and of small shifts.

    Faces are FER-2013's unless --dataset or --table name others; of a set without a training part
    all of them, since folds are dealt later. A recipe learns from the file by its setting
    distillation.file.
    """
    _recipe.training()
    from mien import files
    from mien.recognizer import ExpressionReader
    from mien.training.distill import teach

    files.check_file(out)
    steps = ExpressionReader(models[0]).preparation
    faces = _training_faces(data, dataset, table, rule, option, steps, quiet)
    teacher = teach(models, faces.images, faces.source_id, views=views, seed=seed, quiet=quiet)
    teacher.save(out)
    say(f"{out}: what {len(models)} models say of {len(faces):,} faces", quiet=quiet)


def _training_faces(
    root: Path | None,
    dataset: str | None,
    table: Path | None,
    rule: str | None,
    option: list[str] | None,
    steps: "Preparation",
    quiet: bool,
) -> "FaceTable":
    name = dataset or (None if table else "fer2013")
    choice = _faces.choice(option, data_set=name, table=table, rule=rule)
    faces, _ = choice.read(root, steps, quiet=quiet)
    if (faces.split == TRAIN).any():
        faces = faces[faces.split == TRAIN]
    if not len(faces):
        raise DataError(f"no face of {name or table} has a label; take another set or rule")
    return faces
