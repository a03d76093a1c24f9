"""Keep models of one's own under names, beside those that ship."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mien import weights
from mien.errors import ModelError, OutputError, UsageError, unknown_name
from mien.files import replacing

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ADVICE = f"; name another folder by the variable {weights.VARIABLE}"


def add(
    model: Path, name: str, *, kind: str, description: str = "", licence: str = "not stated"
) -> weights.Entry:
    """Copy a model file into the user's folder under a name, its hash pinned."""
    known, sha256 = weights.added(), weights.sha256_file(model)
    _check(name, sha256, known)
    entry = weights.Entry(
        name=name,
        file=str(_folder() / f"{name}.onnx"),
        kind=kind,
        sha256=sha256,
        bytes=model.stat().st_size,
        licence=licence,
        description=description,
        default=False,
    )
    with replacing(entry.path, advice=ADVICE) as temporary:
        shutil.copyfile(model, temporary)
    _write({**known, name: entry})
    return entry


def remove(name: str) -> Path:
    """Take a model that was added off the list, and its file out of the user's folder."""
    known = weights.added()
    if name in weights.entries():
        raise UsageError(
            f"the model {name!r} ships with mien and stays; expected one that was added"
        )
    if name not in known:
        raise ModelError(unknown_name("added model", name, known))
    path = known.pop(name).path
    _write(known)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {error.strerror or error}") from error
    return path


def _folder() -> Path:
    folder = weights.added_folder()
    if folder is None:
        raise OutputError(f"there is no home folder to keep models in{ADVICE}")
    return folder


def _check(name: str, sha256: str, known: Mapping[str, weights.Entry]) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"expected a name of letters, digits, dots, dashes and underscores, got {name!r}"
        )
    if name in weights.entries():
        raise UsageError(f"the name {name!r} is that of a model that ships; give another by --name")
    if name in known and known[name].sha256 != sha256:
        raise UsageError(
            f"there is another model {name!r}; give this one another by --name,"
            f" or remove that one: mien models remove {name}"
        )


def _write(entries: Mapping[str, weights.Entry]) -> None:
    manifest = _folder() / weights.MANIFEST.name
    table = {
        name: {**asdict(entries[name]), "file": entries[name].path.name} for name in sorted(entries)
    }
    for fields in table.values():
        del fields["name"]
    with replacing(manifest, advice=ADVICE) as temporary:
        temporary.write_text(json.dumps(table, indent=2) + "\n", "utf-8")
