import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.test_table import table
from mien.data.splits import OVERLAP, PROTOCOLS, Fold, Splits, make, take
from mien.data.table import FaceTable
from mien.errors import DataError, OutputError, UsageError

K_FOLDS = ("stratified", "by-subject", "leave-one-subject-out", "random-images")


def faces(n: int = 60, subjects: int = 0) -> FaceTable:
    """Make faces with labels 0 and 1, a third and the rest, and people who take turns."""
    names = [f"S{row % subjects}" if subjects else "" for row in range(n)]
    labels = (np.arange(n) // max(1, subjects) % 3 > 0).astype(int)
    return table(n, labels=labels, subject=np.array(names, dtype=np.str_))


def ids(part: FaceTable) -> set[str]:
    return set(part.source_id.tolist())


def shares(splits: Splits, whole: FaceTable) -> list[float]:
    return [float(splits.apply(whole, n)[1].labels.mean()) for n in range(len(splits.folds))]


@pytest.mark.parametrize("protocol", K_FOLDS)
def test_every_face_is_tested_once(protocol: str) -> None:
    whole = faces(subjects=0 if protocol == "stratified" else 6)
    splits = make(whole, protocol, folds=5)
    tested = [one for fold in splits.folds for one in fold.test]
    assert sorted(tested) == sorted(whole.source_id.tolist())
    for fold in splits.folds:
        assert {*fold.train} == ids(whole) - {*fold.test}
    assert len(splits.folds) == (6 if protocol == "leave-one-subject-out" else 5)


@pytest.mark.parametrize("protocol", ["stratified", "by-subject", "random-images", "hold-out"])
def test_expressions_are_alike_in_all_folds(protocol: str) -> None:
    whole = faces(600, subjects=0 if protocol in ("stratified", "hold-out") else 40)
    splits = make(whole, protocol)
    assert shares(splits, whole) == pytest.approx([2 / 3] * len(splits.folds), abs=0.04)


@pytest.mark.parametrize("protocol", ["by-subject", "leave-one-subject-out", "hold-out"])
def test_no_subject_trains_and_tests(protocol: str) -> None:
    whole = faces(subjects=6)
    splits = make(whole, protocol, folds=3, share=0.3)
    for number in range(len(splits.folds)):
        train, test = splits.apply(whole, number)
        assert not {*train.subject} & {*test.subject}
    assert not splits.subjects_overlap and OVERLAP not in splits.description


def test_every_fold_tests_somebody_where_each_shows_one_expression() -> None:
    names = np.array([f"S{row}" for row in range(8)])
    whole = table(8, labels=np.array([0, 0, 0, 1, 1, 1, -1, -1]), subject=names)
    whole = replace(whole[np.repeat(np.arange(8), 3)], source_id=np.arange(24).astype(str))
    for seed in range(20):
        folds = make(whole, "by-subject", folds=6, seed=seed).folds
        assert sorted(len(fold.test) for fold in folds) == [3, 3, 3, 3, 6, 6]


@pytest.mark.parametrize("subjects", [2, 3])
def test_few_subjects_are_held_out_too(subjects: int) -> None:
    for n in (12, subjects):  # all show both expressions, or one each
        whole = table(n, labels=np.arange(n) // subjects % 2, subject=faces(n, subjects).subject)
        fold = make(whole, "hold-out", share=0.2).folds[0]
        assert (len(fold.train), len(fold.test)) == (n - n // subjects, n // subjects)


def test_held_out_are_the_share_asked_for() -> None:
    fold = make(faces(), "hold-out", share=0.1).folds[0]
    assert (len(fold.train), len(fold.test)) == (54, 6)
    fold = make(faces(subjects=10), "hold-out", share=0.3).folds[0]
    assert (len(fold.train), len(fold.test)) == (42, 18)


def test_random_folds_over_people_come_by_name_only_and_say_so() -> None:
    with pytest.raises(UsageError, match="random-images if that is meant"):
        make(faces(subjects=6), "stratified")
    splits = make(faces(subjects=6), "random-images")
    assert splits.subjects_overlap
    assert splits.description == "random-images, 5 folds, seed 0, subjects overlap"
    assert make(faces(), "random-images").subjects_overlap is None


def test_people_in_two_official_splits_are_told() -> None:
    whole = faces(subjects=6)
    halves = np.where(np.arange(len(whole)) < 30, "train", "test")
    assert make(replace(whole, split=halves), "official").subjects_overlap is True
    apart = np.where(whole.subject < "S3", "train", "test")
    assert make(replace(whole, split=apart), "official").subjects_overlap is False
    assert make(replace(faces(), split=halves), "official").subjects_overlap is None


def test_lacking_subjects_are_named_before_small_classes() -> None:
    with pytest.raises(DataError, match="60 of 60 faces have no subject"):
        make(faces(), "by-subject", folds=50)


def test_splits_that_results_rest_on_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    make(faces(), "hold-out", seed=1).save(path)
    make(faces(), "hold-out", seed=1).save(path)
    with pytest.raises(OutputError, match="is there and says otherwise"):
        make(faces(), "hold-out", seed=2).save(path)
    assert Splits.open(path).seed == 1
    assert list(tmp_path.iterdir()) == [path]


def test_official_splits_are_those_of_the_set() -> None:
    names = np.array(["private", "train", "public", "train"] * 15)
    whole = replace(faces(), split=names)
    fold = make(whole, "official").folds[0]
    by_name = {name: tuple(whole.source_id[names == name].tolist()) for name in {*names.tolist()}}
    assert (fold.train, fold.validation, fold.test) == (
        by_name["train"],
        by_name["public"],
        by_name["private"],
    )
    two = make(replace(faces(), split=np.array(["val", "train"] * 30)), "official").folds[0]
    assert len(two.test) == 30 and not two.validation
    with pytest.raises(DataError, match="take another protocol: hold-out"):
        make(replace(faces(), split=np.full(60, "")), "official")


def test_faces_without_a_split_are_in_no_official_part(tmp_path: Path) -> None:
    names = np.array(["train", "test", "", "train"] * 15)
    whole = replace(faces(subjects=6), split=names, subject=np.where(names == "", "", names))
    whole.subject[2] = "train"
    splits = make(whole, "official")
    fold = splits.folds[0]
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (30, 0, 15)
    assert fold.test == tuple(whole.source_id[names == "test"].tolist())
    assert splits.description == "official, 1 fold, 15 faces without a split left out"
    splits.save(tmp_path / "splits.json")
    assert Splits.open(tmp_path / "splits.json") == splits
    with pytest.raises(DataError, match="no official splits, only 'train'"):
        make(replace(whole, split=np.where(names == "test", "", names)), "official")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train", "test", "extra"], "'extra' does not say .* leave the split of its faces empty"),
        (["one", "two", ""], "'one' does not say .* a protocol other than official"),
    ],
)
def test_a_split_that_may_be_any_part_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        make(replace(faces(), split=np.array(names * 20)), "official")


@pytest.mark.parametrize("protocol", ["hold-out", "stratified", "by-subject", "random-images"])
def test_a_seed_gives_the_same_faces_again_and_another_gives_others(protocol: str) -> None:
    whole = faces(subjects=0 if protocol == "stratified" else 20)
    assert make(whole, protocol, seed=3) == make(whole, protocol, seed=3)
    assert make(whole, protocol, seed=3).folds != make(whole, protocol, seed=4).folds


def test_the_same_faces_are_chosen_from_any_table_that_has_them() -> None:
    whole = faces()
    splits = make(whole, "stratified")
    shuffled = whole[np.random.default_rng(0).permutation(len(whole))]
    for one, other in zip(splits.apply(whole, 2), splits.apply(shuffled, "fold 3"), strict=True):
        np.testing.assert_array_equal(one.source_id, other.source_id)
        np.testing.assert_array_equal(one.images, other.images)


def test_faces_that_a_table_lacks_are_an_error() -> None:
    whole = faces()
    splits = make(whole, "stratified")
    with pytest.raises(
        DataError, match=r"lack 1 of the \d+ faces of the splits, such as 'face 59'"
    ):
        splits.apply(whole[:59], 0)
    with pytest.raises(DataError, match="lack"):
        take(whole[:0], ["face 1"])


def test_a_fold_that_is_not_there_is_an_error() -> None:
    splits = make(faces(), "hold-out")
    with pytest.raises(UsageError, match="no fold 1; expected 0 to 0"):
        splits.fold(1)
    with pytest.raises(UsageError, match="unknown fold 'fold 9'"):
        splits.fold("fold 9")


@pytest.mark.parametrize(
    ("whole", "protocol", "folds", "said"),
    [
        (faces(subjects=4), "by-subject", 5, "the set has 4 subjects; expected at least 5"),
        (faces(subjects=1), "leave-one-subject-out", 5, "1 subjects; expected at least 2"),
        (faces(), "by-subject", 5, "60 of 60 faces have no subject"),
        (faces(9), "stratified", 4, "fear has 3 faces, too few for 4 folds"),
        (faces(9)[:1], "hold-out", 2, "fear has 1 faces"),
        (faces(9)[:0], "stratified", 5, "there is no face to split"),
        (replace(faces(9), source_id=np.full(9, "one")), "stratified", 2, "two images have the id"),
    ],
)
def test_data_that_cannot_be_split_so_are_refused(
    whole: FaceTable, protocol: str, folds: int, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        make(whole, protocol, folds=folds)


@pytest.mark.parametrize(
    "settings", [{"protocol": "by-subjects"}, {"folds": 1}, {"share": 1.0}, {"share": 0.0}]
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        make(faces(), **{"protocol": "stratified", **settings})


def test_a_face_is_in_one_part_of_a_fold_only() -> None:
    with pytest.raises(DataError, match="two of its parts"):
        Fold(name="a", train=("x", "y"), test=("y",))
    with pytest.raises(DataError, match="none to test"):
        Fold(name="a", train=("x", "y"), test=())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_saved_splits_open_as_they_were(protocol: str, tmp_path: Path) -> None:
    whole = faces(subjects=0 if protocol == "stratified" else 6)
    splits = make(whole, protocol)
    splits.save(tmp_path / "new" / "splits.json")
    assert Splits.open(tmp_path / "new" / "splits.json") == splits


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["folds"][0]["test"].pop(),
        lambda content: content.update(seed=9),
        lambda content: content.update(subjects_overlap=False),
        lambda content: content.update(sha256="0" * 64),
    ],
)
def test_a_changed_file_is_refused(change: Callable[[Any], Any], tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    make(faces(subjects=6), "random-images").save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="was changed after it was made"):
        Splits.open(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "0", "format": 9, "kind": "splits"}'])
def test_what_is_no_file_of_splits_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(DataError, match="is no file of splits"):
        Splits.open(tmp_path / "splits.json")
    with pytest.raises(DataError, match="cannot read"):
        Splits.open(tmp_path / "nowhere.json")


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        make(faces(), "hold-out").save(tmp_path / "file" / "splits.json")
