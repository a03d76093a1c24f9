from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tiny_tables
from mien.data.points import check, check_places, load_points, with_points
from mien.errors import DataError
from mien.evaluation.selection import Chosen, located
from mien.faces import landmarks
from tiny_fer import tiny_fer


def written(folder: Path) -> Path:
    return tiny_fer().write_points(folder / "points.npz", [row not in (1, 5) for row in range(12)])


def test_missing_rows_get_the_mean_points_of_training(tmp_path: Path) -> None:
    training = np.arange(12) < 4
    points_xy, found = load_points(written(tmp_path), 12, training=training)
    assert points_xy.dtype == np.float32
    assert np.flatnonzero(~found).tolist() == [1, 5]
    expected = points_xy[[0, 2, 3]].mean(axis=0)
    np.testing.assert_allclose(points_xy[[1, 5]], [expected, expected], atol=1e-4)


def test_missing_rows_stay_missing_without_training_rows(tmp_path: Path) -> None:
    points_xy, found = load_points(written(tmp_path), 12)
    assert np.isnan(points_xy[~found]).all()
    assert np.isfinite(points_xy[found]).all()


def test_a_file_for_other_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"points_xy \(12, 68, 2\) .* expected\s+\(13, 68, 2\)"):
        load_points(written(tmp_path), 13)


def test_found_points_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.npz"
    np.savez(path, points_xy=np.full((2, 68, 2), np.nan), found=np.array([False, True]))
    with pytest.raises(DataError, match="row 1: found is set"):
        load_points(path, 2)


def test_no_points_at_all_to_average_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.npz"
    np.savez(path, points_xy=np.full((2, 68, 2), np.nan), found=np.array([False, False]))
    with pytest.raises(DataError, match="at least one training face"):
        load_points(path, 2, training=np.array([True, True]))


def test_files_that_are_no_points_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.npz"
    with pytest.raises(DataError, match=r"no file .*points\.npz"):
        load_points(path, 2)
    for content in (b"", b"PK\x03\x04 cut short", b"text"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"points\.npz is no \.npz; expected an \.npz with"):
            load_points(path, 2)
    np.savez(path, other=np.zeros(2))
    with pytest.raises(DataError, match=r"points\.npz has other; expected an \.npz with points_xy"):
        check(path)
    np.savez(path, points_xy=np.array(["a"]))
    with pytest.raises(DataError, match=r"cannot read .*points\.npz"):
        check(path)
    with pytest.raises(DataError, match="is no "):
        check(tmp_path)


def test_points_that_are_numbers_count_as_found_where_nothing_else_is_said(tmp_path: Path) -> None:
    given = np.zeros((3, 68, 2))
    given[1, 5] = np.nan
    np.savez(tmp_path / "points.npz", points_xy=given)
    _, found = load_points(tmp_path / "points.npz", 3)
    assert found.tolist() == [True, False, True]


def test_points_that_no_file_has_are_found(
    landmarks_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarks, "_AT_ONCE", 3)
    table = tiny_tables.table(4)
    assert table.points_xy is not None
    assert with_points(table)[1] == "of the table"
    some = table.points_xy.copy()
    some[1] = np.nan
    found, said = with_points(replace(table, points_xy=some), landmarks_path)
    assert said.startswith("of 1 faces found by the landmark network")
    assert found.points_xy is not None and np.isfinite(found.points_xy).all()
    np.testing.assert_array_equal(found.points_xy[[0, 2, 3]], table.points_xy[[0, 2, 3]])
    every, said = with_points(replace(table, points_xy=None), landmarks_path)
    assert every.points_xy is not None and every.points_xy.shape == (4, 68, 2)
    assert said.startswith("found by")


def test_points_of_other_images_or_in_other_units_are_refused() -> None:
    table = tiny_tables.table(6)
    check_places(table)
    points = np.asarray(table.points_xy)
    moved = points.copy()
    moved[2] += 100
    moved[3] = np.nan
    with pytest.raises(DataError, match=r"points of 1 of .* faces lie outside the image, such as"):
        with_points(replace(table, points_xy=moved))
    shares = replace(table, points_xy=points / 32)
    with pytest.raises(DataError, match=r"span 0\.\d+ pixels of images of 32 x 32"):
        located(Chosen(shares, {}), "mouth")
