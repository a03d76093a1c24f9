"""The landmark task: 68 points of a teacher, also under occluders, and whether this is a face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien import geometry, images, weights
from mien.data.table import FaceTable
from mien.networks.landmarks import LandmarkNetwork
from mien.session import Output
from mien.training import nonfaces
from mien.training.augment import warp
from mien.training.faces import Faces, Source, View
from mien.training.settings import Recipe
from mien.training.task import Task
from mien.training.validation import Answer, auc, occluded

HEADS = {"points": 136, "face": 1}
NO_FACE_COLUMN = 9
NO_FACE_FROM, DOUBTFUL_FROM = 6, 2
BANK = 1500  # pictures of each kind that is no face
# Where Eileen Collins's head is in the sample portrait, with a margin: left, top, right, bottom.
PORTRAIT_HEAD = (140, 0, 310, 240)


class LandmarkTask(Task):
    """What a batch means, what it costs, and how the network is judged on the public part."""

    heads = HEADS
    selection = "score"

    def __init__(self, table: FaceTable, found: npt.NDArray[np.bool_], recipe: Recipe) -> None:
        assert table.votes is not None and table.points_xy is not None
        self.recipe = recipe
        train, public = table.split == "train", table.split == "public"
        rng = np.random.default_rng([recipe.seed, 68])
        bank = _bank(table.images[train], rng)
        self.source = _with_bank(table, train, found, bank)
        drawn = [f"drawn-{number}" for number in range(len(bank))]
        self.source_ids = np.concatenate([table.source_id[train], drawn])
        state = face_state(table.votes[train], found[train])
        self.is_face = np.concatenate([state, np.zeros(len(bank), dtype=np.float32)])
        self.public = _Public(table[public], found[public])

    def build(self, network: nn.Module) -> nn.Module:
        side = self.recipe.side
        frame = geometry.scaling(self.source.images.shape[1:3], (side, side))
        template = geometry.apply(frame, self.source.template()).astype(np.float32)
        return LandmarkNetwork(network, template, side)

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        """Mean distance in parts of the face's size, and cross-entropy of being a face."""
        device = outputs["points"].device
        known = torch.from_numpy(self.source.found[faces]).to(device)
        truth = torch.from_numpy(view.points_xy).to(device)
        distance = ((outputs["points"] - truth).square().sum(2) + 1e-4).sqrt().mean(1)
        error = (distance / face_size(truth))[known].sum() / known.sum().clamp_min(1)
        states = torch.from_numpy(self.is_face[faces]).to(device)
        judged = ~torch.isnan(states)
        face = functional.binary_cross_entropy_with_logits(
            outputs["face"].float()[judged, 0], states[judged]
        )
        return self.recipe.losses.points * error + self.recipe.losses.face * face

    def judge(self, answer: Answer) -> dict[str, float]:
        """Judge on the public part: point errors whole, masked, barred, moved; AUC of faces."""
        return self.public.judge(answer, self.recipe.side)

    def besides(self) -> Mapping[str, npt.NDArray[Any]]:
        """Give the public part as it is judged on."""
        public = self.public
        return {**public.images, "points_xy": public.points_xy, "nonfaces": public.nonfaces}

    def worth(self, figures: dict[str, float]) -> float:
        """Take the error on whole faces off, in parts of the face's box."""
        return 1 - figures["error/none"] / 100

    def outputs(self) -> tuple[Output, ...]:
        return (
            Output("points", "points", ()),
            Output("face", "face", ("face",), thresholds={"face": 0.5}),
        )


def face_size(points_xy: Tensor) -> Tensor:
    """Give the square root of the area of the box of the points (N, 68, 2)."""
    extent = points_xy.amax(1) - points_xy.amin(1)
    return extent.prod(1).clamp_min(1.0).sqrt()


def face_state(
    votes: npt.NDArray[np.floating[Any]], found: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Say which rows are faces: 1, 0, or nan where the voters or the teacher doubt it."""
    against = votes[:, NO_FACE_COLUMN]
    doubtful = np.where((against >= DOUBTFUL_FROM) | ~found, np.nan, 1.0)
    return np.where(against >= NO_FACE_FROM, 0.0, doubtful).astype(np.float32)


def _bank(faces: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    side = faces.shape[1]
    portrait = images.to_grey(images.read(weights.sample_portrait()))
    return np.concatenate(
        [
            nonfaces.textures(BANK, side, rng),
            nonfaces.pieces(faces, BANK, rng),
            nonfaces.background(portrait, PORTRAIT_HEAD, BANK // 3, side, rng),
        ]
    )


def _with_bank(
    table: FaceTable,
    train: npt.NDArray[np.bool_],
    found: npt.NDArray[np.bool_],
    bank: npt.NDArray[np.uint8],
) -> Source:
    part = table[train]
    assert part.points_xy is not None and part.votes is not None
    # Where half of the voters saw no face, the teacher's points teach nothing.
    known = found[train] & (part.votes[:, NO_FACE_COLUMN] < NO_FACE_FROM)
    mean = part.points_xy[known].mean(0, dtype=np.float64).astype(np.float32)
    return Source(
        np.concatenate([part.images, bank]),
        np.concatenate([part.points_xy, np.tile(mean, (len(bank), 1, 1))]),
        np.concatenate([known, np.zeros(len(bank), dtype=bool)]),
    )


@dataclass(frozen=True)
class _Case:
    images: npt.NDArray[np.uint8]
    moved: bool


class _Public:
    """Public faces whole, masked and barred, each also shifted by 10 % and turned by 20 degrees."""

    def __init__(self, table: FaceTable, found: npt.NDArray[np.bool_]) -> None:
        assert table.votes is not None and table.points_xy is not None
        self.points_xy = table.points_xy[found]
        self.images = {"none": table.images[found]}
        for name in ("mask-polygon", "eyes"):
            self.images[name] = occluded(self.images["none"], self.points_xy, name)
        no_face = table.votes[:, NO_FACE_COLUMN] >= NO_FACE_FROM
        side = table.images.shape[1]
        made = nonfaces.textures(500, side, np.random.default_rng(999))
        self.nonfaces = np.concatenate([table.images[no_face], made])

    def judge(self, answer: Answer, side: int) -> dict[str, float]:
        result: dict[str, float] = {}
        scores: npt.NDArray[Any] = np.zeros(0)
        for name, faces in self.images.items():
            output = answer(faces)
            result[f"error/{name}"] = self._error(output["points"], self.points_xy, side)
            moved, truth = self._moved(faces)
            output_moved = answer(moved)
            result[f"error-moved/{name}"] = self._error(output_moved["points"], truth, side)
            scores = output["face"][:, 0] if name == "none" else scores
        negative = answer(self.nonfaces)["face"][:, 0]
        result["face/auc"] = auc(negative, scores)
        result["score"] = -sum(value for name, value in result.items() if "error" in name)
        return result

    def _error(self, points: npt.NDArray[Any], truth: npt.NDArray[np.float32], side: int) -> float:
        scale = self.images["none"].shape[1] / side
        back = torch.from_numpy((points + 0.5) * scale - 0.5)
        target = torch.from_numpy(truth)
        distance = (back - target).norm(dim=2).mean(1)
        return float((distance / face_size(torch.from_numpy(self.points_xy))).mean() * 100)

    def _moved(
        self, faces: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        count, side = len(faces), faces.shape[1]
        rng = np.random.default_rng(20)
        angles = np.deg2rad(20.0) * rng.choice([-1, 1], count)
        directions = rng.uniform(0, 2 * np.pi, count)
        centre = (side - 1) / 2
        matrix = np.empty((count, 2, 3))
        for i, (angle, way) in enumerate(zip(angles, directions, strict=True)):
            turn = geometry.rotation(angle, (centre, centre))
            matrix[i] = turn
            matrix[i, :, 2] += 0.1 * side * np.array([np.cos(way), np.sin(way)])
        floats = torch.from_numpy(faces).float()[:, None]
        moved = warp(floats, matrix, side, "border")[:, 0].round().clamp(0, 255)
        truth = np.stack(
            [geometry.apply(m, p) for m, p in zip(matrix, self.points_xy, strict=True)]
        )
        return moved.to(torch.uint8).numpy(), truth.astype(np.float32)
