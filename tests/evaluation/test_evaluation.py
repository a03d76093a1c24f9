import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.evaluation import Choice, evaluate, score
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.preparation import Preparation
from mien.recognizer import ExpressionReader
from tiny_fer import TinyFer, tiny_fer

FER2013 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def faces(labels: list[int], expressions: tuple[str, ...], **changes: Any) -> FaceTable:
    """Make faces whose first pixel tells the stub what to answer: the place of an expression."""
    n = len(labels)
    images = np.full((n, 48, 48), 100, np.uint8)
    images[:, 0, 0] = [EXPRESSIONS.index(expressions[label]) for label in labels]
    fields: dict[str, Any] = {
        "images": images,
        "labels": np.array(labels, dtype=int),
        "expressions": expressions,
        "subject": np.full(n, ""),
        "sequence": np.full(n, ""),
        "source_id": np.full(n, ""),
        "split": np.full(n, "private"),
        "points_xy": np.tile(models.face_points(), (n, 1, 1)),
    }
    return FaceTable(**{**fields, **changes})


class Stub:
    """A reader that answers with the expression written into the first pixel, if it knows it.

    It reports as hidden what is black at the nose's side of the eyes and in the mouth.
    """

    sha256 = "0" * 64
    mirror = True
    balanced = False
    output = "ferplus"

    def __init__(self, labels: tuple[str, ...], sure: float = 0.9) -> None:
        self.labels, self.sure = labels, sure
        self.sizes: list[int] = []
        self.regions = ("mouth", "eyes")
        self.preparation = Preparation((48, 48))

    def read(self, crops: NDArray[np.uint8]) -> Any:
        self.sizes.append(len(crops))
        names = [EXPRESSIONS[first] for first in crops[:, 0, 0]]
        columns = [self.labels.index(name) if name in self.labels else 0 for name in names]
        probabilities = np.full((len(crops), len(self.labels)), (1 - self.sure) / 7)
        probabilities[np.arange(len(crops)), columns] = self.sure
        hidden = np.stack([crops[:, 36, 24] == 0, crops[:, 19, 24] == 0], axis=1)
        return SimpleNamespace(
            probabilities=probabilities, hidden=hidden, certain=crops[:, 0, 0] < 3
        )


def test_labels_in_different_orders_are_compared_by_name() -> None:
    result = evaluate(faces([0, 3, 3, 6, 5], FER2013), Stub(EXPRESSIONS_7))
    assert result.labels == EXPRESSIONS_7
    assert (result.faces, result.correct, result.accuracy) == (5, 5, 1.0)
    assert result.recall["happiness"] == 1 and result.recall["fear"] is None
    assert result.confusion[1][1] == 2


def test_an_answer_that_the_faces_never_have_is_wrong() -> None:
    table = faces([0, 6], FER2013)
    table.images[0, 0, 0] = EXPRESSIONS.index("contempt")
    result = evaluate(table, Stub(EXPRESSIONS))
    assert result.labels == EXPRESSIONS
    assert result.correct == 1
    assert result.confusion[EXPRESSIONS.index("anger")][EXPRESSIONS.index("contempt")] == 1


def test_a_face_whose_expression_the_model_cannot_give_is_missed() -> None:
    result = evaluate(faces([7, 0], EXPRESSIONS), Stub(EXPRESSIONS_7))
    assert (result.faces, result.correct) == (2, 1)
    assert result.recall["contempt"] == 0
    # Sure at 0.9, right on one of two: bins of one face, each 0.1 or 0.9 off.
    assert result.ece == pytest.approx(0.5)


def test_certain_answers_are_counted_apart() -> None:
    table = faces([0, 1, 4, 5], EXPRESSIONS)
    table.images[1, 0, 0] = 2
    certain = evaluate(table, Stub(EXPRESSIONS)).certain
    assert (certain["faces"], certain["share"], certain["accuracy"]) == (2, 0.5, 0.5)
    none = evaluate(faces([5], EXPRESSIONS), Stub(EXPRESSIONS)).certain
    assert none["accuracy"] is None


def test_hidden_regions_are_judged_where_the_occluder_decides() -> None:
    table = faces([0] * 4, EXPRESSIONS)
    eyes = evaluate(table, Stub(EXPRESSIONS), occluder="eyes").hidden
    assert eyes["eyes"]["hidden_faces"] == 4 and eyes["eyes"]["recall"] == 1
    assert eyes["mouth"]["visible_faces"] == 4 and eyes["mouth"]["false_alarms"] == 0
    whole = evaluate(table, Stub(EXPRESSIONS)).hidden
    assert whole["eyes"] == {
        "reported": 0,
        "hidden_faces": 0,
        "recall": None,
        "visible_faces": 4,
        "false_alarms": 0,
    }


def test_of_really_occluded_faces_no_region_is_known() -> None:
    table = faces([0] * 4, EXPRESSIONS)
    hidden = evaluate(table, Stub(EXPRESSIONS), really_occluded=True).hidden
    assert hidden["mouth"]["hidden_faces"] == hidden["mouth"]["visible_faces"] == 0
    assert hidden["mouth"]["false_alarms"] is None and hidden["mouth"]["reported"] == 0


def test_points_are_located_where_the_faces_have_none() -> None:
    seen = []

    def locate(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(len(images))
        return np.tile(models.face_points(), (len(images), 1, 1))

    table = faces([0] * 300, EXPRESSIONS, points_xy=None)
    result = evaluate(table, Stub(EXPRESSIONS), occluder="mouth", locate=locate)
    assert sum(seen) == 300 and len(seen) > 1
    assert result.hidden["mouth"]["recall"] == 1
    with pytest.raises(DataError, match="needs the faces' points"):
        evaluate(table, Stub(EXPRESSIONS), occluder="mouth")


def test_the_faces_stay_as_they_are() -> None:
    table = faces([0, 1, 2], EXPRESSIONS)
    before = table.images.copy()
    evaluate(table, Stub(EXPRESSIONS), occluder="mask-polygon")
    np.testing.assert_array_equal(table.images, before)


def test_many_faces_go_in_batches_and_count_once() -> None:
    labels = np.random.default_rng(0).integers(0, 8, 600).tolist()
    reader = Stub(EXPRESSIONS)
    result = evaluate(faces(labels, EXPRESSIONS), reader, occluder="eyes")
    assert result.faces == sum(reader.sizes) == 600 and max(reader.sizes) <= 256
    assert np.sum(result.confusion) == 600
    assert np.sum(result.confusion, axis=1).tolist() == np.bincount(labels).tolist()


def test_larger_and_coloured_faces_are_brought_to_the_model() -> None:
    table = faces([0, 0], EXPRESSIONS, images=np.zeros((2, 96, 96, 3), np.uint8))
    shapes = []

    class Shapes(Stub):
        def read(self, crops: NDArray[np.uint8]) -> Any:
            shapes.append(crops.shape)
            return super().read(crops)

    evaluate(table, Shapes(EXPRESSIONS))
    assert shapes == [(2, 48, 48)]


def test_the_result_is_plain_json_with_the_published_keys() -> None:
    result = evaluate(
        faces([0, 1], EXPRESSIONS), Stub(EXPRESSIONS), occluder="eyes", protocol={"split": "x"}
    )
    written = json.loads(json.dumps(result.to_dict()))
    assert {
        "faces",
        "correct",
        "accuracy",
        "interval95",
        "balanced_accuracy",
        "macro_f1",
        "ece",
        "confusion",
        "labels",
        "protocol",
        "model_sha256",
    } <= written.keys()
    assert written["protocol"] == {
        "split": "x",
        "occluder": "eyes",
        "output": "ferplus",
        "test_time_augmentation": "mirror",
        "seed": 0,
    }
    assert written["model_sha256"] == Stub.sha256


@pytest.mark.parametrize("labels", [[0, -1], []])
def test_faces_without_a_label_are_refused(labels: list[int]) -> None:
    table = replace(faces([0] * len(labels), EXPRESSIONS), labels=np.array(labels, dtype=int))
    with pytest.raises(DataError, match="a label"):
        evaluate(table, Stub(EXPRESSIONS))


@pytest.fixture
def fer(tmp_path: Path) -> TinyFer:
    fer = tiny_fer()
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    return fer


def read_one_by_one(model: Path, fer: TinyFer, rows: list[int]) -> list[str]:
    """Answer for each face alone with the model file."""
    reader = ExpressionReader(model, labels="ferplus")
    found = [reader.read(fer.images[row][None]).probabilities[0].argmax() for row in rows]
    return [EXPRESSIONS[place] for place in found]


def test_a_model_file_is_measured_on_a_data_set(
    tmp_path: Path, fer: TinyFer, expression_path: Path
) -> None:
    reader = ExpressionReader(expression_path, labels="ferplus")
    result = score(Choice(data_set="ferplus").select(tmp_path, reader.preparation), reader).result
    answers = read_one_by_one(expression_path, fer, [8, 9, 10, 11])
    assert result["correct"] == sum(a == EXPRESSIONS[row] for row, a in enumerate(answers))
    assert result["model_sha256"] == reader.sha256
    assert result["protocol"] == {
        "data_set": "ferplus",
        "split": "private",
        "rule": "majority",
        "votes": "fer2013new.csv",
        "list": None,
        "points": None,
        "duplicates_of_train": "kept",
        "occluder": "none",
        "output": "ferplus",
        "test_time_augmentation": "none",
        "seed": 0,
    }


def test_the_protocol_says_whose_points_an_occluder_was_drawn_by(
    tmp_path: Path, fer: TinyFer, expression_path: Path, landmarks_path: Path
) -> None:
    reader = ExpressionReader(expression_path, labels="fer2013")

    def eyes_hidden(**wish: Any) -> dict[str, Any]:
        choice = Choice(data_set="fer2013", split="public", **wish)
        chosen = choice.select(tmp_path, reader.preparation)
        return score(chosen, reader, occluder="eyes", landmarks=landmarks_path).result

    found = eyes_hidden()
    assert str(found["protocol"]["points"]).startswith("found by the landmark network")
    assert found["hidden"]["eyes"]["hidden_faces"] == found["faces"] == 4
    points_file = fer.write_points(tmp_path / "points.npz", [True] * 12)
    given = eyes_hidden(points_file=points_file)
    assert str(given["protocol"]["points"]).startswith("points.npz")


def test_a_list_is_measured_without_judging_regions(
    tmp_path: Path, fer: TinyFer, expression_path: Path
) -> None:
    list_file = tmp_path / "list.txt"
    list_file.write_text("6_fer0000009.png 8 0\n5_fer0000004.png 8 0\n")
    reader = ExpressionReader(expression_path, labels="ferplus")
    chosen = Choice(data_set="ferplus", list_file=list_file).select(tmp_path, reader.preparation)
    result = score(chosen, reader).result
    assert result["faces"] == 2 and result["hidden"]["eyes"]["visible_faces"] == 0
