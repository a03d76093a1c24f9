"""`mien models`: the model files that are shipped."""

import json
from typing import Any

from mien.cli import _options
from mien.cli._streams import console, writing
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
    from rich.table import Table

    screen = console()
    for model in described:
        screen.print(f"[bold]{model['name']}[/bold]  {model['description']}")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 2))
        for name, value in _facts(model):
            table.add_row(name, value)
        screen.print(table)
        screen.print()


def _facts(model: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("kind", model["kind"] + (" (default)" if model["default"] else "")),
        ("size", f"{model['bytes'] / 1e6:.1f} MB"),
        ("licence", model["licence"]),
        ("SHA-256", model["sha256"]),
        *(("trained on", _joined(part)) for part in model["trained_on"]),
        *((name.replace("_", " "), _shown(value)) for name, value in model["results"].items()),
    ]


def _joined(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())


def _shown(value: Any) -> str:
    return _joined(value) if isinstance(value, dict) else str(value)
