"""Explanations as pictures and as a page."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.files import numbered, write
from mien.records import percent
from mien.report.document import Block, Document, Shown, Table, Warned
from mien.report.faces import face_map, tinted
from mien.report.page import Fact, Picture, gallery
from mien.study.explain import LITTLE, Explanation
from mien.study.sentences import odds, points

PAGE, RECORD = "index.html", "explanations.json"
SCHEMA = "mien.explain/1"
A_POINT = 0.01  # of a probability
HOW = (
    "A square is laid on one place of the face after the other, and regions are hidden; red is"
    " where the log-odds of the expression against all others fall, blue where they rise: natural"
    " logarithms, of which 0.7 halve the odds, and which move also where the probability is so near"
    " to 1 that it does not. Full colour is the largest loss of the map. Grad-CAM,"
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
    sources: Sequence[str] = (),
    show: bool,
) -> dict[str, Any]:
    """Write the maps (.png), a page and a JSON; maps of an earlier run are taken away.

    `sources` are the photographs explained; `show` says that single faces may be shown.
    """
    drawn = [maps(one, cam) for one, cam in zip(found, cams, strict=True)]
    files = {
        f"{name}-{kind}.png": images.encoded(picture, ".png")
        for name, pictures in zip(_names(found), drawn, strict=True)
        for kind, picture in pictures.items()
    }
    warnings = list(_warnings(found))
    record = {
        "schema": SCHEMA,
        **{name: value for name, value in stated.items() if value is not None},
        "warnings": warnings,
        "explanations": [
            {
                "name": one.name,
                **({"source": sources[at]} if sources else {}),
                "faces": one.faces,
                "probability": one.probability,
                "log_odds": one.log_odds,
                "regions": {name: lost.probability for name, lost in one.regions.items()},
                "regions_log_odds": {name: lost.log_odds for name, lost in one.regions.items()},
            }
            for at, one in enumerate(found)
        ],
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    _clear(folder, files)
    for name, content in files.items():
        write(folder / name, content)
    shown = [
        [Picture(picture, one.name, kind) for kind, picture in pictures.items()]
        for one, pictures in zip(found, drawn, strict=True)
        if show or one.faces > 1
    ]
    count = sum(one.faces for one in found)
    document = Document(
        title="Where the answer comes from",
        lead="".join(_lead(found)) or "No part hidden alone moves the answer.",
        facts=[Fact(f"{count:,}", "face" if count == 1 else "faces")],
        sections=[
            ("Mind", [Warned(text) for text in warnings]),
            ("Maps", [Shown(gallery(shown, large=True))] if shown else []),
            ("Regions", _regions(found)),
            ("How", [HOW, _settings(stated)]),
        ],
    )
    write(folder / PAGE, document.to_html())
    write(folder / RECORD, json.dumps(record, indent=1) + "\n")
    return record


def maps(found: Explanation, cam: NDArray[np.float64] | None = None) -> Maps:
    """Draw the face, and on it what the log-odds lose."""
    most = max(LITTLE, float(np.abs(found.sliding).max()))
    drawn = {
        "face": tinted(found.face, np.zeros(found.face.shape), 1),
        "sliding": tinted(found.face, found.sliding, most),
    }
    if found.regions:
        costs = {name: lost.log_odds for name, lost in found.regions.items()}
        highest = max(LITTLE, *map(abs, costs.values()))
        drawn["regions"] = face_map(found.face, found.masks, costs, highest)
    if cam is not None:
        drawn["grad-cam"] = tinted(found.face, cam, 1)
    return drawn


def _lead(found: Sequence[Explanation]) -> Iterator[str]:
    for one in found[:8]:
        if one.regions and one.moves:
            most = max(one.regions, key=lambda name: one.regions[name].log_odds)
            lost = one.regions[most]
            yield (
                f"{one.name}: the {most}, {points(lost.probability)} points,"
                f" {odds(lost.log_odds)} of log-odds. "
            )


def _regions(found: Sequence[Explanation]) -> list[Block]:
    names = list(dict.fromkeys(name for one in found for name in one.regions))
    rows = [
        (
            one.name,
            f"{one.faces:,}",
            *(
                f"{points(lost.probability)}\n{odds(lost.log_odds)}"
                for lost in one.regions.values()
            ),
        )
        for one in found
        if one.regions
    ]
    header = ("lost by hiding: points, log-odds", "faces", *names)
    return [Table(header, rows)] if rows else []


def _settings(stated: dict[str, Any]) -> Table:
    said = [(name.replace("_", " "), str(of)) for name, of in stated.items() if of is not None]
    return Table(("setting", "value"), said)


def _warnings(found: Sequence[Explanation]) -> Iterator[str]:
    sure = [
        f"{one.name} ({percent(one.probability)}){'' if one.moves else ', nor the log-odds'}"
        for one in found
        if one.most.probability < A_POINT
    ]
    if sure:
        yield (
            f"No part hidden moves the probability by a point: {'; '.join(sure)}. That does not say"
            " that no part matters: of answers so settled the maps, of log-odds, tell more."
        )


def _names(found: Sequence[Explanation]) -> list[str]:
    """Name the files of each, plainly, none hidden and none twice."""
    taken: set[str] = set()
    plain = (re.sub(r"[^\w.+-]+", "-", one.name).strip("-._") or "face" for one in found)
    return [numbered(name, taken) for name in plain]


def _clear(folder: Path, kept: Mapping[str, bytes]) -> None:
    """Remove the maps that an earlier run wrote here and that nobody changed since."""
    try:
        earlier = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = earlier["files"] if earlier["schema"] == SCHEMA else {}
        for name, digest in files.items():
            path = folder / Path(name).name
            if name not in kept and path.is_file():
                if sha256(path.read_bytes()).hexdigest() == digest:
                    path.unlink()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # nothing that tells what mien wrote
