"""The options that make a recipe: a file or none, settings that replace its own, and the data."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_origin, get_type_hints

import typer

from mien.cli import _options
from mien.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from mien.training.material import DataSource
    from mien.training.settings import Recipe

PACKAGES = ("torch", "safetensors", "onnx", "onnxscript")

# Options that are settings of a recipe; every other setting is given by --set.
FLAGS = {
    "dataset": "data.dataset",
    "protocol": "data.protocol",
    "network": "network.name",
    "pretrained": "network.pretrained",
    "epochs": "epochs",
    "batch_size": "batch_size",
    "learning_rate": "optimizer.learning_rate",
    "momentum": "optimizer.momentum",
    "seed": "seed",
    "start": "start",
}
# What a run from flags alone trains for.
USUAL = {"task": "labels", "network.name": "base"}

Root = Annotated[
    Path | None,
    typer.Option(
        "--data",
        "--root",
        metavar="DIR",
        envvar="MIEN_DATA",
        help="Folder with the data set, at any depth.",
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A data set that `mien data list` names."),
]
Points = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Landmarks of the faces (.npz), to hide parts by."),
]
Fold = Annotated[
    str | None,
    typer.Option(metavar="N|NAME", help="Which fold of the splits or the protocol.  [default: 0]"),
]
Network = Annotated[
    str | None, typer.Option(metavar="NAME", help="What to train: see `mien networks list`.")
]
Pretrained = Annotated[
    bool | None,
    typer.Option(
        "--pretrained/--no-pretrained",
        help="Start from torchvision's or timm's own weights, which are downloaded.",
    ),
]
Augment = Annotated[
    bool | None,
    typer.Option(
        "--augment/--no-augment",
        help="Change the training faces in the usual way, or not at all.  [default: as the recipe]",
    ),
]
Epochs = Annotated[int | None, typer.Option(min=1, help="How often to show the faces.")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="Faces a step.")]
LearningRate = Annotated[float | None, typer.Option(metavar="RATE", help="The highest one.")]
Momentum = Annotated[float | None, typer.Option(help="Of the optimiser sgd.")]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Of all that is drawn at random.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other setting by its name in a recipe, as in --set optimizer.weight_decay=1e-4;"
        " may be given more than once.",
    ),
]
Device = Annotated[
    str,
    typer.Option(metavar="cpu|cuda|auto", help="Where to train; auto takes a GPU if there is one."),
]


def training() -> None:
    """Say how to install what training needs, where it is lacking."""
    try:
        import mien.training.run  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError("training", "PyTorch", "train") from error


def made(
    recipe: str | None,
    flags: Mapping[str, Any],
    texts: Iterable[str] = (),
    augment: bool | None = None,
    name: str = "",
    usual: Mapping[str, Any] = USUAL,
) -> "Recipe":
    """Read a recipe by name or path, or start from the usual one, and replace settings.

    flags: by the names of FLAGS; None leaves what the recipe says. texts: NAME=VALUE each. name:
    of the recipe where there is no file.
    """
    from mien.training.recipe import read_recipe
    from mien.training.shipped import recipe_path

    known = kinds()
    changes = {FLAGS[flag]: value for flag, value in flags.items() if value is not None}
    changes |= dict(parsed(text, known) for text in texts)
    if augment is not None:
        changes = {**_augmented(augment), **changes}
    if recipe is not None:
        return read_recipe(recipe_path(recipe), **changes)
    changes = {**usual, **changes}
    network = str(changes["network.name"])
    changes.setdefault("name", name or network.replace(":", "-"))
    changes.setdefault("side", _own_side(network))
    return read_recipe(None, **changes)


def source(
    recipe: "Recipe", root: Path | None, table: Path | None, option: list[str] | None, **named: Any
) -> "DataSource":
    """Name where the faces are, and check that the recipe can be meant for them."""
    from mien.training.material import DataSource
    from mien.training.settings import DataSettings

    if root is None and table is None:
        raise UsageError(
            "expected the folder with the faces: --data DIR, or the variable MIEN_DATA; or a"
            " table that `mien data prepare` made: --table DIR"
        )
    if recipe.task == "labels":
        if table is None and not recipe.data.dataset:
            raise UsageError("expected a data set by name (--dataset), or a table (--table)")
    else:
        given = {
            "--dataset": recipe.data.dataset,
            "--table": table,
            "--option": option,
            "--splits": named.get("splits"),
            "--fold": named.get("fold"),
            "the settings data.*": recipe.data != DataSettings(dataset=recipe.data.dataset),
        }
        if told := [name for name, value in given.items() if value]:
            raise UsageError(
                f"the task {recipe.task!r} of {recipe.name} trains on FER-2013 with votes and"
                f" points, which --data finds; leave {' and '.join(told)} out"
            )
    named = {name: value for name, value in named.items() if value is not None}
    return DataSource(root=root, table=table, options=_options.settings(option), **named)


def kinds() -> dict[str, Any]:
    """Give the type of every setting by its dotted name."""
    from mien.training.settings import Recipe

    found: dict[str, Any] = {}
    for name, kind in get_type_hints(Recipe).items():
        if dataclasses.is_dataclass(kind):
            found |= {f"{name}.{key}": of for key, of in get_type_hints(kind).items()}
        else:
            found[name] = kind
    return found


def parsed(text: str, known: Mapping[str, Any]) -> tuple[str, Any]:
    """Split NAME=VALUE; the value is read as the setting's type wants it."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals):
        raise UsageError(f"expected --set NAME=VALUE, got {text!r}")
    if name not in known:
        raise UsageError(f"unknown setting {name!r}{_hint(name, known)}")
    if known[name] is str:
        return name, value
    listed = get_origin(known[name]) is tuple and not value.startswith("[")
    try:
        return name, tomllib.loads(f"value = [{value}]" if listed else f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:  # names without quotes, or what reading the recipe will refuse
        return name, [part.strip() for part in value.split(",")] if listed else value


def _own_side(name: str) -> int | None:
    """Give the side of a network's input, but not the large one of photographs' networks."""
    from mien.networks.registry import network

    if ":" in name:  # torchvision's or timm's
        return None
    found = network(name)
    return None if found.hub else found.side


def _hint(name: str, known: Iterable[str]) -> str:
    """Suggest the setting of that name in a table, or the nearest."""
    last = name.rpartition(".")[2]
    names = list(known)
    near = [one for one in names if one.rpartition(".")[2] == last]
    near = near or get_close_matches(name, names, 1)
    if not near:
        ends = {one.rpartition(".")[2]: one for one in names}
        near = [ends[end] for end in get_close_matches(last, ends, 1)]
    return f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(names)}"


def _augmented(wanted: bool) -> dict[str, Any]:
    """Give the usual augmentation, or none."""
    from mien.training.augment import Augmentation

    usual = dataclasses.asdict(Augmentation())
    if wanted:
        return {f"augmentation.{name}": value for name, value in usual.items()}
    none = {
        f"augmentation.{name}": 0.0 for name, value in usual.items() if isinstance(value, float)
    }
    return {"data.set": "A", **none}
