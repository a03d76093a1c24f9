"""`mien models`: the model files that ship, and those that a user added under names."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.errors import ModelError, UsageError, unknown_name
from mien.progress import say
from mien.weights import Entry

OPTIONS = {"expression": "--model", "landmarks": "--landmarks"}  # that take a model, by its kind


def models(
    context: typer.Context,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """List the models that ship and those that were added, or change the latter.

    Tells the kind, size, licence, SHA-256, training data and results of each. A model that was
    added is used by its name wherever a model is named: mien predict photo.jpg --model NAME
    """
    if context.invoked_subcommand is None:
        show(format)
    elif quiet or format is not _options.Report.table:
        raise UsageError("options stand behind the command: mien models list --format json")


def show(
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """List the models that ship and those that were added."""
    from mien import weights

    entries = (*weights.list_models(), *weights.added().values())
    described = [describe(entry) for entry in entries]
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(described, indent=2))
        else:
            print_table(described)


def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file: ONNX, as exported.")],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to call it.  [default: as the file says]"),
    ] = None,
    kind: Annotated[
        str, typer.Option(metavar="|".join(OPTIONS), help="What it is for.")
    ] = "expression",
    description: Annotated[str, typer.Option(help="A line on what it is.")] = "",
    licence: Annotated[str, typer.Option(help="Under which terms it is given.")] = "not stated",
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Keep a model under a name, for use as --model NAME, of landmarks as --landmarks NAME.

    The file is opened and checked first, copied into the folder that MIEN_MODELS names (or where
    the system keeps such data), and its hash is checked whenever it is used.
    """
    from mien import session
    from mien.weights import adding

    if kind not in OPTIONS:
        raise UsageError(unknown_name("kind", kind, OPTIONS))
    if not file.is_file():
        raise ModelError(f"expected a model file to add, found none at {file}")
    metadata = session.open_model(file.absolute(), kind=kind, threads=1).metadata
    about = {"description": description or f"added from {file.name}", "licence": licence}
    entry = adding.add(file, name or metadata.name, kind=kind, **about)
    say(f"{entry.path}: use it as {OPTIONS[kind]} {entry.name}", quiet=quiet)


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model that was added.")],
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Take a model that was added off the list, and delete that copy of it."""
    from mien.weights import adding

    say(f"{adding.remove(name)} is removed", quiet=quiet)


COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "list": (
        show,
        """
        mien models
        mien models list --format json""",
    ),
    "add": (
        add,
        """
        mien models add runs/mine/mine.onnx
        mien models add mine.onnx --name better --description "trained on our faces\"""",
    ),
    "remove": (
        remove,
        """
        mien models remove better""",
    ),
}
"""The commands of the group by name, each with the examples of its help."""


def describe(entry: Entry) -> dict[str, Any]:
    """Join what the manifest and the file itself say of a model; its hash is checked.

    What is wrong with one that was added is told in its row, so that the others are listed.
    """
    from mien import session, weights

    row = {
        "name": entry.name,
        "kind": entry.kind,
        "default": entry.default,
        "description": entry.description,
        "file": str(entry.path),
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "trained_on": [],
        "results": {},
    }
    try:
        model = session.open_model(weights.located(entry), kind=entry.kind, threads=1)
    except ModelError as error:
        if entry.name in weights.entries():
            raise
        return {**row, "error": str(error)}
    told = model.metadata
    return {**row, "trained_on": list(told.trained_on), "results": told.results}


def print_table(described: list[dict[str, Any]]) -> None:
    """Print a block a model: what it is, what it was trained on, what it reaches."""
    for model in described:
        print(f"{model['name']}: {model['description']}")
        for line in aligned(list(facts(model))):
            print(f"  {line}")
        print()


def facts(model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of a model's block."""
    yield "kind", model["kind"] + (", the default" if model["default"] else "")
    yield "size", f"{model['bytes'] / 1e6:.1f} MB"
    yield "licence", model["licence"]
    yield "SHA-256", model["sha256"]
    if "error" in model:
        yield "error", model["error"]
    for part in model["trained_on"]:
        rights = f"licence: {part.get('licence')}; redistribution: {part.get('redistribution')}"
        yield "trained on", f"{part.get('data_set')} ({rights})"
    yield from measured(model["results"])


def measured(results: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every single result with the names that lead to it."""
    for name, value in results.items():
        path = f"{place} {name}".strip()
        if isinstance(value, dict):
            yield from measured(value, path)
        else:
            yield path, str(value)
