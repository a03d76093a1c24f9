"""What the pages say of the expression model, measured on one file of weights and set in tables."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench import faces as real
from bench import hidden
from bench.report import Report
from bench.result_tables import (
    BALANCED,
    CLEAN,
    DOCS,
    LISTS,
    ONCE,
    OWN_POINTS,
    USUAL,
    Key,
    Measured,
    keys,
    page,
    places,
)
from mien import files, weights
from mien.data import files as data_files
from mien.data.readers.ferplus import LISTS_SOURCE, SUBSETS
from mien.errors import UsageError, unknown_name
from mien.evaluation import Choice, Chosen, score
from mien.images import Image
from mien.preparation import Preparation
from mien.progress import say, track
from mien.recognizer import ExpressionReader
from mien.report import figures
from mien.study.estimates import Findings
from mien.study.findings import ROUNDS, findings
from mien.study.importance import sweep
from mien.study.report import cost_figure, write_report
from mien.study.settings import QUESTION

SPLITS = ("private", "public")
PARTS = "eyes,mouth,eyes+mouth,brows,nose,forehead,cheeks,upper,lower,left,right,mask-polygon"
SWEPT = {"ferplus": (*PARTS.split(","), "surgical", "sunglasses"), "fer2013": PARTS.split(",")}
READING: dict[str, dict[str, Any]] = {ONCE: {"mirror": False}, BALANCED: {"balanced": True}}
PAGE, FIGURE = "results.md", "importance.svg"
GREY = "#777777"  # is read on white and on black: a figure in a file knows no text around it


class Remembering(ExpressionReader):
    """Run the network once for a crop, however often it is read.

    The memory (a row of all outputs for each crop) may be shared by readers of one model.
    """

    def __init__(
        self, model: str | None, memory: dict[bytes, NDArray[np.float32]], **how: Any
    ) -> None:
        super().__init__(model, **how)
        self._memory = memory

    def outputs(self, crops: Image) -> dict[str, NDArray[np.float32]]:
        """Give what `ExpressionReader.outputs` does, of new crops by running the network."""
        salt = b"mirror" if self.mirror else b"once"
        names = [blake2b(crop.tobytes(), digest_size=16, salt=salt).digest() for crop in crops]
        new = {name: row for row, name in enumerate(names) if name not in self._memory}
        if new:
            found = super().outputs(crops[list(new.values())])
            self._memory.update(zip(new, np.hstack(list(found.values())), strict=True))
        outputs = self.metadata.outputs
        ends = np.cumsum([len(output.labels) for output in outputs])[:-1]
        columns = np.split(np.array([self._memory[name] for name in names]), ends, axis=1)
        return {output.name: part for output, part in zip(outputs, columns, strict=True)}


class _Set(NamedTuple):
    name: str
    variant: str  # CLEAN or USUAL


def measure(
    data: Path, lists: Path, split: str, out: Path, model: str | None, quiet: bool
) -> Report:
    """Measure as `mien evaluate` and `mien study importance --sweep` do; write pages and figures.

    Regions noticed are of PublicTest, whatever the split.
    """
    if split not in SPLITS:
        raise UsageError(unknown_name("split", split, SPLITS))
    figures.check()
    files.check_folder(out)
    wanted = keys(split)
    readers = _readers(model, wanted)
    usual = readers["ferplus", USUAL]
    chosen = _chosen(data, lists, split, wanted, usual.preparation, quiet)
    studies = {}
    for name, conditions in SWEPT.items():
        faces, reader = chosen[_Set(name, USUAL)], readers[name, USUAL]
        studies[name] = _swept(faces, reader, conditions, out / name, quiet)
    _draw(studies["ferplus"][0], out / FIGURE)
    shown = track(wanted, total=len(wanted), description="measuring", quiet=quiet)
    results = {key: _result(key, chosen, readers) for key in shown}
    noticed = hidden.under_occluders(real.labelled(data), usual, quiet)
    found = Measured(
        split=split,
        results=results,
        studies={name: study for name, (study, _) in studies.items()},
        noticed={name: one.to_dict() for name, one in noticed.items()},
        model_bytes=weights.path_of(model or weights.default("expression")).stat().st_size,
        model_sha256=usual.sha256,
    )
    files.write(out / PAGE, page(found))
    say(f"{out / PAGE}: the tables of all pages", quiet=quiet)
    report = Report("results", places(found)[DOCS])
    report.figures = {
        "split": split,
        "model_sha256": usual.sha256,
        "results": {" ".join(filter(None, key)): result for key, result in results.items()},
        "studies": {name: record for name, (_, record) in studies.items()},
        "noticed": found.noticed,
    }
    return report


def _readers(model: str | None, wanted: Sequence[Key]) -> dict[tuple[str, str], Remembering]:
    """Open the model for each output and way to read that is wanted."""
    memory: dict[bytes, NDArray[np.float32]] = {}
    return {
        pair: Remembering(model, memory, labels=pair[0], **READING.get(pair[1], {}))
        for pair in dict.fromkeys(map(_reading, wanted))
    }


def _reading(key: Key) -> tuple[str, str]:
    labels = "ferplus" if key.faces in LISTS else key.faces
    return labels, key.variant if key.variant in READING else USUAL


def _set(key: Key) -> _Set:
    return _Set(key.faces, CLEAN if key.variant == CLEAN else USUAL)


def _chosen(
    data: Path, lists: Path, split: str, wanted: Sequence[Key], steps: Preparation, quiet: bool
) -> dict[_Set, Chosen]:
    """Select each set of faces once, all of them before anything is measured."""
    sets = list(dict.fromkeys(map(_set, wanted)))
    named = {
        name: data_files.require(lists, (SUBSETS[name],), source=LISTS_SOURCE)
        for name in LISTS
        if any(one.name == name for one in sets)
    }
    points = real.points_file(data)
    found = {}
    for one in track(sets, total=len(sets), description="reading", quiet=quiet):
        clean, path = one.variant == CLEAN, named.get(one.name)
        if path:
            choice = Choice(data_set="ferplus", list_file=path, without_duplicates=clean)
        else:
            how: dict[str, Any] = {"points_file": points, "without_duplicates": clean}
            choice = Choice(data_set=one.name, split=split, **how)
        found[one] = choice.select(data, steps)
    return found


def _swept(
    chosen: Chosen, reader: ExpressionReader, conditions: Sequence[str], folder: Path, quiet: bool
) -> tuple[Findings, dict[str, Any]]:
    """Hide part after part, and write the study's own report into the folder."""
    done = sweep(chosen, reader, conditions, folder, locate=True, quiet=quiet)
    found = findings(done.outcome)
    return found, write_report(done, found, folder, question=QUESTION, rounds=ROUNDS)


def _draw(found: Findings, path: Path) -> None:
    files.write(path, cost_figure(found).replace("currentColor", GREY))


def _result(
    key: Key, chosen: dict[_Set, Chosen], readers: dict[tuple[str, str], Remembering]
) -> dict[str, Any]:
    faces = chosen[_set(key)]
    if key.variant == OWN_POINTS:
        own = replace(faces.faces, points_xy=None)
        faces = replace(faces, faces=own, stated={**faces.stated, "points": None})
    return score(faces, readers[_reading(key)], occluder=key.occluder).result
