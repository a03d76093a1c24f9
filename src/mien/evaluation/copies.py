"""Which of the faces to measure on equal a face that trains."""

import numpy as np
from numpy.typing import NDArray

from mien.data.audit import also_in
from mien.data.splits import Fold, training_parts
from mien.data.table import FaceTable
from mien.errors import UsageError

MOST_BYTES = 2**30  # of pixels, compared in about two seconds: 466,000 faces of 48x48


def copies(
    chosen: FaceTable, faces: FaceTable, fold: Fold | None = None, *, needed: bool = False
) -> NDArray[np.bool_] | None:
    """Mark the chosen faces (N,) whose pixels equal those of a face that trains, of fold or set.

    None where nothing trains, where what trains was chosen itself, and where there is much to
    compare; `needed` compares however much it is, and raises in the other two cases.
    """
    if fold is None:
        trains = np.isin(faces.split, training_parts(faces.split))
    else:
        trains = np.isin(faces.source_id, fold.train)
    problem = _problem(chosen, faces.source_id[trains])
    if needed and problem:
        raise UsageError(f"duplicates are faces that equal a training face, and {problem}")
    if problem or (faces.images.nbytes > MOST_BYTES and not needed):
        return None
    return also_in(chosen, faces[trains])


def _problem(chosen: FaceTable, training: NDArray[np.str_]) -> str:
    """Say why copies of training faces cannot be told from the chosen; "" where they can."""
    if not len(training):
        return "the faces have no part that trains; leave --without-duplicates out"
    if np.isin(chosen.source_id, training).any():
        return "those chosen are themselves among them; take another split or part"
    return ""
