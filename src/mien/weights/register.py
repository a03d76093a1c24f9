"""Put a model file among the shipped ones and write its line of the manifest.

python -m mien.weights.register runs/expression/model.onnx expression --kind expression \
    --description "..."
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from mien import weights


def register(
    model: Path, name: str, *, kind: str, description: str, licence: str = "MIT"
) -> weights.Entry:
    """Copy the file to where it ships and pin its hash; it becomes its kind's default."""
    entry = weights.Entry(
        name=name,
        file=f"{name}.onnx",
        kind=kind,
        sha256=weights.sha256_file(model),
        bytes=model.stat().st_size,
        licence=licence,
        description=description,
        default=True,
    )
    if model.resolve() != entry.path.resolve():
        shutil.copyfile(model, entry.path)
    _write([*_others(name, kind), entry])
    return entry


def _others(name: str, kind: str) -> list[weights.Entry]:
    """List the entries that stay, none of them the default of this kind."""
    return [
        weights.Entry(**{**vars(entry), "default": entry.default and entry.kind != kind})
        for entry in weights.list_models()
        if entry.name != name
    ]


def _write(entries: Sequence[weights.Entry]) -> None:
    ordered = sorted(entries, key=lambda entry: entry.name)
    table = {entry.name: {**vars(entry)} for entry in ordered}
    for fields in table.values():
        del fields["name"]
    weights.MANIFEST.write_text(json.dumps(table, indent=2) + "\n", "utf-8")
    weights.entries.cache_clear()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mien.weights.register")
    parser.add_argument("model", type=Path)
    parser.add_argument("name")
    parser.add_argument("--kind", required=True, choices=("expression", "landmarks", "detector"))
    parser.add_argument("--description", required=True)
    parser.add_argument("--licence", default="MIT")
    options = parser.parse_args(arguments)
    entry = register(**vars(options))
    print(f"{entry.name}: {entry.bytes} bytes, SHA-256 {entry.sha256}")


if __name__ == "__main__":
    main()
