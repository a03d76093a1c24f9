from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from mien import images
from mien.data.readers.fer2013 import read
from mien.data.splits import Splits, make
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.evaluation.selection import Choice, Chosen, located
from mien.preparation import Preparation
from tiny_fer import TinyFer, tiny_fer

WHOLE = Preparation((48, 48), crop="whole")


@pytest.fixture
def fer(tmp_path: Path) -> TinyFer:
    fer = tiny_fer()
    fer.images[9] = fer.images[1]
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    return fer


@pytest.fixture
def table(tmp_path: Path, fer: TinyFer) -> Path:
    read(tmp_path).save(tmp_path / "table")
    return tmp_path / "table"


def selected(root: Path | None = None, **named: Any) -> Chosen:
    return Choice(**named).select(root, WHOLE)


def test_a_table_gives_the_part_that_tests(table: Path, fer: TinyFer) -> None:
    chosen = selected(table=table)
    np.testing.assert_array_equal(chosen.faces.images, fer.images[8:])
    assert chosen.stated["table"] == "table" and chosen.stated["split"] == "private"
    assert len(selected(table=table, split="public").faces) == 4
    assert len(selected(table=table, split="all").faces) == 12
    assert len(selected(table=table, without_duplicates=True).faces) == 3


def test_a_table_without_splits_gives_all_its_faces(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    replace(whole, split=np.full(len(whole), "")).save(tmp_path / "plain")
    chosen = selected(table=tmp_path / "plain")
    assert len(chosen.faces) == 12 and chosen.stated["split"] is None


def test_faces_without_a_split_are_not_those_that_test(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    for kept in (["train", "private"], ["train"]):
        names = np.where(np.isin(whole.split, kept), whole.split, "")
        replace(whole, split=names).save(tmp_path / f"t{len(kept)}")
    assert selected(table=tmp_path / "t2").stated["split"] == "private"
    with pytest.raises(UsageError, match=r"8 of 12 faces have no split, .* --split train or all"):
        selected(table=tmp_path / "t1")
    assert len(selected(table=tmp_path / "t1", split="train").faces) == 4


def test_a_split_is_named_where_none_says_that_it_tests(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    replace(whole, split=np.where(whole.split == "train", "one", "two")).save(tmp_path / "own")
    with pytest.raises(DataError, match=r"splits one, two, .* take one by its name"):
        selected(table=tmp_path / "own")
    assert len(selected(table=tmp_path / "own", split="two").faces) == 8


def test_copies_of_the_part_that_trains_are_left_out_whatever_it_is_called(
    tmp_path: Path, table: Path
) -> None:
    whole = FaceTable.open(table)
    for called, left in (("Training", 3), ("train", 3)):
        split = np.where(whole.split == "train", called, whole.split)
        replace(whole, split=split).save(tmp_path / called)
        chosen = selected(table=tmp_path / called, without_duplicates=True)
        assert len(chosen.faces) == left
    for split in ("all", "train"):
        with pytest.raises(UsageError, match="those chosen are themselves among them"):
            selected(table=table, split=split, without_duplicates=True)
    replace(whole, split=np.full(len(whole), "")).save(tmp_path / "plain")
    with pytest.raises(UsageError, match="have no part that trains"):
        selected(table=tmp_path / "plain", without_duplicates=True)
    replace(whole[whole.split != "train"]).save(tmp_path / "tests")
    with pytest.raises(UsageError, match="have no part that trains"):
        selected(table=tmp_path / "tests", without_duplicates=True)
    folds = tmp_path / "folds.json"
    make(whole, "official").save(folds)
    assert len(selected(table=table, splits=folds, without_duplicates=True).faces) == 3
    with pytest.raises(UsageError, match="those chosen are themselves among them"):
        selected(table=table, splits=folds, part="train", without_duplicates=True)


def test_kept_copies_of_training_faces_are_known(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FaceTable.open(table)
    folds, copy = tmp_path / "folds.json", frozenset(whole.source_id[9:10].tolist())
    make(whole, "official").save(folds)
    assert selected(table=table).in_training == copy
    assert selected(table=table, splits=folds).in_training == copy
    assert len(selected(tmp_path, data_set="fer2013").in_training or ()) == 1
    assert selected(tmp_path, data_set="ferplus", without_duplicates=True).in_training == set()
    assert selected(tmp_path, data_set="ferplus", split="train").in_training == set()
    assert selected(table=table, without_duplicates=True).in_training is None
    assert selected(table=table, split="all").in_training is None  # what trains is among them
    monkeypatch.setattr("mien.evaluation.copies.MOST_BYTES", 1)
    assert selected(table=table).in_training is None
    assert len(selected(table=table, without_duplicates=True).faces) == 3


def test_votes_become_labels_where_a_table_has_no_others(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    replace(whole, labels=np.full(len(whole), -1)).save(tmp_path / "votes")
    faces = selected(table=tmp_path / "votes", split="train").faces
    assert faces.expression_names().tolist() == ["neutral", "happiness", "surprise", "sadness"]
    with_rule = selected(table=table, split="train", rule="argmax").faces
    assert with_rule.expression_names().tolist() == faces.expression_names().tolist()


def test_faces_without_a_label_are_counted(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    labels = np.array(whole.labels)
    labels[-1] = -1
    replace(whole, labels=labels).save(tmp_path / "some")
    chosen = selected(table=tmp_path / "some")
    assert len(chosen.faces) == 3 and chosen.stated["without_label"] == 1


def test_a_fold_of_splits_is_taken(tmp_path: Path, table: Path) -> None:
    path = tmp_path / "folds.json"
    splits = make(FaceTable.open(table), "official")
    splits.save(path)
    chosen = selected(table=table, splits=path)
    assert chosen.faces.source_id.tolist() == list(splits.folds[0].test)
    assert chosen.stated["fold"] == "official" and chosen.stated["part"] == "test"
    assert chosen.stated["splits_ids_sha256"] == Splits.open(path).ids_sha256
    train = selected(table=table, splits=path, fold="official", part="train")
    assert train.faces.source_id.tolist() == list(splits.folds[0].train)


def test_any_reader_is_taken_by_name_with_its_settings(tmp_path: Path, fer: TinyFer) -> None:
    chosen = selected(tmp_path, data_set="ferplus", options={"rule": "argmax"})
    assert chosen.stated["options"] == ["rule=argmax"] and chosen.stated["split"] == "private"
    assert len(chosen.faces) == 4


def test_photographs_are_cut_as_the_model_wants_them(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    for name in ("happy/a.png", "happy/b.png", "sad/c.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, rng.integers(0, 256, (60, 60), dtype=np.uint8))
    chosen = selected(tmp_path / "photos", data_set="folders")
    assert chosen.faces.images.shape == (3, 48, 48)
    assert chosen.faces.expression_names().tolist() == ["happiness", "happiness", "sadness"]


def test_ids_of_faces_that_share_a_name_differ(tmp_path: Path, fer: TinyFer) -> None:
    fer.names[10] = fer.names[9]
    fer.write_votes(tmp_path / "fer2013new.csv")
    ids = selected(tmp_path, data_set="fer2013").faces.source_id.tolist()
    assert len(set(ids)) == 4 and "row-00009" in ids


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "a data set by name"),
        ({"data_set": "fer2013", "table": Path("t")}, "give one of them"),
        ({"data_set": "fer2014"}, "did you mean 'fer2013'"),
        ({"data_set": "fer2013", "split": "privat"}, "did you mean 'private'"),
        ({"table": Path("t"), "points_file": Path("p")}, "give it alone"),
        ({"data_set": "fer2013", "list_file": Path("l")}, "FER\\+ names"),
        ({"table": Path("t"), "splits": Path("s"), "split": "train"}, "without split"),
        ({"table": Path("t"), "part": "tests"}, "did you mean 'test'"),
        ({"table": Path("t"), "rule": "majorty"}, "did you mean 'majority'"),
        ({"data_set": "ferplus", "options": {"rule": "majorty"}}, "did you mean 'majority'"),
        ({"data_set": "ferplus", "options": {"role": "majority"}}, "did you mean 'rule'"),
        ({"data_set": "ckplus", "options": {"peaks": "x"}}, "cannot read the option peaks='x'"),
    ],
)
def test_what_cannot_be_meant_is_named(named: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Choice(**named)


def test_files_that_are_not_there_are_named_before_anything_is_read(tmp_path: Path) -> None:
    lost, picture = tmp_path / "lost", tmp_path / "a.jpg"
    picture.write_bytes(b"\xff\xd8\xff")
    for named, message in (
        ({"data_set": "fer2013", "points_file": lost}, "no file .*lost; expected an .npz with"),
        ({"data_set": "fer2013", "points_file": picture}, "a.jpg is no .npz; expected"),
        ({"data_set": "ferplus", "list_file": lost}, "no file .*lost; expected a list"),
        ({"table": tmp_path, "splits": lost}, "no file .*lost; expected a file of splits"),
    ):
        with pytest.raises(DataError, match=message):
            Choice(**named)


def test_a_split_that_is_not_there_is_named(table: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'public'"):
        selected(table=table, split="publik")
    with pytest.raises(UsageError, match="folder of the data set"):
        selected(data_set="fer2013")


def test_a_split_of_one_expression_is_refused(tmp_path: Path, table: Path) -> None:
    whole = FaceTable.open(table)
    whole[whole.labels == 3].save(tmp_path / "happy")
    with pytest.raises(DataError, match="show happiness; a model is measured on faces of at least"):
        selected(table=tmp_path / "happy", split="all")


def test_points_are_found_only_for_the_faces_that_have_none(
    table: Path, landmarks_path: Path
) -> None:
    chosen = selected(table=table)
    locate, stated = located(chosen, "none", landmarks_path)
    assert locate is None and stated["points"] is None
    locate, stated = located(chosen, "eyes", landmarks_path)
    assert locate is not None and stated["points"].startswith("found by the landmark network")
    points = np.tile(models.face_points().astype(np.float32), (4, 1, 1))
    known = Chosen(replace(chosen.faces, points_xy=points), chosen.stated)
    assert located(known, "eyes", landmarks_path)[1]["points"] == "of the table"
    points[0] = np.nan
    some = located(known, "eyes", landmarks_path)[1]["points"]
    assert some.startswith("of the table, for 1 faces found by the landmark network")
