"""The areas of a face that flat occluders hide, as tables of corners.

A corner is written `POINTS` or `POINTS@RIGHT,DOWN`: the mean of some of the 68 points (a point may
count twice), moved along the face's own axes by pixels of the mean face, which is 36 px large. Left
and right are the subject's own: `left` lies on the right of the picture.

The areas of action units (`au1` ...) are those that networks for their detection attend to: squares
about two centres each, placed by the rules of EAC-Net (Li, Abtahi, Zhu and Yin, FG 2017) as JAA-Net
words them for the inner corners of the eyes (Shao, Liu, Cai and Ma, ECCV 2018), and as large as
JAA-Net's: 14 % of the side of its aligned faces, 0.69 of the distance between those corners.
"""

from dataclasses import dataclass

import numpy as np

from mien import geometry
from mien.geometry import Floats
from mien.occlusion.frames import MEAN_FACE, frames

MASK_CORNERS = [*range(2, 15), 28]  # the jaw from ear to ear, closed over the bridge of the nose
MASK_GREY, MASK_RGB = 167, (141, 197, 231)
BLACK = (0, (0, 0, 0))
PAD = 3 / 48  # of the image's shorter side

Outline = tuple[Floats, Floats]  # the shares of the points in each corner (K, 68), its shift (K, 2)


@dataclass(frozen=True, eq=False)
class Area:
    """Outlines of closed polygons, or of upright boxes about their corners; the usual tones.

    reach: how far a box exceeds its corners unless told, in parts of the image's shorter side.
    roomy: outlines for the mean face where its own would be too tight for many expressions.
    """

    doc: str
    outlines: tuple[Outline, ...]
    box: bool = False
    reach: float = 0.0
    tones: tuple[int, tuple[int, int, int]] = BLACK  # on grey, on RGB
    roomy: tuple[Outline, ...] = ()

    def corners(self, points_xy: Floats, *, roomy: bool = False) -> list[Floats]:
        """Place each outline on faces (N, 68, 2): corners (N, K, 2)."""
        outlines = (self.roomy if roomy else ()) or self.outlines
        placed = [shares @ points_xy for shares, _ in outlines]
        if any(shifts.any() for _, shifts in outlines):
            axes = np.swapaxes(frames(points_xy)[..., :2], 1, 2)
            moved = (shifts @ axes for _, shifts in outlines)
            return [corners + by for corners, by in zip(placed, moved, strict=True)]
        return placed


def outline(text: str) -> Outline:
    """Read corners as this file writes them."""
    corners = text.split()
    shares, shifts = np.zeros((len(corners), 68)), np.zeros((len(corners), 2))
    for row, corner in enumerate(corners):
        points, _, shift = corner.partition("@")
        indices = [int(point) for point in points.split(",")]
        np.add.at(shares[row], indices, 1 / len(indices))
        if shift:
            shifts[row] = [float(part) for part in shift.split(",")]
    return shares, shifts


def mirrored(one: Outline) -> Outline:
    """Give the outline on the other half of the face."""
    shares, shifts = one
    return shares[:, geometry.MIRROR], shifts * [-1, 1]


def both(text: str) -> tuple[Outline, Outline]:
    """Give an outline and its mirror image."""
    return outline(text), mirrored(outline(text))


def _points(first: int, last: int) -> str:
    return " ".join(map(str, range(first, last + 1)))


def _square(point: int, drop: float) -> Outline:
    """Outline an action unit's square, so many eye distances below a point."""
    eyes = float(np.hypot(*(MEAN_FACE[42] - MEAN_FACE[39])))
    half = 0.69 * eyes / 2
    shares = np.zeros((4, 68))
    shares[:, point] = 1
    sides = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return shares, sides * half + [0, drop * eyes]


def _action_unit(name: str, point: int, drop: float, other: int | None = None) -> Area:
    one = _square(point, drop)
    two = mirrored(one) if other is None else _square(other, drop)
    return Area(name, (one, two))


_MASK = outline(" ".join(map(str, MASK_CORNERS)))
_HALVES = {
    "upper": "29@-30,0 29@30,0 29@30,-34 29@-30,-34",
    "lower": "29@-30,0 29@30,0 29@30,30 29@-30,30",
    "left": "27@0,-26 8@0,8 8@32,8 27@32,-26",
}
_CHEEK = "36@-2,4 41@0,4 40@0,4 31@-3.5,-4 31@-3.5,0 31,48@-1.5,0 48@-2,-0.5 4,48 4 3 2 1"
_BROWS = (
    "17@-2,-2 18@0,-3 19@0,-3 20@0,-3 21@0,-3 22@0,-3 23@0,-3 24@0,-3 25@0,-3 26@2,-2"
    " 26,45@2,0 25,44 24,43 23,43 22,42 21,39 20,38 19,38 18,37 17,36@-2,0"
)
_NOSE = "27,27,39@0,-2 27,27,42@0,-2 35@3,-3 35@3,1 33@0,2 31@-3,1 31@-3,-3"
_FOREHEAD = (
    "17@-1,-2 18@0,-3 19@0,-3 20@0,-3 21@0,-3 22@0,-3 23@0,-3 24@0,-3 25@0,-3 26@1,-2"
    " 26@1,-9 25@-1,-14 24@-2,-16 19@2,-16 18@1,-14 17@-1,-9"
)

# Nineteen of twenty faces of FER-2013 have their eyes and lips in these, and no brow higher.
_ROOMY_EYES = "27@-13.7,-2.9 27@13.7,-2.9 27@13.7,3.6 27@-13.7,3.6"
_ROOMY_MOUTH = "51@-10.6,-2.7 51@10.6,-2.7 51@10.6,11.7 51@-10.6,11.7"
_ROOMY_BROWS = _BROWS.replace(",-3", ",-5").replace(",-2", ",-4")

AREAS: dict[str, Area] = {
    "mask-polygon": Area(
        "the face below the bridge of the nose, along the jaw, in a mask's blue",
        (_MASK,),
        tones=(MASK_GREY, MASK_RGB),
    ),
    "eyes": Area(
        "one bar over both eyes",
        (outline(_points(36, 47)),),
        box=True,
        reach=PAD,
        roomy=(outline(_ROOMY_EYES),),
    ),
    "mouth": Area(
        "a box over the lips",
        (outline(_points(48, 67)),),
        box=True,
        reach=PAD,
        roomy=(outline(_ROOMY_MOUTH),),
    ),
    "brows": Area(
        "the brows and what lies between them",
        (outline(_BROWS),),
        roomy=(outline(_ROOMY_BROWS),),
    ),
    "nose": Area("the nose from between the eyes down", (outline(_NOSE),)),
    "forehead": Area("the forehead above the brows", (outline(_FOREHEAD),)),
    "cheeks": Area("both cheeks below the eyes", both(_CHEEK)),
    "upper": Area("the half above the middle of the nose", (outline(_HALVES["upper"]),)),
    "lower": Area("the half below the middle of the nose", (outline(_HALVES["lower"]),)),
    "left": Area("the subject's left half", (outline(_HALVES["left"]),)),
    "right": Area("the subject's right half", (mirrored(outline(_HALVES["left"])),)),
    "au1": _action_unit("action unit 1, inner brow raiser", 21, -1 / 2),
    "au2": _action_unit("action unit 2, outer brow raiser", 18, -1 / 3),
    "au4": _action_unit("action unit 4, brow lowerer", 19, 1 / 3),
    "au6": _action_unit("action unit 6, cheek raiser", 41, 1),
    "au7": _action_unit("action unit 7, lid tightener", 38, 0),
    "au10": _action_unit("action unit 10, upper lip raiser", 61, 0),
    "au12": _action_unit("action unit 12, lip corner puller", 48, 0),
    "au14": _action_unit("action unit 14, dimpler: where au12 is", 48, 0),
    "au15": _action_unit("action unit 15, lip corner depressor: where au12 is", 48, 0),
    "au17": _action_unit("action unit 17, chin raiser", 58, 1 / 2),
    "au23": _action_unit("action unit 23, lip tightener", 51, 0, other=57),
    "au24": _action_unit("action unit 24, lip pressor: where au23 is", 51, 0, other=57),
}
