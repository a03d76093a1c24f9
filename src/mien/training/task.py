"""What a run trains for, as the loop, the export and the summary see it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from mien import geometry
from mien.data import rights
from mien.data.picked import Picked
from mien.preparation import Preparation
from mien.session import Output
from mien.training.faces import Faces, Source, View, Viewer, plain_view
from mien.training.settings import Recipe
from mien.training.validation import Answer

TRAINED = "train_accuracy"  # what `look_back` calls its figure
AT_ONCE = 4096  # rows hashed at a time, for they may lie on disk
TRAINED_ON: tuple[dict[str, Any], ...] = (
    *map(rights.record, ("fer2013", "ferplus")),
    {
        "data_set": "68 points a face, predicted by MediaPipe Face Mesh 0.10.21",
        "licence": "Apache-2.0",
        "redistribution": "allowed",
        "commercial_training": "allowed",
        "public_weights": "allowed",
        "source": "Kartynnik et al. 2019, arXiv 1907.06724",
    },
)


class Task(Protocol):
    """Faces, outputs, loss and judgement of a run; a class that inherits it gets the defaults.

    heads: the outputs and their sizes. selection: the figure of `judge` that chooses the epoch;
    higher is better (`-loss` where that of the loss does). source: the training faces;
    source_ids (N,) name them where they have names.
    """

    recipe: Recipe
    heads: dict[str, int]
    selection: str
    source: Source
    source_ids: npt.NDArray[np.str_] | None = None

    def build(self, network: nn.Module) -> nn.Module:
        """Give the module to train, around a fresh network with these heads."""
        return network

    def viewer(self, device: str = "cpu") -> Viewer:
        """Give what turns training faces into batches on the device."""
        return Viewer(self.source, self.recipe, device=device)

    def order(self, epoch: int, rng: np.random.Generator) -> Faces:
        """Say which faces an epoch shows, and in what order (n,)."""
        return rng.permutation(len(self.source))

    def shows(self, faces: Faces) -> list[str]:
        """Name what each of the numbers of training faces (n,) shows, where that is known."""
        return [""] * len(faces)

    def plain(self, faces: npt.NDArray[np.uint8], device: str = "cpu") -> Tensor:
        """Normalise unchanged faces as prediction does: float (n, C, S, S) on the device."""
        return plain_view(faces, self.recipe.side, device=device)

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        """Give the mean loss over a batch; images of the view may be those of one process."""
        ...

    def judge(self, answer: Answer) -> dict[str, float]:
        """Judge on the validation part; `answer` gives logits of uint8 faces."""
        ...

    def look_back(self, answer: Answer) -> dict[str, float]:
        """Measure the answers to some training faces as they are; nothing where it cannot."""
        return {}

    def worth(self, figures: dict[str, float]) -> float:
        """Give the share, of what `judge` gives, that 8-bit integers may hardly lower."""
        return figures["accuracy"]

    def outputs(self) -> tuple[Output, ...]:
        """Describe the outputs of the model file before it is calibrated."""
        ...

    def preparation(self) -> Preparation:
        """Say how a face must be laid out for the model file."""
        side = self.recipe.side
        frame = geometry.scaling(self.source.images.shape[1:3], (side, side))
        template = geometry.apply(frame, self.source.template())
        return Preparation(
            size_hw=(side, side),
            align="similarity-68",
            crop="template",
            colour="grey",
            normalize="per-image",
            template_xy=tuple((round(float(x), 3), round(float(y), 3)) for x, y in template),
        )

    def trained_on(self) -> tuple[dict[str, Any], ...]:
        """Name the data behind the weights, with their rights."""
        return TRAINED_ON

    def besides(self) -> Mapping[str, npt.NDArray[Any]]:
        """Give by name what else a run rests on: the faces that choose, a teacher's answers."""
        return {}

    def fingerprint(self) -> str:
        """Hash the training faces and every array the task holds about them."""
        digest = hashlib.sha256()
        for holder in (self.source, self):
            _add(digest, vars(holder))
        return digest.hexdigest()

    def fingerprint_besides(self) -> str:
        """Hash what else a run rests on."""
        digest = hashlib.sha256()
        _add(digest, self.besides())
        return digest.hexdigest()


def some_of(count: int, recipe: Recipe) -> npt.NDArray[np.int64]:
    """Draw the rows of training faces to look back at, the same ones in every run."""
    few = min(count, recipe.train_accuracy_faces)
    return np.sort(np.random.default_rng(0).choice(count, few, replace=False))


def shown(task: Task) -> dict[str, Any]:
    """Say how faces are laid out for a task's network, and which expressions it answers with."""
    answers = {one.name: list(one.labels) for one in task.outputs() if one.kind == "expression"}
    return {"preparation": task.preparation().to_json(), "answers": answers}


def _add(digest: hashlib._Hash, values: Mapping[str, Any]) -> None:
    for name, value in sorted(values.items()):
        if isinstance(value, np.ndarray | Picked):
            digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
            for start in range(0, len(value), AT_ONCE):
                digest.update(value[start : start + AT_ONCE].tobytes())
