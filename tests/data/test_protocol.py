from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data.protocol import Protocol
from mien.errors import DataError, UsageError
from tiny_fer import TinyFer, tiny_fer


@pytest.fixture
def fer(tmp_path: Path) -> TinyFer:
    fer = tiny_fer()
    fer.images[9] = fer.images[1]
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    return fer


def test_a_split_of_fer2013_has_its_own_labels(tmp_path: Path, fer: TinyFer) -> None:
    protocol = Protocol(data_set="fer2013", split="public")
    faces = protocol.select(tmp_path)
    np.testing.assert_array_equal(faces.images, fer.images[4:8])
    assert faces.labels.tolist() == fer.labels[4:8]
    assert protocol.describe(tmp_path) == {
        "data_set": "fer2013",
        "split": "public",
        "rule": None,
        "votes": None,
        "list": None,
        "points": None,
        "duplicates_of_train": "kept",
    }


def test_ferplus_is_labelled_by_majority_unless_told(tmp_path: Path, fer: TinyFer) -> None:
    fer.votes[8] = [4, 4, 2, 0, 0, 0, 0, 0, 0, 0]
    fer.write_votes(tmp_path / "fer2013new.csv")
    protocol = Protocol(data_set="ferplus")
    assert protocol.select(tmp_path).labels.tolist() == [1, 2, 3]
    assert Protocol(data_set="ferplus", rule="argmax").select(tmp_path).labels[0] == 0
    assert protocol.describe(tmp_path)["votes"] == "fer2013new.csv"
    fer.write_official(tmp_path)
    assert protocol.describe(tmp_path)["votes"] == "official"
    assert protocol.describe(tmp_path)["rule"] == "majority"


@pytest.mark.parametrize("data_set", ["fer2013", "ferplus"])
def test_faces_that_equal_a_training_face_are_left_out(
    tmp_path: Path, fer: TinyFer, data_set: str
) -> None:
    protocol = Protocol(data_set=data_set, without_duplicates=True)
    np.testing.assert_array_equal(protocol.select(tmp_path).images, fer.images[[8, 10, 11]])
    assert protocol.describe(tmp_path)["duplicates_of_train"] == "left out"


def test_a_list_brings_its_faces_and_labels(tmp_path: Path, fer: TinyFer) -> None:
    list_file = tmp_path / "occluded.txt"
    list_file.write_text("6_fer0000009.png 8 0\n5_fer0000004.png 8 0\n")
    protocol = Protocol(data_set="ferplus", list_file=list_file)
    assert protocol.select(tmp_path).labels.tolist() == [6, 5]
    stated = protocol.describe(tmp_path)
    assert (stated["list"], stated["split"], stated["rule"]) == ("occluded.txt", None, None)
    alone = Protocol(data_set="ferplus", list_file=list_file, without_duplicates=True)
    assert alone.select(tmp_path).labels.tolist() == [5]


def test_points_come_with_the_faces(tmp_path: Path, fer: TinyFer) -> None:
    points_file = fer.write_points(tmp_path / "points.npz", [True] * 12)
    protocol = Protocol(data_set="fer2013", points_file=points_file)
    points_xy = protocol.select(tmp_path).points_xy
    assert points_xy is not None and points_xy.shape == (4, 68, 2)
    assert "points.npz" in protocol.describe(tmp_path)["points"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"data_set": "fer"}, "unknown data set"),
        ({"data_set": "ferplus", "split": "test"}, "unknown split"),
        ({"data_set": "ferplus", "rule": "plurality"}, "unknown rule"),
        ({"data_set": "fer2013", "rule": "majority"}, "take data set ferplus"),
        ({"data_set": "fer2013", "list_file": Path("x")}, "take data set ferplus"),
        ({"data_set": "ferplus", "list_file": Path("x"), "rule": "argmax"}, "without a rule"),
        ({"data_set": "ferplus", "split": "train", "without_duplicates": True}, "another split"),
    ],
)
def test_wishes_that_do_not_fit_are_refused(wish: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Protocol(**wish)


def test_nothing_left_to_measure_on_is_an_error(tmp_path: Path, fer: TinyFer) -> None:
    fer.votes[8:] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]
    fer.write_votes(tmp_path / "fer2013new.csv")
    with pytest.raises(DataError, match="no face of ferplus"):
        Protocol(data_set="ferplus").select(tmp_path)
