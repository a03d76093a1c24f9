"""The model files that ship and those that a user added, and the manifests that say what they are.

Added ones lie in a folder of the user's: that of MIEN_MODELS, or where the system keeps such data.
"""

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mien.errors import ModelError, unknown_name

FOLDER = Path(__file__).parent
MANIFEST = FOLDER / "manifest.json"
VARIABLE = "MIEN_MODELS"
REPAIR = "reinstall mien: pip install --force-reinstall --no-deps mien"


@dataclass(frozen=True)
class Entry:
    """What a manifest says of one file; `file` is beside this module, or absolute."""

    name: str
    file: str
    kind: str
    sha256: str
    bytes: int
    licence: str
    description: str
    default: bool

    @property
    def path(self) -> Path:
        return FOLDER / self.file


def sha256_file(path: Path) -> str:
    """Hash a file without holding all of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_models() -> tuple[Entry, ...]:
    """List the shipped models in the manifest's order."""
    return tuple(entries().values())


def default(kind: str) -> str:
    """Name the model of a kind that is used where none is asked for."""
    for entry in list_models():
        if entry.kind == kind and entry.default:
            return entry.name
    raise ModelError(f"expected a shipped model of kind {kind!r}, found none; {REPAIR}")


def path_of(name_or_path: str | Path) -> Path:
    """Find a model by its path, or by the name under which it ships or was added."""
    name, path = str(name_or_path), Path(name_or_path)
    if name not in entries() and path.is_file():
        return path
    if entry := entries().get(name) or added().get(name):
        return located(entry)
    if path.exists():
        raise ModelError(
            f"expected a model file, found something else at {path}; give an ONNX file"
        )
    names = unknown_name("model", name, (*entries(), *added()))
    raise ModelError(f"{names}; and no file of that name")


def located(entry: Entry) -> Path:
    """Give the path of a model that ships or was added; its file must be there."""
    path, name = entry.path, entry.name
    if path.is_file():
        return path
    if name in entries():
        raise ModelError(f"the shipped model {name!r} must be at {path}, found none; {REPAIR}")
    raise ModelError(
        f"the model {name!r} must be at {path}, found none: add it again, or take it off the list:"
        f" mien models remove {name}"
    )


def expected_sha256(path: Path) -> str | None:
    """Give the hash pinned for a file that ships or was added, or None for any other."""
    path, folder = path.resolve(), added_folder()
    own = added().values() if folder and path.parent == folder.resolve() else ()
    pinned = {entry.path.resolve(): entry.sha256 for entry in (*list_models(), *own)}
    return pinned.get(path)


def added_folder() -> Path | None:
    """Give the folder of the models that the user added, which need not be there.

    None for a user who has no home.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    try:
        return Path(_data_home(), "mien", "models")
    except RuntimeError:  # of Path.home
        return None


def _data_home() -> str | Path:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"


def added() -> dict[str, Entry]:
    """Read what the user added, by name."""
    folder = added_folder()
    if folder is None or not (folder / MANIFEST.name).is_file():
        return {}
    return _read(folder / MANIFEST.name, folder, "remove it and add the models again")


def sample_portrait() -> Path:
    """Find the photograph that the demonstration reads: NASA's portrait of Eileen Collins."""
    path = FOLDER / "astronaut.png"
    if not path.is_file():
        raise ModelError(f"the sample portrait must be at {path}, found none; {REPAIR}")
    return path


@cache
def entries() -> dict[str, Entry]:
    """Read the manifest once."""
    return _read(MANIFEST, Path(), REPAIR)


def _read(manifest: Path, folder: Path, repair: str) -> dict[str, Entry]:
    """Read a manifest, by name; the folder goes before the names of its files."""
    try:
        found = json.loads(manifest.read_text("utf-8"))
        return {
            name: Entry(**{**fields, "name": name, "file": str(folder / fields["file"])})
            for name, fields in found.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{manifest} cannot be read ({error}); {repair}") from error
