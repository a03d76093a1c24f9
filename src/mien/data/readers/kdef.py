"""KDEF: 70 people, seven expressions, two sessions, five angles.

    ROOT/**/AF01ANS.JPG     session A or B, F or M and number, expression, angle

The angles: FL and FR full profile, HL and HR half, S straight. A subject is `F01`; the five angles
of one take share a sequence `AF01AN`; angle and session stand in the notes.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from mien.data import files
from mien.data.listing import Listing
from mien.data.readers.photos import Photo, known, listing, matched, named
from mien.errors import UsageError, unknown_name

SOURCE = "KDEF (on request: kdef.se)"
LABELS = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
ANGLES = ("FL", "HL", "S", "HR", "FR")
NAME = re.compile(r"(([AB])([FM]\d{2})([A-Z]{2}))(FL|HL|S|HR|FR)", re.I)
EXAMPLE = "AF01ANS.JPG"


def read(root: str | Path, *, angles: Sequence[str] = ANGLES) -> Listing:
    """Read the names, keep the angles asked for; pictures named otherwise are passed over."""
    strange = next((angle for angle in angles if angle not in ANGLES), None)
    if strange is not None or not angles:
        raise UsageError(unknown_name("angle", strange or "", ANGLES))
    pictures = files.pictures(root, source=SOURCE)
    photos = [_photo(path) for path in named(NAME, pictures, EXAMPLE)]
    kept = [row for row in photos if row.source_id[len(row.sequence) :] in angles]
    passed_over = len(pictures) - len(photos)
    return listing(kept, tuple(LABELS.values()), passed_over=passed_over)


def _photo(path: Path) -> Photo:
    found = matched(NAME, path, EXAMPLE)
    take, session, subject, label, angle = (part.upper() for part in found.groups())
    notes = f"angle={angle} session={session}"
    return Photo(path, known(LABELS, label, path), take + angle, subject, take, notes=notes)
