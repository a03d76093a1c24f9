"""Show faces to a model and keep what it says beside what is true."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mien.data.table import FaceTable
from mien.errors import DataError
from mien.expressions import EXPRESSIONS
from mien.occlusion import NONE, batch
from mien.occlusion.flat import Tone
from mien.occlusion.regions import HIDDEN_FROM, REGIONS
from mien.occlusion.regions import covered as covered_shares
from mien.progress import track
from mien.recognizer import ExpressionReader

BATCH = 256

Images = NDArray[np.uint8]
Points = NDArray[np.float32]
Shares = NDArray[np.float64]
Bools = NDArray[np.bool_]
Locate = Callable[[Images], Points]


class Drawn(TypedDict, total=False):
    """How an occluder is drawn: see `mien.occlusion.occluder`."""

    style: str | None
    severity: float
    pad_px: float | None
    pad_share: float | None
    tone: Tone | None
    fixed_size: bool | tuple[int, int]


USUAL: dict[str, Any] = {
    **{"style": None, "severity": 1.0},
    **{"pad_px": None, "pad_share": None, "tone": None, "fixed_size": False},
}
TOLD = ("style", "severity")  # in every receipt, the others where they are unlike the usual


class Condition(Drawn, total=False):
    """What is drawn on every face: an occluder, `none` for nothing, and how.

    shared: only faces of expressions that the model has too, and only those of its answers that the
    faces have too.
    """

    occluder: str
    seed: int
    shared: bool
    quiet: bool


class How(Condition, total=False):
    """How faces are shown.

    It is drawn by a face's points, or by those (N, 68, 2) that `locate` finds in images (N, H, W)
    of faces without. really_occluded: no region is known to be visible.
    """

    locate: Locate | None
    really_occluded: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What a model says of N faces; expressions are places in `labels` (C,).

    probabilities: (N, C), 0 for what the model cannot say. reported, covered: (N, R), whether it
    says that a region is hidden, and what share of it is, nan where nobody knows. condition: what
    was drawn. shared: what the result says of faces left out for want of a common expression.
    """

    faces: FaceTable
    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: Shares
    certain: Bools
    regions: tuple[str, ...]
    reported: Bools
    covered: Shares
    condition: dict[str, Any]
    shared: dict[str, Any]


def answer(
    faces: FaceTable,
    reader: ExpressionReader,
    *,
    occluder: str = NONE,
    seed: int = 0,
    locate: Locate | None = None,
    really_occluded: bool = False,
    shared: bool = False,
    quiet: bool = True,
    **options: Unpack[Drawn],
) -> Answers:
    """Show every face to the model, see `How`."""
    names = _names(faces, reader, shared)
    drawn = {**USUAL, **options}
    kept, stated = _kept(faces, names) if shared else (faces, {})
    if not len(kept) or (kept.labels < 0).any():
        raise DataError("expected faces that all have a label, at least one; choose a rule first")
    parts = []
    starts = range(0, len(kept), BATCH)
    for first in track(starts, total=len(starts), description="evaluating", quiet=quiet):
        some = kept[first : first + BATCH]
        images, covered = some.images, np.zeros((len(some), len(REGIONS)))
        if occluder != NONE:
            points_xy = _points(some, locate)
            images, masks = batch(occluder, images, points_xy, seed, first, **drawn)
            covered = covered_shares(masks, points_xy)
        if really_occluded:
            covered = np.where(covered >= HIDDEN_FROM, covered, np.nan)
        found = reader.read(np.stack([reader.preparation.whole(image) for image in images]))
        parts.append((found.probabilities, found.certain, found.hidden, covered))
    told, certain, reported, covered = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = [at for at, name in enumerate(reader.labels) if name in names]
    places = np.array([names.index(reader.labels[at]) for at in columns])
    probabilities = np.zeros((len(kept), len(names)))
    probabilities[:, places] = told[:, columns]
    if shared:
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Answers(
        faces=kept,
        labels=names,
        truth=np.array([names.index(name) for name in kept.expression_names().tolist()]),
        predicted=places[told[:, columns].argmax(axis=1)],
        probabilities=probabilities,
        certain=certain,
        regions=reader.regions,
        reported=reported,
        covered=covered,
        condition={
            "occluder": occluder,
            **{name: of for name, of in drawn.items() if name in TOLD or of != USUAL[name]},
            "seed": seed,
        },
        shared=stated,
    )


def _names(faces: FaceTable, reader: ExpressionReader, shared: bool) -> tuple[str, ...]:
    """Give the expressions that either side has, or both, in canonical order."""
    theirs, ours = {*faces.expressions}, {*reader.labels}
    names = theirs & ours if shared else theirs | ours
    if shared and len(names) < 2:
        raise DataError(
            f"the faces have {', '.join(sorted(theirs))}, the model {', '.join(sorted(ours))};"
            " expected at least two expressions that both have"
        )
    return tuple(name for name in EXPRESSIONS if name in names)


def _kept(faces: FaceTable, names: tuple[str, ...]) -> tuple[FaceTable, dict[str, Any]]:
    kept = faces[np.isin(faces.expression_names(), names)]
    left_out = len(faces) - len(kept)
    return kept, {"expressions": f"{', '.join(names)}: those shared; {left_out} faces left out"}


def _points(faces: FaceTable, locate: Locate | None) -> Points:
    """Give every face's points; `locate` finds those that are not known."""
    shape = (len(faces), 68, 2)
    known = np.full(shape, np.nan, np.float32) if faces.points_xy is None else faces.points_xy
    lacking = np.flatnonzero(~np.isfinite(known).all(axis=(1, 2)))
    if not len(lacking):
        return np.asarray(known, np.float32)
    if locate is None:
        raise DataError(
            "an occluder needs the faces' points or a network that locates them;"
            f" {len(lacking)} of {len(faces)} faces have none"
        )
    points_xy = np.array(known, np.float32)
    points_xy[lacking] = locate(faces.images[lacking])
    return points_xy
