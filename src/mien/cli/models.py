"""`mien models`: the model files that are shipped."""

import json
from collections.abc import Iterator
from typing import Any

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.weights import Entry


def models(
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """List the models that are shipped.

    Tells the kind, size, licence, SHA-256, training data and results of each.
    """
    from mien import weights

    described = [describe(entry) for entry in weights.list_models()]
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(described, indent=2))
        else:
            print_table(described)


def describe(entry: Entry) -> dict[str, Any]:
    """Join what the manifest and the file itself say of a model; its hash is checked."""
    from mien import session

    model = session.open_model(entry.name, kind=entry.kind, threads=1)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "default": entry.default,
        "description": entry.description,
        "file": str(entry.path),
        "bytes": entry.bytes,
        "sha256": model.sha256,
        "licence": entry.licence,
        "trained_on": list(model.metadata.trained_on),
        "results": model.metadata.results,
    }


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
