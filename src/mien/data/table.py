"""FaceTable: the faces of a data set as arrays."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError, OutputError
from mien.expressions import EXPRESSIONS, check_mapping

FORMAT = 1
DESCRIPTION = "table.json"
VOTES = 10
POINTS = 68

Index = NDArray[np.bool_] | NDArray[np.integer[Any]] | slice


@dataclass(frozen=True, eq=False, kw_only=True)
class FaceTable:
    """Hold N faces; an index selects from every array at once.

    images: uint8 (N, H, W) grey or (N, H, W, 3) RGB. labels: integers (N,), the set's own, -1 where
    there is none. expressions: the canonical expression of each label. votes: float (N, 10), FER+'s
    eight expressions, `unknown` and `NF`. points_xy: float32 (N, 68, 2) in pixels of the images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.integer[Any]]
    expressions: tuple[str, ...]
    subject: NDArray[np.str_]
    sequence: NDArray[np.str_]
    source_id: NDArray[np.str_]
    split: NDArray[np.str_]
    votes: NDArray[np.floating[Any]] | None = None
    points_xy: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        _check_images(self.images)
        for name, (kind, shape) in _SHAPES.items():
            _check_array(name, getattr(self, name), kind, (len(self), *shape))
        labels = np.unique(self.labels)
        check_mapping("the table", dict(enumerate(self.expressions)), labels[labels != -1].tolist())

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Index) -> "FaceTable":
        """Select faces by a boolean mask, an array of row numbers or a slice."""
        if not isinstance(index, slice) and np.ndim(index) != 1:
            raise TypeError(f"a table is indexed by a mask, row numbers or a slice, got {index!r}")
        chosen: dict[str, Any] = {name: array[index] for name, array in self._arrays().items()}
        return replace(self, **chosen)

    def canonical_labels(self) -> NDArray[np.int64]:
        """Give each face's label as an index into EXPRESSIONS, -1 where there is none."""
        order = np.array([*map(EXPRESSIONS.index, self.expressions), -1], dtype=np.int64)
        indices: NDArray[np.int64] = order[self.labels]
        return indices

    def save(self, folder: str | Path) -> None:
        """Write the table as a new folder of .npy files and one JSON."""
        folder = Path(folder)
        if folder.exists():
            raise OutputError(f"{folder} exists; remove it or name another folder")
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        try:
            self._write(temporary)
            temporary.rename(folder)
        except OSError as error:
            raise OutputError(f"cannot write the table {folder}: {error}") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def open(cls, folder: str | Path) -> "FaceTable":
        """Open a saved table; its arrays stay on disk and are read where they are used."""
        folder = Path(folder)
        description = _read_description(folder / DESCRIPTION)
        mode = "r" if description["faces"] else None  # an empty file cannot be mapped
        arrays = {name: _map_array(folder / f"{name}.npy", mode) for name in description["arrays"]}
        return cls(expressions=tuple(description["expressions"]), **arrays)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        found = {name: getattr(self, name) for name in ("images", *_SHAPES)}
        return {name: array for name, array in found.items() if array is not None}

    def _write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        for name, array in self._arrays().items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        description = {
            "format": FORMAT,
            "kind": "face-table",
            "faces": len(self),
            "expressions": self.expressions,
            "arrays": list(self._arrays()),
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")


# name -> kinds of dtype, shape after the first axis
_SHAPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "labels": ("iu", ()),
    "subject": ("U", ()),
    "sequence": ("U", ()),
    "source_id": ("U", ()),
    "split": ("U", ()),
    "votes": ("f", (VOTES,)),
    "points_xy": ("f", (POINTS, 2)),
}
_OPTIONAL = ("votes", "points_xy")
_KINDS = {"iu": "integers", "U": "text", "f": "floating-point numbers"}


def _check_images(images: NDArray[Any]) -> None:
    colour = images.ndim == 4 and images.shape[3] == 3
    if images.dtype != np.uint8 or not (images.ndim == 3 or colour):
        raise DataError(
            "images must be uint8 of shape (N, H, W) or (N, H, W, 3), got"
            f" {images.dtype} {images.shape}"
        )


def _check_array(name: str, array: NDArray[Any] | None, kind: str, shape: tuple[int, ...]) -> None:
    if array is None and name in _OPTIONAL:
        return
    if array is None or array.dtype.kind not in kind or array.shape != shape:
        found = "nothing" if array is None else f"{array.dtype} {array.shape}"
        raise DataError(f"{name} must be {_KINDS[kind]} of shape {shape}, got {found}")


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"no {path}; expected a folder that FaceTable.save wrote") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}; save the table again") from error
    if not isinstance(description, dict) or description.get("kind") != "face-table":
        raise DataError(f"{path} does not describe a face table; save the table again")
    if description.get("format") != FORMAT:
        found = description.get("format")
        raise DataError(f"{path} has format {found!r}, expected {FORMAT}; save the table again")
    return description


def _map_array(path: Path, mode: Any) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}; save the table again") from error
    return array
