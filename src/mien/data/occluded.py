"""Faces with parts hidden: tables in memory, and folders of pictures (see `mien.data.growing`)."""

import os
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.growing import FACTS, Each, Finished, Job, Row, grow, picture
from mien.data.naming import safe, stem, untaken
from mien.data.points import outside
from mien.data.rejections import NO_FACE, NO_POINTS, OUTSIDE, Rejected
from mien.data.table import FaceTable
from mien.errors import DataError, InputError, UsageError, unknown_name
from mien.faces.finding import FaceFinder
from mien.files import numbered
from mien.images import Image
from mien.occlusion import NONE, batch, occluder, parts
from mien.occlusion.frames import MEAN_FACE
from mien.occlusion.kinds import Mask

WITHOUT_FACE = ("skip", "copy", "fail")
MASKS = "masks"
AT_ONCE = 256  # faces of a table in memory
BLOCK = 32  # and of one on disk: a stop waits for no more than these


@dataclass(frozen=True)
class Hiding:
    """What to draw, and what becomes of a source without a face: see WITHOUT_FACE.

    masks: write, too, where each picture is hidden. options: those of `mien.occlusion.occluder`.
    """

    specs: Sequence[str]
    seed: int = 0
    no_face: str = "skip"
    masks: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = [spec for spec in self.specs if spec.strip()]
        if not named:
            raise UsageError("no occluder is named; expected some like eyes,mouth,eyes+mouth")
        if self.no_face not in WITHOUT_FACE:
            raise UsageError(unknown_name("no-face policy", self.no_face, WITHOUT_FACE))
        joined = dict.fromkeys("+".join(parts(spec)) or NONE for spec in named)
        object.__setattr__(self, "specs", tuple(joined))
        for spec in self.specs:
            occluder(spec, **self.options)

    def settings(self, about: Mapping[str, Any] | None) -> dict[str, Any]:
        """Say all that makes one work another than this."""
        own = {"seed": self.seed, "no_face": self.no_face, "masks": self.masks}
        return {**(about or {}), **own, "options": dict(self.options)}


def occlude_table(table: FaceTable, spec: str, seed: int = 0, **options: Any) -> FaceTable:
    """Give the table with the occluder drawn on each face by its row's own generator."""
    painted = np.array(table.images)
    if parts(spec):
        reasons = _reasons(table)
        lost = np.flatnonzero(reasons != "")
        if len(lost):
            raise DataError(
                f"{spec!r} cannot be drawn on {len(lost)} of {len(table)} faces, first"
                f" {table.source_id[lost[0]]}: {reasons[lost[0]]}; find the points or leave it out"
            )
        for first in range(0, len(table), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            points = _points(table[some])
            painted[some], _ = batch(spec, painted[some], points, seed, first, **options)
    return replace(table, images=painted)


def write_table(
    table: FaceTable,
    folder: str | Path,
    hiding: Hiding,
    *,
    about: Mapping[str, Any] | None = None,
    each: Each = map,
    quiet: bool = True,
) -> dict[str, int]:
    """Draw every occluder on the faces of a table, as `occlude_table` does; count what was done."""
    if table.points_xy is None:
        raise DataError("the table has no points; prepare it again with --points")
    names, target = _names(table), Path(folder)

    def work(job: Job) -> Finished:
        first, specs = job
        block = table[first : first + BLOCK]
        reasons, facts = _reasons(block), _facts(block)
        refused, bad = _refused(hiding, facts, reasons.tolist()), reasons != ""
        kept = np.arange(len(block)) if hiding.no_face == "copy" else np.flatnonzero(~bad)
        rows: list[Row] = []
        for spec in specs:
            drawn, hidden = batch(
                spec, block.images, _points(block), hiding.seed, first, **hiding.options
            )
            drawn[bad], hidden[bad] = block.images[bad], False
            for row in kept.tolist():
                fact, name = {**facts[row], "faces": int(not bad[row])}, names[first + row]
                rows.append(_write(target, hiding, spec, name, drawn[row], hidden[row], fact))
        return rows, refused

    named = list(zip(names, table.source_id.tolist(), strict=True))
    blocks = {first: named[first : first + BLOCK] for first in range(0, len(table), BLOCK)}
    settings = hiding.settings(about)
    return grow(target, settings, tuple(hiding.specs), blocks, work, each=each, quiet=quiet)


def write_photographs(
    photographs: Sequence[Path],
    root: Path,
    folder: str | Path,
    hiding: Hiding,
    finder: FaceFinder,
    *,
    about: Mapping[str, Any] | None = None,
    each: Each = map,
    quiet: bool = True,
) -> dict[str, int]:
    """Draw every occluder on all faces of photographs below the root; count what was done.

    A photograph's name without its suffix decides what is left to chance, whatever lies beside it.
    """
    names, target = _names_below(photographs, root), Path(folder)
    draws = {spec: occluder(spec, **hiding.options) for spec in hiding.specs}
    seeds = {
        name: zlib.crc32(os.fsencode(path.relative_to(root).with_suffix("").as_posix()))
        for name, path in names.items()
    }

    def work(job: Job) -> Finished:
        name, specs = job
        facts = {"source": names[name].relative_to(root).as_posix(), **dict.fromkeys(FACTS, "")}
        try:
            image = images.read(names[name])
        except InputError as error:
            return [], _refused(hiding, [facts], [str(error)])
        found = finder.find(image)
        rows: list[Row] = []
        for spec in specs if found or hiding.no_face == "copy" else ():
            one, hidden = image, np.zeros(image.shape[:2], dtype=bool)
            rng = np.random.default_rng([hiding.seed, seeds[name]])
            for face in found:
                assert face.points_xy is not None
                one, more = draws[spec](one, face.points_xy, rng)
                hidden |= more
            row = {**facts, "faces": len(found)}
            rows.append(_write(target, hiding, spec, name, one, hidden, row))
        return rows, _refused(hiding, [facts], ["" if found else NO_FACE])

    blocks = {name: [(name, path.relative_to(root).as_posix())] for name, path in names.items()}
    settings = hiding.settings(about)
    return grow(target, settings, tuple(hiding.specs), blocks, work, each=each, quiet=quiet)


def _write(
    folder: Path, hiding: Hiding, spec: str, name: str, image: Image, hidden: Mask, row: Row
) -> Row:
    file = picture(spec, name)
    written = {file: image}
    if hiding.masks:
        written[f"{MASKS}/{file}"] = np.where(hidden, 255, 0).astype(np.uint8)
    for path, pixels in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        images.write(folder / path, pixels)
    return {**row, "file": file, "occluder": spec, "hidden_pixels": int(hidden.sum())}


def _refused(hiding: Hiding, facts: Sequence[Row], reasons: Sequence[str]) -> list[Rejected]:
    """List what has no face, unless it is copied; end the work if that is asked."""
    left_out = [
        Rejected(of["source"], of["expression"], reason)
        for of, reason in zip(facts, reasons, strict=True)
        if reason
    ]
    refused = [one for one in left_out if one.unreadable or hiding.no_face != "copy"]
    if refused and hiding.no_face == "fail":
        kind = InputError if refused[0].unreadable else DataError
        raise kind(
            f"{refused[0].source_id}: {refused[0].reason}; take it out or choose --no-face skip"
        )
    return refused


def _reasons(table: FaceTable) -> NDArray[np.str_]:
    """Say of each face why nothing can be drawn on it, "" where it can."""
    if table.points_xy is None:
        return np.full(len(table), NO_POINTS)
    points = np.asarray(table.points_xy)
    strange = outside(points, (table.images.shape[1], table.images.shape[2]))
    return np.where(table.has_points, np.where(strange, OUTSIDE, ""), NO_POINTS)


def _points(table: FaceTable) -> NDArray[np.float32]:
    """Give the points (N, 68, 2), those of the mean face where there are none."""
    mean = MEAN_FACE.astype(np.float32)
    if table.points_xy is None:
        return np.tile(mean, (len(table), 1, 1))
    return np.where(table.has_points[:, None, None], table.points_xy, mean)


def _facts(table: FaceTable) -> list[Row]:
    columns = [table.source_id, table.expression_names(), *(getattr(table, n) for n in FACTS[1:])]
    keys = ("source", *FACTS)
    return [dict(zip(keys, map(str, row), strict=True)) for row in zip(*columns, strict=True)]


def _names(table: FaceTable) -> list[str]:
    """Name a picture for each row by its id; one that is taken gets the row's number too."""
    names: list[str] = []
    taken: set[str] = set()
    for row, source_id in enumerate(table.source_id.tolist()):
        name = "/".join(filter(None, map(safe, stem(source_id).split("/")))) or str(row)
        names.append(untaken(name, row, taken))
    return names


def _names_below(photographs: Sequence[Path], root: Path) -> dict[str, Path]:
    """Name a picture for each photograph by its place, without its suffix.

    Where several differ by that alone, each has it in its name: `a-jpg` and `a-png`.
    """
    below = [path.relative_to(root) for path in photographs]
    stems = Counter(one.with_suffix("").as_posix().casefold() for one in below)
    named: dict[str, Path] = {}
    taken = {stem for stem, count in stems.items() if count == 1}
    for path, one in zip(photographs, below, strict=True):
        name = one.with_suffix("").as_posix()
        if stems[name.casefold()] > 1:
            name = numbered(f"{name}-{one.suffix.removeprefix('.')}", taken)
        named[name] = path
    return named
