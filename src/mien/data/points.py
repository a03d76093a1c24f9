"""Landmarks of faces: from a file that comes with a data set, or found where it has none."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data.table import POINTS, FaceTable
from mien.errors import DataError

LEAST_SHARE = 1 / 8  # of the shorter side, which the points of a usual face span at least
_IN_PIXELS = "expected points in pixels of these images, one row for each of these faces"
_EXPECTED = (
    "expected an .npz with points_xy (N, 68, 2), a row for each of the data set (and found, (N,))"
)


def load_points(
    path: str | Path, n_rows: int, *, training: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read `points_xy` (N, 68, 2) and `found` (N,) of an .npz whose rows are the data set's.

    Without `found`, all points that are numbers are found. Rows without points get the mean points
    of the `training` rows, or stay NaN without that mask.
    """
    path = Path(path)
    points_xy, found = _read(path)
    if points_xy.shape != (n_rows, POINTS, 2) or found.shape != (n_rows,):
        raise DataError(
            f"{path} has points_xy {points_xy.shape} and found {found.shape}; expected"
            f" {(n_rows, POINTS, 2)} and {(n_rows,)}: one row for each row of the data set"
        )
    broken = np.flatnonzero(found & ~np.isfinite(points_xy).all(axis=(1, 2)))
    if len(broken):
        raise DataError(f"{path}, row {broken[0]}: found is set but its points are not numbers")
    points_xy[~found] = np.nan
    if training is not None:
        points_xy[~found] = mean_points(points_xy, found & training)
    return points_xy, found


def check(path: Path) -> None:
    """Tell whether a file holds points, before the work that they are for."""
    _read(path)


def outside(points_xy: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell of faces (N, 68, 2) whether they have points and none of them lies in the image."""
    known = np.isfinite(points_xy).all(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        inside = ((points_xy > -0.5) & (points_xy < np.array(size_hw[::-1]) - 0.5)).all(axis=2)
    return np.asarray(known & ~np.any(inside, axis=1))


def check_places(table: FaceTable) -> None:
    """Raise where the points of a table cannot be those of its faces, in pixels of the images."""
    if table.points_xy is None:
        return
    size_hw = (table.images.shape[1], table.images.shape[2])
    strange = np.flatnonzero(outside(table.points_xy, size_hw))
    if len(strange):
        raise DataError(
            f"the points of {len(strange)} of {len(table)} faces lie outside the image, such as"
            f" {str(table.source_id[strange[0]])!r}; {_IN_PIXELS}"
        )
    extents = np.ptp(table.points_xy, axis=1).max(axis=1)
    extents = extents[np.isfinite(extents)]
    if len(extents) and np.median(extents) < LEAST_SHARE * min(size_hw):
        raise DataError(
            f"the points of a usual face span {np.median(extents):.3g} pixels of images of"
            f" {size_hw[1]} x {size_hw[0]}; {_IN_PIXELS}"
        )


def mean_points(points_xy: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Average the points of the chosen rows."""
    if not chosen.any():
        raise DataError("expected points for at least one training face, found none")
    mean: NDArray[np.float64] = points_xy[chosen].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if not path.exists():
        raise DataError(f"no file {path}; {_EXPECTED}")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no .npz; {_EXPECTED}")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if "points_xy" not in file:
                raise DataError(f"{path} has {', '.join(file) or 'nothing'}; {_EXPECTED}")
            points: NDArray[Any] = file["points_xy"].astype(np.float32)
            if "found" in file:
                return points, file["found"].astype(bool)
            return points, np.asarray(np.isfinite(points).all(axis=tuple(range(1, points.ndim))))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read {path}: {error}; {_EXPECTED}") from error


def with_points(
    table: FaceTable, landmarks: str | Path | None = None, *, quiet: bool = True
) -> tuple[FaceTable, str]:
    """Find the points of faces that have none; say whose are used."""
    check_places(table)
    points, known = table.points_xy, table.has_points
    if known.all():
        return table, "of the table"
    from mien.faces.landmarks import Landmarker

    landmarker = Landmarker(landmarks)
    found = np.zeros((len(table), POINTS, 2), np.float32) if points is None else np.array(points)
    found[~known] = landmarker.from_whole(table.images[~known], quiet=quiet)[0]
    few = f"of {int((~known).sum())} faces " if known.any() else ""
    said = f"{few}found by the landmark network {landmarker.sha256[:12]}"
    return replace(table, points_xy=found.astype(np.float32)), said
