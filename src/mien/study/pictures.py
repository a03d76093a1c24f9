"""The pictures of a study: what was hidden, and the mean face coloured by what that cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import occlusion
from mien.report.document import Block, Shown
from mien.report.faces import face_map
from mien.report.page import Picture, gallery
from mien.study.cautions import may_show
from mien.study.estimates import Findings
from mien.study.explain import Frame, mean_face
from mien.study.importance import Done
from mien.study.sentences import points
from mien.study.settings import WHOLE, ranked

_AVERAGED = 400  # faces in the mean face
_SAMPLES = 8


def samples(done: Done) -> list[Block]:
    """Show the conditions on faces that may be shown, or on the mean of those tested."""
    faces = done.faces
    if faces.points_xy is None:
        return []
    if may_show(done.stated.get("prepared_from") or done.stated.get("data_set")):
        chosen = np.linspace(0, len(faces) - 1, min(_SAMPLES, len(faces))).astype(int)
        shown = [_each(done, faces.images[row], faces.points_xy[row]) for row in chosen]
        return [Shown(gallery(shown, large=True))]
    return [
        "Drawn on the mean of the faces tested; the faces themselves may not be passed on, or"
        " nobody says that they may.",
        Shown(gallery([_each(done, *_mean(done))], large=True)),
    ]


def _each(
    done: Done, face: NDArray[np.uint8], points_xy: NDArray[np.floating[Any]]
) -> list[Picture]:
    """Draw every condition on a face."""
    return [
        Picture(_drawn(done, name, face, points_xy)[0], name) for name in done.outcome.conditions
    ]


def _drawn(
    done: Done, name: str, face: NDArray[np.uint8], points_xy: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    draw = occlusion.occluder(name, **(done.drawn if name != WHOLE else {}))
    return draw(face, points_xy, np.random.default_rng(0))


def _mean(done: Done) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Give the mean face of those tested, and its points."""
    chosen = np.linspace(0, len(done.faces) - 1, min(_AVERAGED, len(done.faces))).astype(int)
    some = done.faces[np.unique(chosen)]
    frame = Frame(some.images.shape[1:3], some.points_xy)
    return mean_face(some.images, frame), frame.mean_xy


def maps(done: Done, found: Findings) -> Iterator[Block]:
    """Colour the mean face by what hiding its parts costs, for all faces and each expression."""
    single = ranked(found.conditions)
    if done.faces.points_xy is None or not single:
        return
    face, points_xy = _mean(done)
    hidden = {name: _drawn(done, name, face, points_xy)[1] for name in single}
    everyone = {one.condition: one.cost.value for one in found.effects}
    each = {one.expression: {n: c.value for n, c in one.costs.items()} for one in found.expressions}
    few = {one.expression: one.faces for one in found.expressions if not one.has_enough}
    drawn = {"all faces": everyone, **each}
    most = max(
        0.01, *(abs(of[n]) for title, of in drawn.items() if title not in few for n in single)
    )
    shown = []
    for title, costs in drawn.items():
        worst = max(single, key=lambda name: costs[name])
        note = f"{few[title]} faces only" if title in few else f"{worst}: {points(costs[worst])}"
        shown.append(Picture(face_map(face, hidden, costs, most), title, "", note))
    yield (
        f"Red is lost where it is hidden, blue is gained; full colour is {points(most)} points."
        " Every place shows the smallest part hidden that covers it."
    )
    yield Shown(gallery([[one] for one in shown], large=True))
