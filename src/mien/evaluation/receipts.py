"""Receipts: a result with every answer behind it, and what it takes to measure again.

A receipt is one JSON file. Each of its parts has a hash, and so has the whole: one that was changed
by hand is refused, naming the part. Hashes prove no honesty; `verifying` does, by measuring again.
"""

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien import __version__, files
from mien.data.columns import check_unique
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.evaluation.answers import Answers
from mien.evaluation.measures import Result
from mien.occlusion import NONE
from mien.recognizer import ExpressionReader

FORMAT, KIND = 1, "receipt"
DECIMALS = 4
AT_ONCE = 4096  # rows
LIBRARIES = ("numpy", "onnxruntime", "PIL")


@dataclass(frozen=True, eq=False, kw_only=True)
class Receipt:
    """Hold what a model said of N faces; expressions are places in `labels` (C,).

    result: the measures, as `Result.to_dict` gives them. faces: source ids. subjects: of each face,
    none where they are not known. probabilities: (N, C). condition: what was drawn and how. model,
    data: names and hashes; the data's choice too. seeds, versions: by name.
    """

    result: dict[str, Any]
    faces: tuple[str, ...]
    subjects: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    labels: tuple[str, ...]
    condition: dict[str, Any]
    model: dict[str, Any]
    data: dict[str, Any]
    seeds: dict[str, int]
    versions: dict[str, str]

    def __post_init__(self) -> None:
        n, classes = len(self.faces), len(self.labels)
        places = np.concatenate([self.truth, self.predicted])
        shapes = (self.truth.shape, self.predicted.shape, self.probabilities.shape)
        if shapes != ((n,), (n,), (n, classes)) or len(self.subjects) not in (0, n) or not n:
            raise DataError(
                f"a receipt of {n} faces and {classes} expressions must have one truth, answer and"
                f" row of probabilities a face, got {shapes}"
            )
        if places.min() < 0 or places.max() >= classes or not np.isfinite(self.probabilities).all():
            raise DataError(f"a receipt's answers must be places from 0 to {classes - 1}")
        check_unique(np.array(self.faces))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which faces (N,) the model is right about."""
        right: NDArray[np.bool_] = self.truth == self.predicted
        return right

    @cached_property
    def sha256(self) -> str:
        """The hash of the canonical JSON of all parts."""
        return _hash(self._parts())

    def save(self, path: str | Path) -> None:
        """Write the receipt as JSON, a line a part, whole or not at all."""
        parts = self._parts()
        head = {"format": FORMAT, "kind": KIND, "sha256": self.sha256}
        whole = {**head, "parts_sha256": {name: _hash(part) for name, part in parts.items()}}
        items = (whole | parts).items()
        lines = [f"{json.dumps(name)}: {json.dumps(part)}" for name, part in items]
        files.write(path, "{" + ",\n".join(lines) + "}\n")

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a saved receipt; one that was changed since is refused."""
        content = _content(Path(path))
        stated, whole = content.pop("parts_sha256"), content.pop("sha256")
        parts = {name: content[name] for name in PARTS}
        changed = [name for name, part in parts.items() if stated.get(name) != _hash(part)]
        if changed or whole != _hash(parts):
            raise _changed(path, f"the hash of its {', '.join(changed) or 'whole'} differs")
        if added := [*sorted(content.keys() - {*HEAD, *PARTS}), *sorted(stated.keys() - {*PARTS})]:
            raise _changed(path, f"no receipt has {', '.join(map(repr, added))}")
        try:
            return cls(**{name: _KINDS.get(name, _same)(part) for name, part in parts.items()})
        except (ValueError, TypeError) as error:
            raise DataError(f"{path} is no receipt: {error}; make it again") from error

    def _parts(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in PARTS}


PARTS = tuple(field.name for field in fields(Receipt))
HEAD = ("format", "kind", "sha256", "parts_sha256")


def make(
    found: Answers, measured: Result, reader: ExpressionReader, data: Mapping[str, Any]
) -> Receipt:
    """Put a receipt together; `data` says which faces were chosen, and how."""
    faces, drawn = found.faces, found.condition["occluder"] != NONE
    known = (faces.subject != "").all()
    return Receipt(
        result=json.loads(json.dumps(measured.to_dict())),
        faces=tuple(faces.source_id.tolist()),
        subjects=tuple(faces.subject.tolist()) if known else (),
        truth=found.truth,
        predicted=found.predicted,
        probabilities=found.probabilities.round(DECIMALS),
        labels=found.labels,
        condition={
            **found.condition,
            "points": data.get("points"),
            "points_sha256": points_hash(faces) if drawn else None,
            "shared": bool(found.shared),
        },
        model={
            "name": reader.metadata.name,
            "sha256": reader.sha256,
            "output": reader.output,
            "labels": list(reader.labels),
            "mirror": reader.mirror,
            **({"balanced": True} if reader.balanced else {}),
        },
        data={
            "name": data.get("data_set") or data.get("table"),
            **data,
            "sha256": data_hash(faces),
            "ids_sha256": ids_hash(faces.source_id.tolist()),
        },
        seeds={"occluder": found.condition["seed"]},
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Name what the numbers may depend on."""
    loaded = {name: getattr(sys.modules.get(name), "__version__", "") for name in LIBRARIES}
    return {"mien": __version__, "python": platform.python_version(), **loaded}


def data_hash(faces: FaceTable) -> str:
    """Hash ids, expressions, pixels and votes, as any table of the same faces has them."""
    head = [list(faces.images.shape), faces.expression_names().tolist()]
    digest = sha256(json.dumps(head).encode())
    digest.update(ids_hash(faces.source_id.tolist()).encode())
    for first in range(0, len(faces), AT_ONCE):
        digest.update(np.ascontiguousarray(faces.images[first : first + AT_ONCE]).tobytes())
    if faces.votes is not None:
        digest.update(faces.votes.astype(np.float32).tobytes())
    return digest.hexdigest()


def points_hash(faces: FaceTable) -> str | None:
    """Hash the points that the faces bring."""
    points = faces.points_xy
    return None if points is None else sha256(points.astype(np.float32).tobytes()).hexdigest()


def ids_hash(ids: list[str]) -> str:
    """Hash ids in their order, a line each."""
    return sha256("\n".join(ids).encode("utf-8", "surrogateescape")).hexdigest()


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path} is no receipt: {error}; make it with mien evaluate") from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise DataError(f"{path} is no receipt; make one with mien evaluate --receipt")
    if content.get("format") != FORMAT:
        found = content.get("format")
        raise DataError(f"{path} has format {found!r}, expected {FORMAT}; make it again")
    lacking = [name for name in ("sha256", "parts_sha256", *PARTS) if name not in content]
    if lacking or not isinstance(content["parts_sha256"], dict):
        raise DataError(f"{path} has no {', '.join(lacking) or 'hashes'}; make it again")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a key that is there twice would hide what the first one says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def _changed(path: str | Path, what: str) -> DataError:
    return DataError(
        f"{path} was changed after it was made: {what}; make it again with mien evaluate"
    )


def _hash(part: Any) -> str:
    canonical = json.dumps(part, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def _plain(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part.tolist()
    return list(part) if isinstance(part, tuple) else part


def _same(part: Any) -> Any:
    return part


def _integers(part: Any) -> NDArray[np.int64]:
    found = np.array(part)
    if found.dtype.kind != "i":
        raise ValueError(f"expected whole numbers, got {found.dtype}")
    return found.astype(np.int64)


_KINDS: dict[str, Any] = {
    **dict.fromkeys(("faces", "subjects", "labels"), tuple),
    **dict.fromkeys(("truth", "predicted"), _integers),
    "probabilities": lambda part: np.array(part, np.float64),
}
