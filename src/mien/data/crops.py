"""From photographs to faces: a Listing becomes a FaceTable, every image left out with its reason.

Of several faces the largest is taken. An image without one is left out (`skip`), taken as a whole
(`whole`) or ends the work (`error`), and so is one that cannot be read; none is ever replaced by
another. The folder holds the table, `rejected.csv` and `summary.json`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import files, geometry, images
from mien.data.columns import UNLABELLED, Columns, check_unique
from mien.data.listing import Listing
from mien.data.rejections import NO_FACE, Rejected, by_class, write_csv
from mien.data.statistics import fitted
from mien.data.summaries import SUMMARY, write_summary
from mien.data.table import POINTS, FaceTable
from mien.data.writing import TableWriter, digest
from mien.errors import DataError, InputError, UsageError, unknown_name
from mien.expressions import EXPRESSIONS
from mien.faces.finding import FaceFinder
from mien.images import Image, Source
from mien.preparation import Preparation
from mien.progress import track
from mien.records import Face

WITHOUT_FACE = ("skip", "whole", "error")
REJECTED = "rejected.csv"
SAME_FACE = 0.2  # overlap of a face found with the box that the set gives of it
BLOCK = 64  # images; a stop loses the work on no more than these


@dataclass(frozen=True, eq=False)
class Crop:
    """A face as a preparation cuts it, its points (68, 2) if known; `whole` for want of a face."""

    image: Image
    points_xy: NDArray[np.floating[Any]] | None
    whole: bool = False


Outcome = Crop | Rejected
Each = Callable[[Callable[[int], Outcome], Iterable[int]], Iterable[Outcome]]


@dataclass(frozen=True)
class Cutter:
    """Cut the largest face of an image, as prediction would."""

    preparation: Preparation
    finder: FaceFinder
    no_face: str = "skip"

    def __post_init__(self) -> None:
        if self.no_face not in WITHOUT_FACE:
            raise UsageError(unknown_name("no-face policy", self.no_face, WITHOUT_FACE))

    def __call__(
        self,
        source: Source,
        points_xy: NDArray[Any] | None = None,
        box_xyxy: NDArray[Any] | None = None,
    ) -> Crop:
        """Read an image and cut a face: the one at the box, or else the largest.

        Faces taken whole are all that is in the box, and may bring their points.
        """
        image, scale = self.finder.read(source)
        box = None if box_xyxy is None else (np.asarray(box_xyxy) + 0.5) / scale - 0.5
        inside, corner = images.within(image, box)
        if self.finder.whole and points_xy is not None and np.isfinite(points_xy).all():
            return self._whole(inside, points_xy - corner)
        faces = self.finder.find(inside if self.finder.whole else image)
        if self.finder.whole:
            return self._whole(inside, faces[0].points_xy)
        if box is not None and np.isfinite(box).all():
            faces = _at(faces, box)
        if faces:
            return self._cut(image, faces[0].points_xy, faces[0].box_xyxy)
        if self.no_face == "whole":
            return self._whole(inside, None, for_want=True)
        raise InputError(NO_FACE)

    def _cut(self, image: Image, points_xy: NDArray[Any] | None, box: geometry.Box) -> Crop:
        crop = self.preparation.cut(image, points_xy, box)
        if points_xy is not None:
            matrix = self.preparation.matrix(points_xy, box, image.shape[:2])
            points_xy = geometry.apply(matrix, points_xy)
        return Crop(crop, points_xy)

    def _whole(
        self, image: Image, points_xy: NDArray[Any] | None, *, for_want: bool = False
    ) -> Crop:
        crop = self.preparation.whole(image, points_xy)
        if points_xy is not None:
            matrix = self.preparation.whole_matrix(image.shape[:2], points_xy)
            points_xy = geometry.apply(matrix, points_xy)
        return Crop(crop, points_xy, for_want)


def prepare(
    data: Listing | FaceTable,
    folder: str | Path,
    cutter: Cutter,
    *,
    about: Mapping[str, Any] | None = None,
    each: Each = map,
    quiet: bool = True,
) -> tuple[FaceTable, dict[str, Any]]:
    """Cut every image into a table in a new folder; give it and the summary that lies in it.

    A preparation that wants statistics of the training part gets those of the split `train`, if the
    data have one. `about` says what is prepared and how: unfinished work is gone on with if it and
    the data are the same. `each` shares the work: `map`, or that of a pool of threads.
    """
    check_unique(data.source_id)
    finder = cutter.finder
    points = finder.points or (finder.whole and data.points_xy is not None)
    names = data.expression_names()
    about = {**(about or {}), "preparation": cutter.preparation.to_json()}
    about = json.loads(json.dumps(about))
    plan = {**about, "no_face": cutter.no_face, "data": digest(data)}
    with TableWriter(folder, data.expressions, plan) as writer:
        left = range(writer.done, len(data))
        outcomes = each(lambda row: _outcome(data, row, names, cutter), left)
        shown = track(outcomes, total=len(left), description="preparing faces", quiet=quiet)
        with closing(shown):
            while some := list(islice(shown, BLOCK)):
                _append(writer, data, some, points)
        rejected = [Rejected(*one) for entry in writer.entries() for one in entry["rejected"]]
        if not writer.faces:
            writer.discard()
            first = f": {rejected[0].source_id}: {rejected[0].reason}" if rejected else ""
            raise DataError(f"no face is left of {len(data)} images{first}")
        whole = [row for entry in writer.entries() for row in entry["whole"]]
        counts = _counts(names, names[whole], rejected)
        summary = {**about, "no_face": cutter.no_face, **counts}
        if isinstance(data, Listing) and data.passed_over:
            summary["passed_over"] = data.passed_over

        def write(part: Path) -> None:
            write_csv(part / REJECTED, rejected)
            write_summary(part, summary)

        table = writer.finish(write)
    if not cutter.preparation.is_fitted and (table.split == "train").any():
        summary["preparation"] = fitted(cutter.preparation, table).to_json()
        files.write(Path(folder) / SUMMARY, json.dumps(summary, indent=1))
    return table, summary


def _outcome(
    data: Listing | FaceTable, row: int, names: NDArray[np.str_], cutter: Cutter
) -> Outcome:
    source_id = str(data.source_id[row])
    try:
        points = None if data.points_xy is None else data.points_xy[row]
        if isinstance(data, FaceTable):
            return cutter(data.images[row], points)
        box = None if data.box_xyxy is None else data.box_xyxy[row]
        return cutter(str(data.paths[row]), points, box)
    except InputError as error:
        if cutter.no_face == "error":
            raise DataError(
                f"{source_id}: {error}; take it out or choose another policy"
            ) from error
        return Rejected(source_id, str(names[row]), str(error))


def _at(faces: Sequence[Face], box_xyxy: NDArray[Any]) -> list[Face]:
    """Give the face that overlaps a box most, if any does well enough."""
    overlaps = [float(geometry.box_iou(face.box_xyxy, box_xyxy)[0, 0]) for face in faces]
    best = max(range(len(faces)), key=overlaps.__getitem__, default=0)
    return [faces[best]] if faces and overlaps[best] >= SAME_FACE else []


def _append(
    writer: TableWriter, data: Listing | FaceTable, outcomes: list[Outcome], points: bool
) -> None:
    first = writer.done
    crops = {first + at: one for at, one in enumerate(outcomes) if isinstance(one, Crop)}
    writer.append(
        _block(data[np.array([*crops])], list(crops.values()), points) if crops else None,
        done=len(outcomes),
        rejected=[astuple(one) for one in outcomes if isinstance(one, Rejected)],
        whole=[row for row, crop in crops.items() if crop.whole],
    )


def _block(data: Columns, crops: list[Crop], points: bool) -> FaceTable:
    """Give rows their crops; points that are not known are not-a-number."""
    kept: dict[str, Any] = {name: getattr(data, name) for name in Columns.shapes}
    if points:
        kept["points_xy"] = np.full((len(crops), POINTS, 2), np.nan, np.float32)
        for row, crop in enumerate(crops):
            if crop.points_xy is not None:
                kept["points_xy"][row] = crop.points_xy
    stacked = np.stack([crop.image for crop in crops])
    return FaceTable(images=stacked, expressions=data.expressions, **kept)


def _counts(
    names: NDArray[np.str_], whole: NDArray[np.str_], rejected: list[Rejected]
) -> dict[str, Any]:
    """Count images, faces, rejections and faces taken whole, in all and by expression."""
    read, lost, forced = Counter(names.tolist()), by_class(rejected), Counter(whole.tolist())
    by_expression = {
        name or UNLABELLED: _count(read[name], lost.get(name, 0), forced[name])
        for name in (*EXPRESSIONS, "")
        if read[name]
    }
    return {**_count(len(names), len(rejected), len(whole)), "by_expression": by_expression}


def _count(read: int, rejected: int, whole: int) -> dict[str, int]:
    counted = {"images": read, "faces": read - rejected, "rejected": rejected}
    return {**counted, "taken_whole": whole}
