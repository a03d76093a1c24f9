"""Make faces ready for a study: their folds, no copies on both sides."""

from dataclasses import replace

import numpy as np

from mien.data.audit import also_in
from mien.data.splits import Splits, official_parts, take
from mien.data.table import FaceTable


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
    return "official" if len(official_parts(table.split)) > 1 else "stratified"
