"""Faces on a page: which answers were right, and parts of a face coloured by a number."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.report.page import Html, Picture, gallery

SIDE = 192  # the longer one of a coloured face, in pixels
MORE, LESS = (214, 69, 52), (58, 122, 196)  # a cost, a gain

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


def answer_gallery(
    faces: Image, truth: Sequence[str], predicted: Sequence[str], notes: Sequence[str] = ()
) -> Html:
    """Show faces (N, H, W) or (N, H, W, 3), each with its answer, its truth and a note."""
    shown = [
        Picture(face, said, "right" if said == true else f"is {true}", note)
        for face, true, said, note in zip(
            faces, truth, predicted, notes or [""] * len(faces), strict=True
        )
    ]
    return gallery([shown]) if shown else ""


def face_map(
    face: Image, hidden: Mapping[str, NDArray[np.bool_]], costs: Mapping[str, float], most: float
) -> Image:
    """Colour the parts (H, W) that were hidden on a face by what that cost; red is a cost.

    Every pixel shows the smallest part that covers it. `most` is the cost that is drawn full.
    """
    values = np.zeros(face.shape[:2])
    for name in sorted(hidden, key=lambda name: (-int(hidden[name].sum()), name)):
        values[hidden[name]] = costs[name]
    return tinted(face, values, most)


def tinted(face: Image, values: NDArray[np.floating], most: float) -> Image:
    """Colour a face (H, W) by values (h, w) of the same frame: red above 0, blue below."""
    strength = np.clip(np.abs(values) / max(most, 1e-9), 0, 1) * 0.85
    ink = np.where((values > 0)[..., None], MORE, LESS).astype(np.float64)
    scale = SIDE / max(face.shape[:2])
    size_hw = (round(face.shape[0] * scale), round(face.shape[1] * scale))
    grey = images.resize(images.to_grey(face), size_hw).astype(np.float64)[..., None]
    places = zip(values.shape, size_hw, strict=True)
    rows, columns = (np.arange(large) * side // large for side, large in places)
    share = strength[rows][:, columns][..., None]
    mixed: Floats = grey * (1 - share) + ink[rows][:, columns] * share
    return np.rint(mixed).astype(np.uint8)
