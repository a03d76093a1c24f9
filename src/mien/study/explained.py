"""Explanations as pictures and as a page."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.report.document import Block, Document, Shown, Table
from mien.report.faces import face_map, tinted
from mien.report.page import Fact, Picture, gallery
from mien.study.cells import write
from mien.study.explain import Explanation
from mien.study.sentences import points

PAGE, RECORD = "index.html", "explanations.json"
HOW = (
    "A square is laid on one place of the face after the other, and regions are hidden; red is"
    " where the probability of the expression falls, blue where it rises, in points. Grad-CAM,"
    " where a checkpoint is given, shows what speaks for the expression in the network's deep maps."
    " What a model uses is not what a person would: such maps say where, not why."
)

Maps = dict[str, NDArray[np.uint8]]


def write_explanations(
    folder: Path,
    found: Sequence[Explanation],
    cams: Sequence[NDArray[np.float64] | None],
    stated: dict[str, Any],
    *,
    show: bool,
) -> dict[str, Any]:
    """Write the maps (.png), a page and a JSON; `show` says that single faces may be shown."""
    record = {
        "schema": "mien.explain/1",
        **{name: value for name, value in stated.items() if value is not None},
        "explanations": [
            {"name": one.name, "faces": one.faces, "regions": one.regions} for one in found
        ],
    }
    drawn = [maps(one, cam) for one, cam in zip(found, cams, strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    for one, pictures in zip(found, drawn, strict=True):
        for kind, picture in pictures.items():
            images.write(folder / f"{_file(one.name)}-{kind}.png", picture)
    shown = [
        [Picture(picture, one.name, kind) for kind, picture in pictures.items()]
        for one, pictures in zip(found, drawn, strict=True)
        if show or one.faces > 1
    ]
    document = Document(
        title="Where the answer comes from",
        lead="".join(_lead(found)),
        facts=[Fact(f"{sum(one.faces for one in found):,}", "faces")],
        sections=[
            ("Maps", [Shown(gallery(shown, large=True))] if shown else []),
            ("Regions", _regions(found)),
            ("How", [HOW, _settings(stated)]),
        ],
    )
    write(folder / PAGE, document.to_html())
    write(folder / RECORD, json.dumps(record, indent=1) + "\n")
    return record


def maps(found: Explanation, cam: NDArray[np.float64] | None = None) -> Maps:
    """Draw the face and what was found on it."""
    most = max(0.01, float(np.abs(found.sliding).max()))
    drawn = {
        "face": tinted(found.face, np.zeros(found.face.shape), 1),
        "sliding": tinted(found.face, found.sliding, most),
    }
    if found.regions:
        highest = max(0.01, *map(abs, found.regions.values()))
        drawn["regions"] = face_map(found.face, found.masks, found.regions, highest)
    if cam is not None:
        drawn["grad-cam"] = tinted(found.face, cam, 1)
    return drawn


def _lead(found: Sequence[Explanation]) -> Iterator[str]:
    for one in found[:8]:
        if one.regions:
            most = max(one.regions, key=lambda name: one.regions[name])
            yield f"{one.name}: the {most}, {points(one.regions[most])} points. "


def _regions(found: Sequence[Explanation]) -> list[Block]:
    names = list(dict.fromkeys(name for one in found for name in one.regions))
    rows = [
        (one.name, f"{one.faces:,}", *(points(one.regions[name]) for name in names))
        for one in found
        if one.regions
    ]
    return [Table(("points lost by hiding", "faces", *names), rows)] if rows else []


def _settings(stated: dict[str, Any]) -> Table:
    said = [(name.replace("_", " "), str(of)) for name, of in stated.items() if of is not None]
    return Table(("setting", "value"), said)


def _file(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
