"""FaceTable: the faces of a data set as arrays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mien.data.columns import Columns, Shapes
from mien.data.summaries import write_summary
from mien.errors import DataError, OutputError
from mien.files import new_folder

FORMAT = 1
DESCRIPTION = "table.json"
POINTS = 68


@dataclass(frozen=True, eq=False, kw_only=True)
class FaceTable(Columns):
    """Hold N faces.

    images: uint8 (N, H, W) grey or (N, H, W, 3) RGB. points_xy: float32 (N, 68, 2) in pixels of the
    images, some perhaps outside them.
    """

    images: NDArray[np.uint8]
    points_xy: NDArray[np.float32] | None = None

    shapes: ClassVar[Shapes] = {**Columns.shapes, "points_xy": ("f", (POINTS, 2))}
    optional: ClassVar[tuple[str, ...]] = (*Columns.optional, "points_xy")

    def __post_init__(self) -> None:
        _check_images(self.images)
        super().__post_init__()

    def __len__(self) -> int:
        return len(self.images)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"images": self.images, **super().arrays()}

    @property
    def has_points(self) -> NDArray[np.bool_]:
        """Tell of each face (N,) whether its points are known."""
        if self.points_xy is None:
            return np.zeros(len(self), np.bool_)
        return np.asarray(np.isfinite(self.points_xy).all(axis=(1, 2)))

    def save(self, folder: str | Path, summary: Mapping[str, Any] | None = None) -> None:
        """Write the table as a new folder: .npy files, a JSON, and the summary if one is given."""
        folder = Path(folder)
        if folder.exists():
            raise OutputError(f"{folder} exists; remove it or name another folder")
        try:
            with new_folder(folder) as part:
                self._write(part)
                if summary is not None:
                    write_summary(part, summary)
        except OSError as error:
            raise OutputError(f"cannot write the table {folder}: {error}") from error

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open a saved table; its arrays stay on disk and are read where they are used."""
        folder = Path(folder)
        description = _read_description(folder / DESCRIPTION)
        mode = "r" if description["faces"] else None  # an empty file cannot be mapped
        known = set(description["arrays"]) & {"images", *cls.shapes}
        arrays: dict[str, Any] = {name: _map(folder / f"{name}.npy", mode) for name in known}
        missing = {"images", *cls.shapes} - known - set(cls.optional)
        if missing:
            raise DataError(f"{folder} has no {', '.join(sorted(missing))}; save the table again")
        return cls(expressions=tuple(description["expressions"]), **arrays)

    def _write(self, folder: Path) -> None:
        for name, array in self.arrays().items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        describe(folder, len(self), self.expressions, list(self.arrays()))


def describe(folder: Path, faces: int, expressions: tuple[str, ...], arrays: list[str]) -> None:
    """Write the JSON that makes a folder of .npy files a table."""
    description = {
        "format": FORMAT,
        "kind": "face-table",
        "faces": faces,
        "expressions": expressions,
        "arrays": arrays,
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")


def _check_images(images: NDArray[Any]) -> None:
    colour = images.ndim == 4 and images.shape[3] == 3
    if images.dtype != np.uint8 or not (images.ndim == 3 or colour):
        raise DataError(
            "images must be uint8 of shape (N, H, W) or (N, H, W, 3), got"
            f" {images.dtype} {images.shape}"
        )


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"no {path}; expected a folder that FaceTable.save wrote") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}; save the table again") from error
    if not isinstance(description, dict) or not {"faces", "expressions", "arrays"} <= {
        *description
    }:
        raise DataError(f"{path} does not describe a face table; save the table again")
    if description.get("format") != FORMAT:
        found = description.get("format")
        raise DataError(f"{path} has format {found!r}, expected {FORMAT}; save the table again")
    return description


def _map(path: Path, mode: Any) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}; save the table again") from error
    return array
