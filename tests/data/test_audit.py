import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.test_duplicates import compressed, mirrored, pictures, shifted
from data.test_table import table
from mien import images
from mien.data.audit import agreement, also_in, audit, cleaned
from mien.data.audit_page import audit_page
from mien.data.listing import Listing
from mien.data.readers.fer2013 import read, read_fer2013
from mien.data.table import FaceTable
from mien.errors import DataError
from tiny_fer import tiny_fer

SPLITS = ("train", "public", "private")


def faces(per_split: int = 4, **changes: Any) -> FaceTable:
    """Make different faces in three splits, all of them neutral."""
    n = per_split * len(SPLITS)
    fields = {
        "images": pictures(n),
        "labels": np.ones(n, int),
        "split": np.repeat(SPLITS, per_split),
        "votes": None,
        "points_xy": None,
    }
    return table(n, **{**fields, **changes})


@pytest.fixture
def leaky() -> FaceTable:
    """Plant copies of the face 0: exact 4, 9; near 10. And of 5: exact 11, near 6. 3 is blank."""
    shown = faces().images.copy()
    shown[[4, 9]] = shown[0]
    shown[10] = shifted(shown[0], 3)
    shown[11] = shown[5]
    shown[6] = mirrored(compressed(shown[5], 0), 0)
    shown[3] = 200
    labels = np.ones(12, int)
    labels[9] = 0
    return faces(images=shown, labels=labels)


def test_faces_with_the_pixels_of_another_part_are_marked(tmp_path: Path) -> None:
    fer = tiny_fer()
    fer.images[9] = fer.images[1]
    fer.images[10] = fer.images[2]
    fer.images[10, 0, 0] ^= 1
    fer.images[5] = fer.images[6]
    fer.write(tmp_path / "fer2013.csv")
    faces = read_fer2013(tmp_path)
    train = faces[faces.split == "train"]
    assert np.flatnonzero(also_in(faces[faces.split == "private"], train)).tolist() == [1]
    assert not also_in(faces[faces.split == "public"], train).any()


def test_exact_copies_are_counted_by_split(leaky: FaceTable) -> None:
    assert audit(leaky).exact.to_dict() == {
        "public in train": 1,
        "private in train": 1,
        "private in public": 2,
        "within train": 0,
        "within public": 0,
        "within private": 0,
        "groups": 2,
        "groups with conflicting labels": 1,
    }


def test_near_copies_are_those_that_have_no_exact_one(leaky: FaceTable) -> None:
    found = audit(leaky)
    assert found.near.to_dict() == {
        "public in train": 0,
        "private in train": 1,
        "private in public": 1,
        "within train": 0,
        "within public": 1,
        "within private": 1,
        "groups": 2,
        "groups with conflicting labels": 1,
    }
    assert found.near.groups == (
        ("face 0", "face 4", "face 9", "face 10"),
        ("face 5", "face 6", "face 11"),
    )


def test_copies_with_two_labels_are_named(leaky: FaceTable) -> None:
    assert audit(leaky).exact.conflicting == (("face 0", "face 4", "face 9"),)
    unlabelled = replace(leaky, labels=np.where(leaky.labels == 0, -1, leaky.labels))
    assert not audit(unlabelled).exact.conflicting


def test_blank_images_are_named_and_are_nobodys_copies(leaky: FaceTable) -> None:
    shown = leaky.images.copy()
    shown[7] = 201
    found = audit(replace(leaky, images=shown))
    assert found.blank == ("face 3", "face 7")
    assert not any("face 7" in group for group in found.near.groups)


def test_a_set_without_faults_has_none() -> None:
    found = audit(faces()).to_dict()
    assert not any(found["exact"].values()) and not any(found["near"].values())
    assert found["blank"] == [] and found["unreadable"] == {}
    assert found["shared"] == {"subject": None, "sequence": None} and found["votes"] == {}


def test_people_and_sequences_in_two_splits_are_named() -> None:
    subject = np.array(["", "A", "A", "B", "", "B", "C", "C", "", "D", "D", "D"])
    sequence = np.array(["", "1", "2", "1", "", "1", "1", "1", "", "1", "1", "1"])
    shared = audit(faces(subject=subject, sequence=sequence)).shared
    assert shared["subject"] == {"B": ["public", "train"]}
    assert shared["sequence"] == {"B/1": ["public", "train"]}


def test_classes_are_counted_by_split_and_empty_ones_stay() -> None:
    labels = np.array([0, 1, 1, -1] * 3)
    found = audit(faces(labels=labels))
    assert found.classes["train"] == {"fear": 1, "neutral": 2, "unlabelled": 1}
    assert audit(faces()).classes["public"] == {"fear": 0, "neutral": 4}


def test_votes_are_the_share_of_the_winning_expression() -> None:
    votes = np.zeros((12, 10))
    votes[:, 2] = 5
    votes[:6, 3] = 3
    votes[:, 8] = 2  # `unknown` is a vote, and no expression
    votes[11] = 0
    np.testing.assert_allclose(agreement(votes)[[0, 6, 11]], [0.5, 5 / 7, np.nan])
    found = audit(faces(votes=votes)).votes
    assert found["train"]["mean"] == 0.5 and found["train"]["no majority"] == 4
    assert found["train"]["histogram"] == [0, 0, 0, 0, 0, 4, 0, 0, 0, 0]
    assert found["private"]["faces"] == 3 and sum(found["private"]["histogram"]) == 3


def test_three_of_ten_votes_are_thirty_percent() -> None:
    votes = np.zeros((12, 10))
    votes[:10, 0] = np.arange(1, 11)
    votes[:, 9] = 10 - votes[:, 0]
    found = audit(faces(votes=votes, split=np.full(12, "")))
    assert found.votes[""]["histogram"] == [2, 1, 1, 1, 1, 1, 1, 1, 1, 2]


def test_cleaned_splits_show_each_picture_in_one_split(leaky: FaceTable) -> None:
    found = audit(leaky)
    fold = cleaned(leaky, found).folds[0]
    assert fold.train == tuple(f"face {row}" for row in range(4))
    assert fold.validation == ("face 5", "face 6", "face 7")
    assert fold.test == ("face 8",)
    again = audit(leaky[np.isin(leaky.source_id, [*fold.train, *fold.validation, *fold.test])])
    assert not any(count for name, count in again.near.counts.items() if " in " in name)
    with pytest.raises(DataError, match="no splits to clean"):
        cleaned(replace(leaky, split=np.full(12, "")), found)


def test_faces_without_a_split_are_in_no_cleaned_part(leaky: FaceTable) -> None:
    subject = np.array([*"ABCD", *"EFGH", *"AIJK"])
    mixed = replace(
        leaky, split=np.where(leaky.split == "public", "", leaky.split), subject=subject
    )
    found = audit(mixed)
    assert found.exact.counts["no split in train"] == 1
    assert found.exact.counts["within no split"] == 0
    splits = cleaned(mixed, found)
    assert splits.folds[0].sizes() == {"train": 4, "validation": 0, "test": 2}
    assert splits.left_out == 4 and splits.subjects_overlap is True
    shared = audit(replace(mixed, subject=np.array([*"ABCD", *"ABCD", *"HIJK"]))).shared
    assert shared["subject"] == {}


def test_colour_and_other_sizes_are_audited() -> None:
    large = np.stack([images.resize(one, (96, 96)) for one in faces().images])
    large[5] = large[0][:, ::-1]
    coloured = np.repeat(large[..., None], 3, axis=3)
    for shown in (large, coloured):
        assert audit(faces(images=shown)).near.counts["public in train"] == 1


def listed(folder: Path, shown: Any, **changes: Any) -> Listing:
    """Write images as files, the last as no image."""
    data = faces()
    paths = [folder / f"{row}.png" for row in range(len(shown))]
    for path, image in zip(paths, shown, strict=True):
        images.write(path, image)
    paths[-1].write_text("no image")
    fields = {name: array for name, array in data.arrays().items() if name != "images"}
    names = np.array(list(map(str, paths)))
    return Listing(expressions=data.expressions, paths=names, **{**fields, **changes})


def test_photographs_are_audited_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    shown = faces().images.copy()
    shown[8] = shown[1]
    shown[9] = shifted(shown[2], 0)
    found = audit(listed(tmp_path, shown))
    assert list(found.unreadable) == ["face 11"] and "not an image" in found.unreadable["face 11"]
    assert found.exact.counts["private in train"] == 1
    assert found.near.counts["private in train"] == 1
    assert not found.blank


def test_faces_of_one_photograph_are_told_apart_by_their_boxes(tmp_path: Path) -> None:
    shown = [np.hstack([*pictures(2)])] * 12
    boxes = np.array([[0, 0, 47, 47], [48, 0, 95, 47]] + [[np.nan] * 4] * 10)
    found = audit(listed(tmp_path, shown, box_xyxy=boxes))
    assert found.exact.groups == (tuple(f"face {row}" for row in range(2, 11)),)


def test_a_set_that_is_none_cannot_be_audited() -> None:
    with pytest.raises(DataError, match="no face to audit"):
        audit(faces()[:0])
    with pytest.raises(DataError, match="two images have the id"):
        audit(replace(faces(), source_id=np.full(12, "one")))


def test_the_record_is_plain_json(leaky: FaceTable) -> None:
    found = audit(leaky).to_dict()
    assert json.loads(json.dumps(found))["exact"]["private in train"] == 1


def test_the_page_shows_the_faces_in_question_and_fetches_nothing(leaky: FaceTable) -> None:
    pytest.importorskip("matplotlib")
    votes = np.ones((12, 10))
    leaky = replace(leaky, votes=votes, source_id=np.char.add("<b>", leaky.source_id))
    text = audit_page("made-up", leaky, audit(leaky))
    for title in ("One picture, two labels", "Near copies in two splits", "Blank images", "Votes"):
        assert f"<h2>{title}</h2>" in text
    assert text.count("data:image/png;base64,") >= 8
    assert "&lt;b&gt;face 9" in text and "<b>face" not in text
    assert 'src="http' not in text and "<link" not in text and "<script" not in text


def test_a_page_without_faults_says_so() -> None:
    pytest.importorskip("matplotlib")
    text = audit_page("made-up", faces(), audit(faces()))
    assert "data:image/png" not in text and 'class="fact bad"' not in text


def test_the_leaks_of_fer2013_are_found(mien_data: Path) -> None:
    found = audit(read(mien_data))
    known = {
        "private in train": 288,
        "public in train": 280,
        "private in public": 44,
        "groups": 1518,
        "groups with conflicting labels": 59,
    }
    assert known.items() <= found.exact.to_dict().items()
    assert len(found.blank) == 13
    assert found.near.counts["private in train"] > 0
