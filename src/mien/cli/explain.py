"""`mien explain`: where in a face the answer of a model comes from."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from mien.cli import _faces, _options
from mien.cli._columns import aligned
from mien.cli._records import printable
from mien.cli._streams import writing
from mien.errors import DataError, InputError, MissingExtraError, UsageError, unknown_name
from mien.progress import say

if TYPE_CHECKING:
    from mien.data.crops import Cutter
    from mien.evaluation import Choice
    from mien.recognizer import ExpressionReader
    from mien.study.cam import Opened
    from mien.study.explain import Explanation, Loss


SEED = 0  # of the choice of faces


class Group(NamedTuple):
    """Faces to explain together: crops (N, ...), points (N, 68, 2), what they are explained for."""

    name: str
    crops: NDArray[np.uint8]
    points_xy: NDArray[np.float32]
    targets: NDArray[np.int64]
    source: str = ""


def explain(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the maps and the page.")],
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO",
            help="Photographs, as files, folders or patterns; the largest face of each is taken.",
        ),
    ] = None,
    dataset: _faces.Dataset = None,
    root: _faces.Root = None,
    table: _faces.Table = None,
    split: _faces.Split = None,
    rule: _faces.Rule = None,
    points: _faces.Points = None,
    option: _options.Settings = None,
    expression: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only faces of this expression; may be repeated."),
    ] = None,
    faces: Annotated[
        int, typer.Option(metavar="N", min=1, help="Faces of a set, at most, an expression.")
    ] = 100,
    detector: Annotated[
        str, typer.Option(metavar="NAME", help="Of photographs; whole: each is one face.")
    ] = "centerface",
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|FILE", help="Add Grad-CAM of this run of `mien train`, or checkpoint."
        ),
    ] = None,
    model: _options.Model = None,
    labels: _faces.Output = None,
    provider: _options.Provider = "cpu",
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Show which places of a face an answer depends on, by covering one after the other.

    Photographs are explained one by one, for the model's own answer; the faces of a data set or
    table together, an expression at a time, on their mean face. Photographs without a face are left
    out; one that cannot be read makes the exit code 3.
    """
    from mien import files
    from mien.recognizer import ExpressionReader
    from mien.study import explain as work
    from mien.study.explained import PAGE, write_explanations
    from mien.study.sentences import odds
    from mien.study.sentences import points as in_points

    if bool(photos) == bool(dataset or table):
        raise UsageError("expected either photographs, or --dataset or --table")
    if photos and expression:
        raise UsageError("--expression chooses faces of a set; leave it out for photographs")
    files.check_folder(out)
    asked: dict[str, Any] = {"data_set": dataset, "table": table, "split": split, "rule": rule}
    choice = None if photos else _faces.choice(option, points_file=points, **asked)
    opened = _opened(checkpoint)
    as_set = choice.labelled_as if choice else None
    reader = ExpressionReader(model, labels=labels, data_set=as_set, provider=provider)
    broken: list[str] = []
    if choice is None:
        groups, broken = _of_photographs(photos or [], reader, detector, quiet)
        stated: dict[str, Any] = {"photographs": len(groups), "detector": detector}
        stated["points"] = "found by the landmark network"
    else:
        groups, stated = _of_set(choice, root, reader, expression, faces, quiet)
    cams, layer = _cams(opened, groups, reader)
    found = [
        work.explain(reader, one.crops, one.points_xy, one.targets, name=one.name, quiet=quiet)
        for one in groups
    ]
    stated |= {
        "test_time_augmentation": "mirror" if reader.mirror else "none",
        "model": reader.metadata.name,
        "model_sha256": reader.sha256,
        "output": reader.output,
        "checkpoint": checkpoint and checkpoint.name,
        "grad_cam_layer": layer,
    }
    sources = [one.source for one in groups] if photos else []
    record = write_explanations(out, found, cams, stated, sources=sources, show=bool(photos))
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(record, indent=2))
        else:
            rows = [*_rows(found, "points lost", lambda lost: in_points(lost.probability)), [""]]
            rows += _rows(found, "log-odds lost", lambda lost: odds(lost.log_odds))
            minded = (f"mind: {text}" for text in record["warnings"])
            print(*aligned(rows, numbers=True), *minded, sep="\n")
    say(f"{out / PAGE}: the maps", quiet=quiet)
    if broken:
        raise typer.Exit(InputError.exit_code)


def _rows(
    found: list["Explanation"], title: str, told: Callable[["Loss"], str]
) -> Iterator[list[str]]:
    """Yield a header, and what hiding each region costs, a row each."""
    regions = list(dict.fromkeys(name for one in found for name in one.regions))
    yield [title, "faces", *regions]
    for one in found:
        yield [one.name, str(one.faces), *(told(one.regions[name]) for name in regions)]


def _of_photographs(
    photos: list[str], reader: "ExpressionReader", detector: str, quiet: bool
) -> tuple[list[Group], list[str]]:
    """Cut a face from each photograph; tell which cannot be read."""
    from mien import files
    from mien.data.crops import Cutter
    from mien.data.rejections import NO_FACE
    from mien.faces.finding import FaceFinder
    from mien.media import folders

    cutter = Cutter(reader.preparation, FaceFinder(detector, points=True))
    groups: list[Group] = []
    reasons: dict[str, str] = {}
    taken: set[str] = set()
    for path in folders.expand(photos):
        try:
            group = _photograph(path, cutter, reader)
        except InputError as error:
            reasons[str(path)] = str(error)
            continue
        name = files.numbered(printable(path.stem), taken)
        groups.append(group._replace(name=f"{name}: {group.name}"))
    said = [
        printable(reason if name in reason else f"{name}: {reason}")
        for name, reason in reasons.items()
    ]
    if not groups:
        raise InputError("; ".join(said) or "no photographs: the list on stdin is empty")
    for text in said:
        say(f"left out: {text}", quiet=quiet)
    return groups, [name for name, reason in reasons.items() if reason != NO_FACE]


def _photograph(path: Path, cutter: "Cutter", reader: "ExpressionReader") -> Group:
    crop = cutter(path)
    assert crop.points_xy is not None  # the finder was asked for them
    image = crop.image[None]
    told = reader.read(image).probabilities.argmax(axis=1)
    points_xy = crop.points_xy[None].astype(np.float32)
    return Group(reader.labels[told[0]], image, points_xy, told, str(path))


def _of_set(
    choice: "Choice",
    root: Path | None,
    reader: "ExpressionReader",
    expressions: list[str] | None,
    most: int,
    quiet: bool,
) -> tuple[list[Group], dict[str, Any]]:
    """Take some faces of each expression, the same ones each time; say which."""
    from mien import geometry
    from mien.data.points import with_points

    selected = choice.select(root, reader.preparation, quiet=quiet)
    chosen, whose = selected.faces, ""
    names = chosen.expression_names()
    known = [name for name in reader.labels if name in names]
    for name in expressions or ():
        if name not in known:
            raise UsageError(unknown_name("expression of these faces", name, known))
    groups = []
    for name in expressions or known:
        rows = np.flatnonzero(names == name)
        rows = np.sort(np.random.default_rng(SEED).permutation(rows)[:most])
        some, whose = with_points(chosen[rows], quiet=quiet)
        if some.points_xy is None:
            raise DataError(f"the faces of {name} have no landmarks; expected 68 a face")
        matrix = reader.preparation.whole_matrix(some.images.shape[1:3])
        groups.append(
            Group(
                name,
                np.stack([reader.preparation.whole(image) for image in some.images]),
                geometry.apply(matrix, some.points_xy).astype(np.float32),
                np.full(len(some), reader.labels.index(name)),
            )
        )
    stated = {
        **selected.stated,
        "points": selected.stated.get("points") or whose,
        "faces": f"{most} an expression at most, drawn with seed {SEED}",
    }
    return groups, stated


def _opened(checkpoint: Path | None) -> "Opened | None":
    """Open the checkpoint, and tell what is missing before any work is done."""
    if checkpoint is None:
        return None
    try:
        from mien.study import cam
    except ModuleNotFoundError as error:
        raise MissingExtraError("opening a checkpoint", "PyTorch", "train") from error
    cam.check()
    return cam.open_network(checkpoint)


def _cams(
    opened: "Opened | None", groups: list[Group], reader: "ExpressionReader"
) -> tuple[list[NDArray[np.float64] | None], str | None]:
    """Explain the same faces, shown as the checkpoint's network takes them; name the layer."""
    if opened is None:
        return [None] * len(groups), None
    from mien.study.cam import columns, grad_cam, layer_of
    from mien.study.explain import laid_over

    maps: list[NDArray[np.float64] | None] = []
    layer = ""
    for group in groups:
        head, targets = columns(opened, reader.labels, group.targets)
        inputs = opened.inputs(group.crops, reader.preparation)
        layer = layer or layer_of(opened, inputs[:1], head)
        size_hw = (group.crops.shape[1], group.crops.shape[2])
        found = grad_cam(opened, inputs, targets, layer=layer, head=head, size_hw=size_hw)
        maps.append(laid_over(found, group.points_xy))
    return maps, layer
