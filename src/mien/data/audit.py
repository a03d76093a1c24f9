"""Find faces that occur in more than one split."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mien.data.table import FaceTable


def also_in(faces: FaceTable, others: FaceTable) -> NDArray[np.bool_]:
    """Mark the faces (N,) whose pixels equal those of one of the others."""
    known = set(_digests(others.images))
    return np.array([digest in known for digest in _digests(faces.images)], dtype=bool)


def _digests(images: NDArray[np.uint8]) -> list[bytes]:
    return [blake2b(image.tobytes(), digest_size=16).digest() for image in images]
