"""What teachers answer to the faces that train, averaged once and kept for any number of students.

The teachers see the whole face; a student may be shown the same face with a part hidden, and learns
what the part would have said (Hinton et al., arXiv 1503.02531).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mien import files, metrics, progress
from mien.errors import DataError, ModelError
from mien.recognizer import ExpressionReader
from mien.training import augment, randomness
from mien.training.settings import Distillation

Shares = npt.NDArray[np.float32]
Faces = npt.NDArray[np.uint8]

FORMAT = 1
VIEWS = 8
AT_ONCE = 512
# Turned, enlarged and moved so far that a face still lies as the teachers have learned it.
MOVED = augment.Augmentation(flip=0.0, rotate_degrees=6.0, scale=0.06, shift=0.04)


@dataclass(frozen=True, eq=False)
class Teacher:
    """Shares (N, C) an output, for faces by their ids; labels name the columns."""

    ids: npt.NDArray[np.str_]
    shares: dict[str, Shares]
    labels: dict[str, tuple[str, ...]]
    stated: dict[str, Any]

    def of(self, output: str, labels: Sequence[str], ids: npt.NDArray[np.str_]) -> Shares:
        """Give the shares (n, C) for the faces of these ids, columns in the order of `labels`."""
        if output not in self.shares or set(self.labels[output]) != set(labels):
            known = "; ".join(f"{name}: {', '.join(each)}" for name, each in self.labels.items())
            raise DataError(
                f"the teacher must answer {output!r} with {', '.join(labels)}; it knows {known}"
            )
        order = np.argsort(self.ids, kind="stable")
        places = np.searchsorted(self.ids[order], ids).clip(max=len(order) - 1)
        rows = order[places]
        lacking = ids[self.ids[rows] != ids]
        if len(lacking):
            raise DataError(
                f"the teacher has not seen {len(lacking)} of the {len(ids)} faces, such as"
                f" {str(lacking[0])!r}; make its file again from the same data"
            )
        columns = [self.labels[output].index(name) for name in labels]
        found: Shares = self.shares[output][rows][:, columns]
        return found

    def output_for(self, head: str, labels: Sequence[str]) -> str:
        """Name the output that teaches a head: its own, or else the only one with its labels."""
        same = [name for name, known in self.labels.items() if set(known) == set(labels)]
        return same[0] if len(same) == 1 else head

    def save(self, path: Path) -> None:
        """Write all of it as one .npz, shares in 16 bits."""
        arrays: dict[str, Any] = {
            f"shares-{k}": v.astype(np.float16) for k, v in self.shares.items()
        }
        about = {"format": FORMAT, "labels": self.labels, **self.stated}
        written = io.BytesIO()  # a half-written .npz could complain when it is dropped
        np.savez_compressed(written, ids=self.ids, about=json.dumps(about), **arrays)
        files.write(path, written.getvalue())


def open_teacher(path: Path) -> Teacher:
    """Read what `Teacher.save` wrote."""
    try:
        with np.load(path, allow_pickle=False) as found:
            about = json.loads(str(found["about"]))
            labels = {name: tuple(each) for name, each in about.pop("labels").items()}
            shares = {name: found[f"shares-{name}"].astype(np.float32) for name in labels}
            ids = found["ids"]
        if about.pop("format") != FORMAT:
            raise ValueError("another format")
    except FileNotFoundError as error:
        raise DataError(
            f"no teacher at {path}; make it: mien distill MODEL.onnx --data DIR --out {path}"
        ) from error
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise DataError(f"{path} must be a file that `mien distill` wrote: {error}") from error
    return Teacher(ids, shares, labels, about)


def taught(
    settings: Distillation, heads: Mapping[str, Sequence[str]], ids: npt.NDArray[np.str_]
) -> dict[str, Shares]:
    """Give what a recipe's teacher says of faces by head, (n, C) each; nothing without a teacher.

    heads: the labels of each, in the order of its columns.
    """
    if not settings.file:
        return {}
    teacher = open_teacher(Path(settings.file))
    return {
        head: teacher.of(teacher.output_for(head, labels), labels, ids)
        for head, labels in heads.items()
    }


def mixed(loss: Tensor, soft: Tensor, settings: Distillation) -> Tensor:
    """Mix the loss against the labels with that against the teacher."""
    return (1 - settings.weight) * loss + settings.weight * soft


def teach(
    models: Sequence[str | Path],
    faces: Faces,
    ids: npt.NDArray[np.str_],
    *,
    views: int = VIEWS,
    seed: int = 0,
    quiet: bool = False,
) -> Teacher:
    """Average what models say of faces (N, H, W) or (N, H, W, 3): moved a little, and mirrored.

    The first view is the face as it is. All models must have the same outputs.
    """
    readers = [ExpressionReader(model, mirror=True) for model in models]
    if not readers:
        raise ModelError("expected at least one model to teach, got none")
    labels = _labels(readers[0])
    for reader in readers[1:]:
        others = _labels(reader)
        if others != labels:
            raise ModelError(
                f"all teachers must answer alike; {readers[0].metadata.name} has"
                f" {', '.join(labels)}, {reader.metadata.name} has {', '.join(others)}"
            )
    starts = range(0, len(faces), AT_ONCE)
    digest = sha256()

    def answered(at: int) -> dict[str, Shares]:
        # A copy, for PyTorch takes no memory map that cannot be written.
        some = np.array(faces[at : at + AT_ONCE])
        digest.update(some.tobytes())
        return _answers(readers, some, at, views, seed)

    parts = progress.track(
        map(answered, starts),
        total=len(starts),
        description="asking the teachers",
        quiet=quiet,
    )
    answers = list(parts)
    stated = {
        "models": [{"name": r.metadata.name, "sha256": r.sha256} for r in readers],
        "views": views,
        "seed": seed,
        "faces_sha256": digest.hexdigest(),
    }
    joined = {name: np.concatenate([part[name] for part in answers]) for name in labels}
    return Teacher(ids, joined, labels, stated)


def _labels(reader: ExpressionReader) -> dict[str, tuple[str, ...]]:
    outputs = reader.metadata.of_kind("expression")
    return {name: output.labels for name, output in outputs.items()}


def _answers(
    readers: Sequence[ExpressionReader], faces: Faces, first: int, views: int, seed: int
) -> dict[str, Shares]:
    rows = np.arange(first, first + len(faces), dtype=np.int64)
    sums: dict[str, Any] = {}
    for view in _moved(faces, rows, views, seed):
        for reader in readers:
            crops = np.stack([reader.preparation.whole(face) for face in view])
            found = reader.outputs(crops)
            for output in reader.metadata.outputs:
                if output.kind == "expression":
                    shares = metrics.softmax(found[output.name].astype(np.float64))
                    sums[output.name] = sums.get(output.name, 0.0) + shares
    return {
        name: (total / (views * len(readers))).astype(np.float32) for name, total in sums.items()
    }


def _moved(faces: Faces, rows: npt.NDArray[np.int64], views: int, seed: int) -> Iterator[Faces]:
    """Yield the faces, which can be written, as they are, and moved a little in their own ways."""
    yield faces
    side = faces.shape[1]
    levels = torch.from_numpy(faces).float()
    levels = levels[:, None] if faces.ndim == 3 else levels.permute(0, 3, 1, 2)
    base = np.tile(np.eye(2, 3), (len(faces), 1, 1))
    for view in range(1, views):
        uniforms = randomness.face_uniforms(
            randomness.face_keys(seed, view, rows), augment.UNIFORMS
        )
        matrix, _ = augment.matrices(uniforms, MOVED, side, base)
        warped = augment.warp(levels, matrix, side, "border").round().clamp(0, 255)
        moved = warped.permute(0, 2, 3, 1).to(torch.uint8).numpy()
        yield moved[..., 0] if faces.ndim == 3 else moved


def soft_loss(logits: Tensor, shares: Tensor, temperature: float) -> Tensor:
    """Give the cross-entropy (n,) of logits (n, C) against a teacher's shares (n, C), softened.

    Scaled by the square of the temperature, so that its gradient keeps its size.
    """
    softened = (shares.clamp_min(1e-6).log() / temperature).softmax(1)
    losses = functional.cross_entropy(logits / temperature, softened, reduction="none")
    return losses * temperature**2
