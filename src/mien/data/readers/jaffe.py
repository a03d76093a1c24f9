"""JAFFE: 213 photographs of 10 Japanese women, seven expressions.

    ROOT/**/KA.AN1.39.tiff      subject, expression, take, number; any kind of image

Names say all, in whatever folders. Copies made of the photographs may have a prefix in front
(`eyes.KA.AN1.39.png`): it is no part of the id, so that one split serves all copies. Read each
kind of copy from its own folder.
"""

import re
from pathlib import Path

from mien.data import files
from mien.data.listing import Listing
from mien.data.readers.photos import Photo, known, listing, matched, named

SOURCE = "JAFFE (on request from its authors: zenodo.org/records/3451524)"
LABELS = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
NAME = re.compile(r"(?:.+\.)?(([A-Z]{2})\.([A-Z]{2})\d+\.\d+)", re.I)
EXAMPLE = "KA.AN1.39.tiff"


def read(root: str | Path) -> Listing:
    """Read the names; pictures named otherwise are passed over."""
    pictures = files.pictures(root, source=SOURCE)
    own = named(NAME, pictures, EXAMPLE)
    passed_over = len(pictures) - len(own)
    return listing(map(_photo, own), tuple(LABELS.values()), passed_over=passed_over)


def _photo(path: Path) -> Photo:
    name, subject, label = (part.upper() for part in matched(NAME, path, EXAMPLE).groups())
    return Photo(path, known(LABELS, label, path), name, subject)
