"""The model files that are shipped, and the manifest that says what they are."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mien.errors import ModelError, unknown_name

FOLDER = Path(__file__).parent
MANIFEST = FOLDER / "manifest.json"
REPAIR = "reinstall mien: pip install --force-reinstall --no-deps mien"


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one shipped file."""

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
    """Find a model by its name in the manifest, or by its path."""
    entry = entries().get(str(name_or_path))
    path = entry.path if entry else Path(name_or_path)
    if path.is_file():
        return path
    if entry:
        raise ModelError(
            f"the shipped model {entry.name!r} must be at {path}, found none; {REPAIR}"
        )
    if path.exists():
        raise ModelError(
            f"expected a model file, found something else at {path}; give an ONNX file"
        )
    names = unknown_name("model", str(name_or_path), entries())
    raise ModelError(f"{names}; and no file of that name")


def expected_sha256(path: Path) -> str | None:
    """Give the hash the manifest pins for a file, or None where it is not a shipped one."""
    shipped = {entry.path.resolve(): entry.sha256 for entry in list_models()}
    return shipped.get(path.resolve())


def sample_portrait() -> Path:
    """Find the photograph that the demonstration reads: NASA's portrait of Eileen Collins."""
    path = FOLDER / "astronaut.png"
    if not path.is_file():
        raise ModelError(f"the sample portrait must be at {path}, found none; {REPAIR}")
    return path


@cache
def entries() -> dict[str, Entry]:
    """Read the manifest once."""
    try:
        found = json.loads(MANIFEST.read_text("utf-8"))
        return {name: Entry(name=name, **fields) for name, fields in found.items()}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{MANIFEST} cannot be read ({error}); {REPAIR}") from error
