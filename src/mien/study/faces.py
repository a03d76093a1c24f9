"""Make faces ready for a study: their points, their folds, no copies on both sides."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.data.audit import also_in
from mien.data.splits import Splits, take
from mien.data.table import FaceTable
from mien.faces.landmarks import Landmarker


def without_copies(table: FaceTable, splits: Splits) -> Splits:
    """Leave out of every fold's test the faces whose pixels equal one that trains."""
    folds = []
    for fold in splits.folds:
        kept = ~also_in(take(table, fold.test), take(table, fold.train))
        folds.append(replace(fold, test=tuple(np.array(fold.test)[kept].tolist())))
    return replace(splits, folds=tuple(folds))


def protocol_for(table: FaceTable) -> str:
    """Choose how faces are split where nobody does: never the same people on both sides."""
    if (table.subject != "").all():
        return "by-subject"
    return "official" if len(np.unique(table.split)) > 1 else "stratified"


def with_points(table: FaceTable, landmarks: str | Path | None = None) -> tuple[FaceTable, str]:
    """Find the points of faces that have none; say whose are used."""
    points = table.points_xy
    known = (
        np.zeros(len(table), bool)
        if points is None
        else np.asarray(np.isfinite(points).all(axis=(1, 2)))
    )
    if known.all():
        return table, "of the table"
    landmarker = Landmarker(landmarks)
    found = np.zeros((len(table), 68, 2), np.float32) if points is None else np.array(points)
    found[~known] = landmarker.from_whole(table.images[~known])[0]
    few = f"of {int((~known).sum())} faces " if known.any() else ""
    said = f"{few}found by the landmark network {landmarker.sha256[:12]}"
    return replace(table, points_xy=found.astype(np.float32)), said
