import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data.table import FaceTable
from mien.errors import DataError, OutputError


def table(n: int = 6, **changes: Any) -> FaceTable:
    rng = np.random.default_rng(0)
    fields: dict[str, Any] = {
        "images": rng.integers(0, 256, (n, 8, 10), dtype=np.uint8),
        "labels": np.arange(n) % 3 - 1,
        "expressions": ("fear", "neutral"),
        "subject": np.full(n, ""),
        "sequence": np.full(n, ""),
        "source_id": np.array([f"face {row}" for row in range(n)], dtype=np.str_),
        "split": np.array(["train", "public"] * n)[:n],
        "votes": rng.random((n, 10)),
        "points_xy": rng.random((n, 68, 2)).astype(np.float32),
    }
    return FaceTable(**{**fields, **changes})


def same(one: FaceTable, other: FaceTable) -> bool:
    a, b = one.arrays(), other.arrays()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    "index",
    [
        np.array([True, False, True, True, False, False]),
        np.array([4, 4, 0]),
        slice(1, None, 2),
        np.array([], dtype=int),
    ],
)
def test_selecting_is_indexing(index: Any) -> None:
    whole, part = table(), table()[index]
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(getattr(part, name), array[index])
    assert len(part) == len(whole.labels[index])


def test_a_table_without_votes_or_points_selects_too() -> None:
    part = table(votes=None, points_xy=None)[:2]
    assert part.votes is None and part.points_xy is None and len(part) == 2


def test_a_single_number_is_no_index() -> None:
    with pytest.raises(TypeError, match="expected a mask, row numbers or a slice"):
        table()[3]  # type: ignore[index]


def test_a_table_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        table().labels = np.zeros(6)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": np.zeros((6, 8, 10), np.float32)}, "images must be uint8"),
        ({"images": np.zeros((6, 8, 10, 4), np.uint8)}, "images must be uint8"),
        (
            {"labels": np.zeros(5, int)},
            r"labels must be integers of shape \(6,\), got int64 \(5,\)",
        ),
        ({"labels": np.zeros(6)}, "labels must be integers"),
        ({"labels": np.full(6, 2)}, "label 2"),
        ({"labels": np.full(6, -2)}, "label -2"),
        ({"expressions": ("fear", "joy")}, "joy"),
        ({"votes": np.zeros((6, 8))}, "votes must be floating-point numbers of shape"),
        ({"points_xy": np.zeros((6, 5, 2))}, "points_xy must be"),
        ({"split": np.zeros(6)}, "split must be text"),
        ({"source_id": None}, "source_id must be text"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        table(**changes)


def test_labels_have_canonical_indices() -> None:
    assert table().canonical_labels().tolist() == [-1, 6, 0, -1, 6, 0]


@pytest.mark.parametrize(
    "saved",
    [
        table(),
        table(votes=None, points_xy=None),
        table(images=np.zeros((6, 4, 4, 3), np.uint8)),
        table()[:0],
    ],
    ids=["grey", "bare", "colour", "empty"],
)
def test_a_saved_table_opens_as_it_was(tmp_path: Path, saved: FaceTable) -> None:
    saved.save(tmp_path / "new" / "täble")
    opened = FaceTable.open(tmp_path / "new" / "täble")
    assert same(opened, saved)
    assert opened.expressions == saved.expressions
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["täble"]


def test_an_opened_table_stays_on_disk_until_it_is_used(tmp_path: Path) -> None:
    table().save(tmp_path / "table")
    opened = FaceTable.open(tmp_path / "table")
    assert isinstance(opened.images, np.memmap)
    assert isinstance(opened[1:3].images, np.memmap)


def test_saving_never_overwrites(tmp_path: Path) -> None:
    table().save(tmp_path / "table")
    with pytest.raises(OutputError, match="exists; remove it"):
        table(n=2).save(tmp_path / "table")
    assert len(FaceTable.open(tmp_path / "table")) == 6


def test_a_failed_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OutputError, match="No space left"):
        table().save(tmp_path / "table")
    assert not list(tmp_path.iterdir())


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder that"):
        FaceTable.open(tmp_path / "nowhere")
    for text in ("{", "[]", "{}", '{"faces": 1, "expressions": [], "arrays": [], "format": 9}'):
        (tmp_path / "table.json").write_text(text)
        with pytest.raises(DataError, match=r"table\.json"):
            FaceTable.open(tmp_path)


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    table().save(tmp_path / "table")
    path = tmp_path / "table" / "images.npy"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"images\.npy"):
        FaceTable.open(tmp_path / "table")
    path.unlink()
    with pytest.raises(DataError, match=r"images\.npy"):
        FaceTable.open(tmp_path / "table")


def test_a_table_that_leaves_out_an_array_is_refused(tmp_path: Path) -> None:
    table().save(tmp_path / "table")
    path = tmp_path / "table" / "table.json"
    description = json.loads(path.read_text())
    description["arrays"].remove("split")
    path.write_text(json.dumps(description))
    with pytest.raises(DataError, match="has no split"):
        FaceTable.open(tmp_path / "table")


def test_replacing_an_array_checks_again() -> None:
    with pytest.raises(DataError, match="labels must be integers"):
        replace(table(), labels=np.zeros(6))
